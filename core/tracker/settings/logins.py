"""Remember what `tracker login` did for each server: the account of its key, and whether it made that key.

`logins.json` lies beside the user's settings and holds no secret. A file of its own, since earlier versions of tracker
refuse settings that they do not know.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from tracker.machine.atomic_files import SECRET, write_whole

from .credentials import same
from .files import user_file

_KEY = re.compile(r"trk_([A-Za-z0-9]{8})_[A-Za-z0-9]+")
_LONGEST = 1 << 20  # bytes


class Login(NamedTuple):
    """A key that this user has stored for a server with accounts."""

    key: str
    """The key's id, which is no secret."""
    entity: str
    """The account, or the team of a service key: the entity of runs, unless a setting names another."""
    made: bool
    """Whether `tracker login` had the server make the key, so that `tracker logout` may revoke it."""


def key_id(key: str | None) -> str | None:
    """Return the id in an API key; None if it is not one, like the token of a personal server."""
    found = _KEY.fullmatch(key or "")
    return found[1] if found is not None else None


def login_for(base_url: str | None, key: str | None) -> Login | None:
    """Return what is remembered of this key for this address; None if nothing is."""
    name = key_id(key)
    if name is None or base_url is None:
        return None
    return next((login for url, login in _read().items() if same(url, base_url) and login.key == name), None)


def remember(base_url: str, login: Login | None) -> None:
    """Replace what is remembered for an address; with None, forget it. Raises OSError."""
    former = _read()
    logins = {url: one for url, one in former.items() if not same(url, base_url)}
    if login is not None:
        logins[base_url] = login
    if logins == former:
        return
    _path().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_path(), json.dumps({url: one._asdict() for url, one in logins.items()}).encode(), SECRET)


def _path() -> Path:
    return user_file().with_name("logins.json")


def _read() -> dict[str, Login]:
    try:
        with _path().open("rb") as file:
            return {url: _login(one) for url, one in json.loads(file.read(_LONGEST)).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _login(one: dict[str, Any]) -> Login:
    return Login(str(one["key"]), str(one["entity"]), one["made"] is True)
