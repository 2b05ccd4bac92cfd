"""Decide which settings of a directory apply: the directory may come from someone else.

Settings in `.tracker/settings.toml` that name and describe runs always count (`HARMLESS`). All others decide where runs
and keys go, what is stored about a machine, or what a program does. They count only if the user trusts the file
(`tracker trust`), or made it with `tracker init`, `on` or `off`. Trust covers only these bytes at this path.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from tracker.errors import SettingsError, warn_once
from tracker.machine.atomic_files import SECRET, write_whole
from tracker.machine.state_folder import state_folder
from tracker.runlog.safe_open import Unsafe, open_file

HARMLESS = frozenset("project entity name group job_type tags notes color".split())
"""Settings that only name and describe runs."""

_LONGEST = 1 << 20  # bytes of a settings file


class Found(NamedTuple):
    """A directory's settings file."""

    content: bytes
    doubt: str | None
    """Why it cannot be trusted; None if it can."""


def read(path: Path) -> Found | None:
    """Read a directory's settings file; return None if there is none.

    Anything but a regular file is ignored with one warning. Links are not followed: a directory from someone else must
    not choose which file is read.
    """
    try:
        fd = open_file(path.parent.parent, f"{path.parent.name}/{path.name}")
    except FileNotFoundError:
        return None
    except Unsafe:
        if os.path.lexists(path) or os.path.islink(path.parent):
            warn_once(f"{path} is ignored: it is a link, lies behind one, or is not a file")
        return None
    except OSError as error:
        warn_once(f"{path} is ignored: {error.strerror}")
        return None
    with open(fd, "rb") as file:
        about = os.fstat(fd)
        content = file.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        warn_once(f"{path} is ignored: it has more than {_LONGEST:,} bytes")
        return None
    doubt = None
    if about.st_uid != os.geteuid():
        doubt = "it belongs to another user"
    elif about.st_mode & 0o022:
        doubt = "others may write to it (chmod go-w)"
    return Found(content, doubt)


def is_trusted(path: Path, found: Found) -> bool:
    """Tell whether the user trusts this file as it is now."""
    if found.doubt is not None:
        return False
    try:
        return _note(path).read_text().split("\n")[0] == _digest(found.content)
    except (OSError, RuntimeError, UnicodeDecodeError):
        return False


def trust(path: Path) -> None:
    """Trust a directory's settings file as it is now.

    Raises `SettingsError` if there is none, if others can change it, or if the trust cannot be stored.
    """
    found = read(path)
    if found is None:
        raise SettingsError(f"there is no {path}")
    if found.doubt is not None:
        raise SettingsError(f"{path} cannot be trusted: {found.doubt}")
    try:
        note = _note(path)
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(note, os.fsencode(f"{_digest(found.content)}\n{os.path.realpath(path)}\n"), SECRET)
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"the trust in {path} cannot be stored ({error})") from None


def distrust(path: Path) -> None:
    """Stop trusting a directory's settings file. Raises `SettingsError` if that cannot be stored."""
    try:
        _note(path).unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"the trust in {path} cannot be removed ({error})") from None


def _note(path: Path) -> Path:
    place = os.path.realpath(path).encode("utf-8", "surrogateescape")
    return state_folder() / "trusted" / hashlib.sha256(place).hexdigest()[:40]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
