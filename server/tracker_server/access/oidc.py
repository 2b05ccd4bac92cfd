"""Speak OpenID Connect with a provider: discovery, the way to its sign-in page, and what it says of a person.

The server sends requests only to the configured issuer and to what its discovery document names.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .providers import Provider, is_safe

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

METADATA_LIFETIME = 3600.0
"""Seconds after which the discovery document is read again."""

FAILURE_LIFETIME = 10.0
"""Seconds for which a provider that did not answer is not asked again, whoever asks."""

TIMEOUT = (5.0, 10.0)
"""Seconds for a connection and for each part of a response."""

CLOCK_DIFFERENCE = 120
"""Seconds by which the provider's clock may differ."""

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_MAX_DOCUMENT = 1 << 20


class Unreachable(Exception):
    """The provider does not answer as its specification says. The text holds no secret and is for the log."""


class Rejected(Exception):
    """The person may not sign in. The text is for them."""


class Start(NamedTuple):
    """A sign-in that has begun: where to send the browser, and what to keep until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class Person(NamedTuple):
    """Who signed in, as the provider says."""

    provider: str
    subject: str
    email: str
    """Verified by the provider, in lower case."""
    username: str
    groups: tuple[str, ...]


class OpenIdClient:
    """A client of one provider. Its methods wait for the provider, so call them in threads."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._read_at = 0.0
        self._failure: Unreachable | None = None
        self._failed_at = 0.0

    def start(self, redirect_uri: str) -> Start:
        """Return a new sign-in with state, nonce and PKCE. Raises `Unreachable`."""
        metadata = self._discover()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        with self._session(metadata, redirect_uri) as session:
            url, state = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=secrets.token_urlsafe(32),
                nonce=nonce,
                code_verifier=verifier,
            )
        return Start(url, state, nonce, verifier)

    def finish(self, code: str, start: Start, redirect_uri: str, issuer: str | None = None) -> Person:
        """Return who has signed in.

        Args:
            code: What the provider sent along with the browser.
            start: What `start` returned.
            redirect_uri: The same as at `start`.
            issuer: The issuer that the browser brought back (RFC 9207), against mixed-up providers.

        Raises:
            Unreachable: If the provider does not answer, or its answer is not valid.
            Rejected: If this person may not sign in.
        """
        metadata = self._discover()
        if issuer is not None and issuer != metadata["issuer"]:
            raise Unreachable("the browser came back from another issuer")
        with self._session(metadata, redirect_uri) as session:
            token = _fetch_token(session, metadata["token_endpoint"], code, start.verifier)
            claims = self._verified(metadata, token, start.nonce)
            wanted = {"email", "email_verified", *([self.provider.groups_claim] if self.provider.groups else [])}
            if metadata.get("userinfo_endpoint") and not wanted <= claims.keys():
                # All from one source, so that no verification is taken for another address.
                claims = {**claims, **_user_info(session, metadata["userinfo_endpoint"], claims["sub"])}
        return person(self.provider, claims)

    def _session(self, metadata: Mapping[str, Any], redirect_uri: str) -> OAuth2Session:
        from authlib.integrations.requests_client import OAuth2Session  # takes 0.1 s to import

        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Session(
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret or None,
            token_endpoint_auth_method=method if self.provider.client_secret else "none",
            scope=" ".join(self.provider.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
        )

    def _discover(self) -> dict[str, Any]:
        with self._lock:
            now = time.monotonic()
            if self._metadata and now - self._read_at <= METADATA_LIFETIME:
                return self._metadata
            if self._failure is not None and now - self._failed_at <= FAILURE_LIFETIME:
                raise Unreachable(str(self._failure))
            try:
                self._metadata = _discovered(self.provider.issuer)
            except Unreachable as error:
                self._failure, self._failed_at = error, time.monotonic()
                raise
            self._read_at = time.monotonic()
            return self._metadata

    def _verified(self, metadata: dict[str, Any], token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """Return the claims of the ID token after every check of OpenID Connect Core, section 3.1.3.7."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        supported = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        # Neither unsigned tokens nor ones that whoever knows the client's secret could sign.
        allowed = [name for name in _ALGORITHMS if name in supported]
        try:
            keys = KeySet.import_key_set(_get(metadata["jwks_uri"]))  # type: ignore[arg-type]
            registry = JWSRegistry(algorithms=allowed, strict_check_header=False)
            decoded = jwt.decode(str(token.get("id_token", "")), keys, registry=registry)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": metadata["issuer"]},
                    "aud": {"essential": True, "value": self.provider.client_id},
                },
                {"nonce": nonce, "client_id": self.provider.client_id, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=CLOCK_DIFFERENCE)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Unreachable(f"its ID token is not valid: {type(error).__name__}") from None
        return dict(claims)


def _discovered(issuer: str) -> dict[str, Any]:
    """Return the discovery document of the issuer, with the addresses that this module uses checked."""
    found = _get(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise Unreachable(f"its discovery document is of the issuer {str(found.get('issuer'))[:200]!r}")
    for name in _ENDPOINTS:
        if not is_safe(str(found.get(name, ""))):
            raise Unreachable(f"its discovery document has no safe {name}")
    if not is_safe(str(found.get("userinfo_endpoint", ""))):
        found.pop("userinfo_endpoint", None)
    return found


def person(provider: Provider, claims: Mapping[str, Any]) -> Person:
    """Return who the verified claims speak of. Raises `Rejected` for an address that is not verified or not allowed."""
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not subject or len(subject) > 255:
        raise Unreachable("it names no subject")
    if not isinstance(email, str) or "@" not in email or len(email) > 254 or not email.isprintable() or " " in email:
        raise Rejected(f"{provider.label} did not tell your email address, which this server needs")
    if claims.get("email_verified") is not True:
        raise Rejected(f"{provider.label} has not verified your email address: verify it there, then sign in again")
    email = email.strip().lower()
    if provider.allowed_domains and email.rpartition("@")[2] not in provider.allowed_domains:
        raise Rejected("this server does not accept email addresses of your domain: use another one, or ask an admin")
    groups = claims.get(provider.groups_claim, ())
    groups = (groups,) if isinstance(groups, str) else groups if isinstance(groups, list) else ()
    username = claims.get("preferred_username")
    return Person(
        provider.name,
        subject,
        email,
        username if isinstance(username, str) else "",
        tuple(group for group in groups if isinstance(group, str)),
    )


def _fetch_token(session: OAuth2Session, url: str, code: str, verifier: str) -> Mapping[str, Any]:
    import requests
    from authlib.common.errors import AuthlibBaseError

    try:
        token: Mapping[str, Any] = session.fetch_token(url, code=code, code_verifier=verifier, allow_redirects=False)
    except AuthlibBaseError as error:
        raise Unreachable(f"it refused the code: {str(error.error)[:100]}") from None
    except requests.RequestException as error:
        raise Unreachable(f"its token endpoint failed: {type(error).__name__}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"its token endpoint sent an unreadable response: {type(error).__name__}") from None
    return token


def _user_info(session: OAuth2Session, url: str, subject: str) -> dict[str, Any]:
    import requests
    from authlib.common.errors import AuthlibBaseError

    try:
        response = session.get(url, allow_redirects=False)
        response.raise_for_status()
        found = response.json()
    except (requests.RequestException, AuthlibBaseError, ValueError) as error:
        raise Unreachable(f"its userinfo endpoint failed: {type(error).__name__}") from None
    if not isinstance(found, dict) or found.get("sub") != subject:
        raise Unreachable("its userinfo is of another person")
    return found


def _get(url: str) -> dict[str, Any]:
    import requests

    try:
        with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as response:
            if response.status_code != 200:
                raise Unreachable(f"{url} answered with status {response.status_code}")
            content = response.raw.read(_MAX_DOCUMENT + 1, decode_content=True)
        if len(content) > _MAX_DOCUMENT:
            raise Unreachable(f"{url} sent more than {_MAX_DOCUMENT:,} bytes")
        import orjson

        found = orjson.loads(content)
    except (OSError, ValueError) as error:  # errors of requests are OSErrors
        raise Unreachable(f"{url} cannot be read: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise Unreachable(f"{url} sent no JSON object")
    return found
