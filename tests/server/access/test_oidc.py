from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.oidc_provider import Provider as RunningProvider
from tests.oidc_provider import running_provider
from tracker_server.access.oidc import OpenIdClient, Person, Rejected, Unreachable
from tracker_server.access.providers import Provider

BACK = "http://127.0.0.1:1/sign-in/callback/campus"


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    with running_provider() as made:
        yield made


def _client(provider: RunningProvider, **settings: Any) -> OpenIdClient:
    values = {"issuer": provider.issuer, "client_id": "tracker", "client_secret": "s3cret", **settings}
    return OpenIdClient(Provider("campus", "Campus", **values))


def test_a_person_signs_in_with_pkce(provider: RunningProvider) -> None:
    provider.know(
        "77", email="Ada@Example.org", email_verified=True, preferred_username="ada", groups=["vision", 5, "staff"]
    )
    client = _client(provider)
    start = client.start(BACK)
    back = provider.sign_in(start.url, "77")
    assert back["state"] == start.state
    assert client.finish(back["code"], start, BACK) == Person(
        "campus", "77", "ada@example.org", "ada", ("vision", "staff")
    )


def test_a_code_is_worth_nothing_without_its_verifier(provider: RunningProvider) -> None:
    provider.know("77", email="ada@example.org", email_verified=True)
    client = _client(provider)
    start, other = client.start(BACK), client.start(BACK)
    back = provider.sign_in(start.url, "77")
    with pytest.raises(Unreachable, match="refused the code: invalid_grant"):
        client.finish(back["code"], start._replace(verifier=other.verifier), BACK)


def test_a_code_works_once(provider: RunningProvider) -> None:
    provider.know("77", email="ada@example.org", email_verified=True)
    client = _client(provider)
    start = client.start(BACK)
    back = provider.sign_in(start.url, "77")
    client.finish(back["code"], start, BACK)
    with pytest.raises(Unreachable, match="refused the code: invalid_grant"):
        client.finish(back["code"], start, BACK)


def test_a_token_for_another_sign_in_is_refused(provider: RunningProvider) -> None:
    provider.know("77", email="ada@example.org", email_verified=True)
    client = _client(provider)
    start, other = client.start(BACK), client.start(BACK)
    back = provider.sign_in(start.url, "77")
    with pytest.raises(Unreachable, match="ID token is not valid"):
        client.finish(back["code"], start._replace(nonce=other.nonce), BACK)


def test_a_browser_from_another_issuer_is_refused(provider: RunningProvider) -> None:
    provider.know("77", email="ada@example.org", email_verified=True)
    client = _client(provider)
    start = client.start(BACK)
    back = provider.sign_in(start.url, "77")
    with pytest.raises(Unreachable, match="another issuer"):
        client.finish(back["code"], start, BACK, issuer="https://evil.example")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "ada@example.org"}, "has not verified"),
        ({"email": "ada@example.org", "email_verified": False}, "has not verified"),
        ({"email": "ada@example.org", "email_verified": "true"}, "has not verified"),
        ({"email_verified": True}, "did not tell your email"),
        ({"email": "ada@elsewhere.org", "email_verified": True}, "of your domain"),
        ({"email": "ada@evil.org@example.org.evil.org", "email_verified": True}, "of your domain"),
    ],
)
def test_who_may_not_sign_in_is_told_why(provider: RunningProvider, claims: dict[str, Any], reason: str) -> None:
    provider.know("78", **claims)
    client = _client(provider, allowed_domains=frozenset({"example.org"}))
    start = client.start(BACK)
    back = provider.sign_in(start.url, "78")
    with pytest.raises(Rejected, match=reason):
        client.finish(back["code"], start, BACK)


def test_a_provider_that_does_not_answer_is_named_without_secrets(provider: RunningProvider) -> None:
    # The document behind the last names its issuer without the slash.
    for issuer in ("http://127.0.0.1:9", provider.issuer + "/nothing", provider.issuer + "/"):
        with pytest.raises(Unreachable) as raised:
            _client(provider, issuer=issuer).start(BACK)
        assert "s3cret" not in str(raised.value)
    assert "s3cret" not in repr(_client(provider).provider)
