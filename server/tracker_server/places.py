"""Where a server keeps its data, and the address that it has noted there for commands."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tracker.machine.atomic_files import SECRET, write_whole
from tracker.machine.paths import user_folder

DATABASE = "tracker.db"
"""The name of the database in the data directory."""

_ADDRESS = "address"
_LONGEST = 2000


class CannotServe(Exception):
    """The server cannot start, or there is no directory to work on; the message says why and what to do."""


def default_directory() -> Path:
    """Return `$XDG_DATA_HOME/tracker`, or `~/.local/share/tracker`. Raises `CannotServe` without a home."""
    root = user_folder("XDG_DATA_HOME", ".local", "share")
    if root is None:
        raise CannotServe("there is no home directory to keep runs in: name a folder with --dir")
    return Path(root, "tracker")


def note_url(directory: Path, url: str) -> None:
    """Note the address at which people reach the server, for links that commands print, also after it has ended."""
    with contextlib.suppress(OSError):  # on a full disk, commands need --url
        write_whole(directory / _ADDRESS, f"{url}\n".encode(), SECRET)


def noted_url(directory: Path) -> str | None:
    """Return the address that the last server on this directory has noted; None if there is none."""
    try:
        with (directory / _ADDRESS).open(encoding="utf-8") as file:
            url = file.read(_LONGEST).strip()
    except (OSError, UnicodeDecodeError):
        return None
    return url if url.startswith(("http://", "https://")) and url.isprintable() else None
