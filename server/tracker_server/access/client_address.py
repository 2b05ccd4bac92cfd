"""Find out from where a request comes, also behind proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Set

_MAX_HOPS = 20


def real_address(peer: str, headers: Iterable[tuple[bytes, bytes]], proxies: Set[str]) -> str:
    """Return the address of the client that sent a request.

    That is the peer of the connection. If the peer is a trusted proxy, it is the last address of `X-Forwarded-For` that
    is not itself a trusted proxy: each proxy appends the address of its own peer, and what stands before may be made
    up. An entry that is no address ends the search.
    """
    if peer not in proxies:
        return peer
    listed = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
    address = peer
    for entry in reversed(listed.split(",")[-_MAX_HOPS:]):
        found = _parsed(entry)
        if found is None:
            break
        address = found
        if address not in proxies:
            break
    return address


def network(address: str) -> str:
    """Return what one client can have of addresses: the address, or with IPv6 its network of 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def _parsed(entry: str) -> str | None:
    """Return the address in an entry of `X-Forwarded-For`, in which some proxies write a port as well."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
