"""The server's token: what every client shows. It is made once and kept in the data directory."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,256}")
"""A token goes into URLs, headers and environment variables as it is."""


class BadToken(ValueError):
    """The token has characters, or a length, that a token may not have."""


def kept_token(directory: Path) -> str:
    """Return the token in the file `token` of the directory, which is made if it is not there. Raises `BadToken`."""
    path = directory / "token"
    try:
        token = path.read_text(encoding="utf-8").strip()
        path.chmod(0o600)
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        # Whole or not at all: half a token would be easy to guess.
        draft = directory / "token.new"
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
        draft.replace(path)
    return checked_token(token)


def checked_token(token: str) -> str:
    """Return the token. Raises `BadToken`."""
    if not TOKEN.fullmatch(token):
        raise BadToken("the token must be 8 to 256 letters, digits and . _ ~ - (remove the file `token` for a new one)")
    return token
