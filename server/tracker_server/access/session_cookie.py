"""Cookies, and that of the session: its name, how to read it from a request, and how to set it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from .sessions import LIFETIME


def name_for(token: bytes) -> str:
    """Return the cookie's name for a server with this token.

    All ports of a host share cookies, so each server needs its own name.
    """
    return "tracker-" + hmac.new(token, b"tracker cookie name", hashlib.sha256).hexdigest()[:12]


def read(header: str, name: str) -> str:
    """Return the value of a cookie in a `Cookie` header, empty if it is missing."""
    # Not http.cookies, which rejects the whole header when another application's cookie has an odd name.
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return ""


def header(
    name: str,
    value: str,
    path: str,
    secure: bool,
    lifetime: float = LIFETIME,
    same_site: Literal["strict", "lax"] = "strict",
) -> bytes:
    """Return a `Set-Cookie` header for addresses below `path`; with `secure`, for HTTPS only.

    With a `lifetime` of 0 seconds the browser deletes the cookie.
    """
    attributes = f"HttpOnly; Max-Age={int(lifetime)}; Path={path}; SameSite={same_site}{'; Secure' if secure else ''}"
    return f"{name}={value}; {attributes}".encode("latin-1")
