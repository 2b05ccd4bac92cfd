"""Keep files and content in a run directory."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os

from tracker.errors import warn_once
from tracker.names import random_id


def store(directory: str, content: bytes) -> str:
    """Write content to `files/<sha256>` of the run directory, unless it is there, and return the digest."""
    digest = hashlib.sha256(content).hexdigest()
    path = os.path.join(directory, "files", digest)
    if not os.path.exists(path):
        part = f"{path}.{random_id()}"
        try:
            with open(part, "wb") as file:
                file.write(content)
            os.replace(part, path)  # readers never see half a file
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(part)  # half a file must not fill a disk that is full
            raise
    return digest


def matches(glob_or_path: str | os.PathLike[str]) -> list[str]:
    """Return the files that a path or glob (`**` included) names; warns if there are none."""
    pattern = os.fspath(glob_or_path)
    if os.path.isfile(pattern):
        return [pattern]
    found = sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))
    if not found:
        warn_once(f"save({pattern!r}) matches no file; nothing was saved")
    return found


def name_of(path: str, base: str | os.PathLike[str] | None) -> str:
    """Return the name that a file has in the run: relative to `base` (the working directory), or bare if it lies
    outside.
    """
    root = os.path.realpath(os.getcwd() if base is None else os.fspath(base))
    relative = os.path.relpath(os.path.realpath(path), root)
    return os.path.basename(path) if relative.startswith("..") else relative.replace(os.sep, "/")


def pin(directory: str, path: str) -> str:
    """Make a file as it is now part of the run directory, and return where it is there. Raises OSError."""
    kept = f"files/save-{random_id(12)}"
    target = os.path.join(directory, kept)
    try:
        os.link(os.path.realpath(path), target)
    except OSError:  # another file system, or one without hard links
        import shutil

        shutil.copyfile(path, target)
    return kept
