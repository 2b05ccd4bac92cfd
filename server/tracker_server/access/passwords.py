"""Check and hash passwords with argon2."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from .errors import Refused

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_LENGTH = 12
MAX_LENGTH = 1000
"""Characters of a password: enough for every sentence, few enough to hash."""


def hashed(password: str, name: str) -> str:
    """Return the hash of a new password of the account with this name. It takes some 50 ms.

    Raises `Refused` if the password is too short, one of the commonest, or about the name.
    """
    text = _normal(password)
    if len(text) < MIN_LENGTH:
        raise Refused(f"the password needs at least {MIN_LENGTH} characters: a few words are easy to remember")
    if len(text) > MAX_LENGTH:
        raise Refused(f"the password must have at most {MAX_LENGTH:,} characters")
    plain = text.casefold()
    if plain in _common() or len(set(plain)) < 4 or _repeats(plain):
        raise Refused("this password is one of the first that others try: choose another one")
    own = _normal(name).casefold()
    if own in plain and len(plain.replace(own, "")) < MIN_LENGTH // 2:
        raise Refused("the password is too much like the account's name: choose another one")
    return _hasher().hash(text)


def is_right(hash: str | None, password: str) -> bool:
    """Return whether the password is the one with this hash.

    With None, for an account without a password or none at all, it returns False after the same time.
    """
    from argon2.exceptions import Argon2Error, InvalidHashError

    stand_in = _stand_in()
    try:
        _hasher().verify(stand_in if hash is None else hash, _normal(password[: MAX_LENGTH + 1]))
    except (Argon2Error, InvalidHashError):
        return False
    return hash is not None


def is_outdated(hash: str) -> bool:
    """Return whether the hash should be made again, since argon2 recommends stronger parameters by now."""
    return _hasher().check_needs_rehash(hash)


def rehashed(password: str) -> str:
    """Return the hash of a password that is in use already."""
    return _hasher().hash(_normal(password))


def _normal(password: str) -> str:
    """Return the form that is hashed: keyboards differ in how they make the same letter (RFC 8265)."""
    return normalize("NFKC", password.encode("utf-8", "replace").decode())


@functools.cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # takes some ms to import

    return PasswordHasher()


@functools.cache
def _stand_in() -> str:
    return _hasher().hash("no account has this password")


@functools.cache
def _common() -> frozenset[str]:
    """Return the commonest passwords that are long enough, from Django's list (BSD; made by Royce Williams)."""
    return frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split("\n"))


def _repeats(text: str) -> bool:
    """Return whether the text is a short piece over and over, such as `qwertyqwerty`."""
    return any(text == (text[:n] * (len(text) // n + 1))[: len(text)] for n in range(1, 7))
