from __future__ import annotations

import pytest

from tracker_server.access.client_address import network, real_address

PROXIES = {"127.0.0.1", "10.0.0.5"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "real"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # not a proxy: the header is a claim
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # the client made up the first
        ("127.0.0.1", ["1.2.3.4", "198.51.100.1, 10.0.0.5"], "198.51.100.1"),  # two proxies, two headers
        ("127.0.0.1", ["10.0.0.5"], "10.0.0.5"),
        ("127.0.0.1", ["198.51.100.1, nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("127.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
    ],
)
def test_only_what_trusted_proxies_append_is_believed(peer: str, forwarded: list[str], real: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert real_address(peer, headers, PROXIES) == real


def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::1")
    assert network("::ffff:198.51.100.1") == network("198.51.100.1") != network("198.51.100.2")
    assert network("testclient") == "testclient"
