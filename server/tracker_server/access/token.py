"""Create, store and check the server's access token, which every client must send."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from tracker.machine.atomic_files import SECRET, write_whole

TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,256}")
"""What a token may look like: it is used unescaped in URLs, headers and environment variables."""


class BadToken(ValueError):
    """The token has characters or a length that are not allowed."""


def kept_token(directory: Path) -> str:
    """Return the token in the file `token` of the directory, which is created if needed. Raises `BadToken`."""
    path = directory / "token"
    try:
        token = path.read_text(encoding="utf-8").strip()
        path.chmod(0o600)
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        write_whole(path, f"{token}\n".encode(), SECRET)  # half a token would be easy to guess
    return checked_token(token)


def checked_token(token: str) -> str:
    """Return the token if it is allowed. Raises `BadToken`."""
    if not TOKEN.fullmatch(token):
        raise BadToken(
            "the token must be 8 to 256 letters, digits and . _ ~ - (delete the file `token` to get a new one)"
        )
    return token
