"""Read and change settings files: a directory's `.tracker/settings.toml` and the user's."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.errors import SettingsError, warn_once
from tracker.machine import paths
from tracker.machine.atomic_files import SECRET, write_whole

from . import trust
from .table import BY_NAME

_MOST = 1 << 20  # bytes of a settings file


def directory_file(directory: str | None = None) -> Path:
    """Return the path of the directory's settings file, which may not exist."""
    return Path(directory or ".") / ".tracker" / "settings.toml"


def user_file() -> Path:
    """Return the path of the user's settings file, which may not exist."""
    # Without a home, it is a path where no file can be.
    return Path(paths.user_folder("XDG_CONFIG_HOME", ".config") or os.devnull) / "tracker" / "settings.toml"


def read_directory_file(path: Path, silent: bool = False) -> dict[str, Any]:
    """Return the settings of a directory's file that count: all if the user trusts it, else the harmless ones.

    A warning names the ignored ones once, unless `silent`. Raises `SettingsError`, which names the file and the
    mistake.
    """
    found = trust.read(path)
    values = {} if found is None else _parsed(found.content, path)
    left_out = sorted(set(values) - trust.HARMLESS)
    if found is None or not left_out or trust.is_trusted(path, found):
        return values
    doubt = found.doubt or "you do not trust this file as it is now"
    if not silent:
        warn_once(
            f"{path} sets {', '.join(left_out)}, which is ignored: {doubt}. To use these settings, run `tracker trust` "
            f"in {path.absolute().parent.parent}",
            f"untrusted {path}",
        )
    return {name: value for name, value in values.items() if name in trust.HARMLESS}


def read_file(path: Path) -> dict[str, Any]:
    """Return the settings in a file; {} if there is none.

    Anything but a readable regular file of at most 1 MiB is ignored with one warning. Raises `SettingsError`, which
    names the file and the mistake.
    """
    content = _content(path)
    return {} if content is None else _parsed(content, path)


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        values: dict[str, Any] = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from None
    unknown = sorted(set(values) - set(BY_NAME) - {"keys"})
    if unknown:
        raise SettingsError(f"{path}: there is no setting {', '.join(unknown)}; there are: {', '.join(BY_NAME)}")
    return values


def write_directory_file(path: Path, values: Mapping[str, str | float | bool | None]) -> None:
    """Change settings in a directory's file as `write_file` does, and trust the file.

    Raises `SettingsError` if the file is not the user's, or has settings that are neither harmless nor trusted:
    changing one setting must not trust the others.
    """
    if os.path.islink(path.parent) or os.path.islink(path):
        raise SettingsError(f"{path} is a link or lies behind one: remove the link first")
    found = trust.read(path)
    existing = {} if found is None else _parsed(found.content, path)
    strange = sorted(set(existing) - trust.HARMLESS - set(values))
    if found is not None and (found.doubt or strange) and not trust.is_trusted(path, found):
        what = found.doubt or f"it sets {', '.join(strange)}, and you do not trust it"
        raise SettingsError(f"{path} is not changed: {what}. Run `tracker trust` first, or remove what is not yours")
    write_file(path, values)
    trust.trust(path)


def write_file(path: Path, values: Mapping[str, str | float | bool | Mapping[str, str] | None]) -> None:
    """Change settings in a file and leave its other lines as they are; None removes a setting.

    The file and its directory are made if needed. Only its owner may read the file, since it may hold an API key.
    """
    import json

    def text(value: str | float | bool | Mapping[str, str]) -> str:  # this JSON is valid TOML, too
        if isinstance(value, Mapping):
            return "{ " + ", ".join(f"{text(name)} = {text(one)}" for name, one in value.items()) + " }"
        return json.dumps(value, ensure_ascii=False)

    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for name, value in values.items():
        lines = [line for line in lines if not re.match(rf"\s*{name}\s*=", line)]
        if value is not None:
            lines.insert(0, f"{name} = {text(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(line + "\n" for line in lines).encode(), SECRET)


def _content(path: Path) -> bytes | None:
    """Return the bytes of a regular file; None if there is none, with a warning if it is something else."""
    try:
        # Opening a pipe of this name must not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if os.path.lexists(path) and not isinstance(error, FileNotFoundError):
            warn_once(f"{path} is ignored: {error.strerror}")
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            warn_once(f"{path} is ignored: it is not a file")
        elif status.st_size > _MOST:
            warn_once(f"{path} is ignored: it has {status.st_size:,} bytes, and settings need no more than {_MOST:,}")
        else:
            return os.read(descriptor, _MOST)
    except OSError as error:
        warn_once(f"{path} is ignored: {error.strerror}")
    finally:
        os.close(descriptor)
    return None
