"""Recognise browsers from which an account has signed in, by a cookie that outlives the session.

Such a browser has its own count of failed attempts, so that a stranger who guesses passwords cannot lock it out. The
cookie gives no access.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

LIFETIME = 365 * 86400.0


def made(key: bytes, account: int) -> str:
    """Return a cookie for a browser that has signed in to the account. `key` is a secret of the server."""
    number = secrets.token_hex(8)
    return f"{account}.{number}.{_mac(key, account, number)}"


def number(key: bytes, account: int, cookie: str) -> str:
    """Return the browser's number if the cookie is one of this account, else an empty text."""
    owner, _, rest = cookie[:200].partition(".")
    number, _, mac = rest.partition(".")
    right = owner == str(account) and hmac.compare_digest(mac.encode(), _mac(key, account, number).encode())
    return number if right else ""


def _mac(key: bytes, account: int, number: str) -> str:
    return hmac.new(key, f"known browser {account} {number}".encode(), hashlib.sha256).hexdigest()
