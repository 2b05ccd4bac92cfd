"""The security headers of every response, and the content policy of the dashboard."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Message, Send

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_UNLESS_SET = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


def with_headers(send: Send, cookie: bytes | None) -> Send:
    """Return a `send` that adds the security headers, and `cookie` as `Set-Cookie` if it is not None."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = _complete(message.get("headers", ()))
            if cookie is not None:
                message["headers"].append((b"set-cookie", cookie))
        await send(message)

    return sending


def _complete(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    headers = list(headers)
    names = {name.lower() for name, _ in headers}
    return [*headers, *_ALWAYS, *(pair for pair in _UNLESS_SET if pair[0] not in names)]
