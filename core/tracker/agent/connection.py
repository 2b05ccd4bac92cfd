"""Find the server and the key for a run, and look again whenever they may have changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.client import Client
from tracker.discovery import find, folder, resolve
from tracker.errors import SettingsError
from tracker.settings import Settings, credentials, directory_file, read_file, user_file


class Connection:
    """Holds the server's address and key by the present settings.

    Arguments and variables of the run's process stay. Everything else is looked up again when a settings file changes,
    or when a server on this machine comes or goes. If the server refuses a given key, a key that the user has stored
    for this address since then replaces it.
    """

    def __init__(self, given: Mapping[str, Any], settings: Settings) -> None:
        """`given`: the arguments of `Settings` that `settings` was made from."""
        self._given = given
        self._settings = settings
        self._refused: set[tuple[str, str | None]] = set()
        self._mark = self._look()
        self.current: tuple[str | None, str | None] = self._resolve()
        """Address and key."""

    def changed(self) -> bool:
        """Update `current`; tell whether the address or the key has changed."""
        mark = self._look()
        if mark == self._mark and self.current[0] is not None:
            return False
        self._mark = mark
        return self.look_up()

    def refused(self) -> bool:
        """Note that the server refuses the key; tell whether `current` now has another one.

        Once all keys are refused, they are tried again one after the other: any of them may get its rights back.
        """
        if self.current[0] is not None:
            self._refused.add((self.current[0], self.current[1]))
        changed = self.look_up()
        if not changed:
            self._refused.clear()
        return changed

    def client(self) -> Client | None:
        """Return a client for `current`; None while no server is known."""
        base_url, api_key = self.current
        return None if base_url is None else Client(base_url, api_key, self._settings.upload_timeout)

    def look_up(self) -> bool:
        """Look up the address and the key; tell whether they have changed."""
        try:
            found = self._resolve()
        except SettingsError:  # a file that is being edited
            return False
        changed, self.current = found != self.current, found
        return changed

    def _resolve(self) -> tuple[str | None, str | None]:
        settings = Settings(self._given)
        base_url, api_key = resolve(settings.base_url, settings.api_key)
        if base_url is not None and (base_url, api_key) in self._refused:
            stored = [key for key in _stored(base_url) if (base_url, key) not in self._refused]
            if stored:
                api_key = stored[0]
        return base_url, api_key

    def _look(self) -> list[tuple[int, int, int] | None]:
        """Return a value that changes when one of the files does."""
        try:
            servers = folder()
        except RuntimeError:  # a user without a home
            servers = None
        return [_identity(path) for path in (user_file(), directory_file(self._settings.dir), servers)]


def _stored(base_url: str) -> list[str]:
    """Return the keys that this user has stored for an address."""
    user, server = credentials.given("", read_file(user_file())), find()
    found = credentials.key_for(base_url, None, [user])
    keys = [] if found is None else [found[0]]
    if server is not None and server.url == base_url:
        keys.append(server.token)
    return keys


def _identity(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
