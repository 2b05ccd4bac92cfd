"""Write files under the names that a run gives them, without trust: the run may be someone else's."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from tracker.names import is_reserved


class Refused(Exception):
    """A file was not written under this name; the text says why."""


class Tree:
    """Write files to a directory that nobody else writes to."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str, ours: bool = False) -> Path:
        """Return a folder, which is made if it is missing; `.` is the directory itself.

        Raises `Refused` if a link or a file is in the way, or if the name leads out of the directory. Names
        of settings of git or tracker are refused, too, unless `ours` is set.
        """
        if name == ".":
            return self.root
        folder = self.root
        for part in name.split("/"):
            _check(part, ours)
            folder = folder / part
            try:
                os.mkdir(folder)
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(folder).st_mode):
                    raise Refused(f"{folder.relative_to(self.root)} is a link or a file, not a folder") from None
            except OSError as error:
                raise Refused(error.strerror or str(error)) from None
        return folder

    def place(self, name: str, ours: bool = False) -> Path:
        """Return the path for a new file, after making its folder.

        Raises `Refused` as `folder` does, and if something has this name already.
        """
        above, _, last = name.rpartition("/")
        _check(last, ours)
        target = (self.folder(above, ours) if "/" in name else self.root) / last
        if os.path.lexists(target):
            raise Refused("a file of this name exists already")
        return target

    def write(self, name: str, content: Callable[[Path], None], ours: bool = False) -> Path:
        """Let `content` write a new file. Raises `Refused` as `place` does, and if the system refuses the file."""
        target = self.place(name, ours)
        try:
            content(target)
        except OSError as error:
            raise Refused(error.strerror or str(error)) from None
        _let_run(target)
        return target


def _check(part: str, ours: bool) -> None:
    if part in ("", ".", "..") or "\0" in part or (is_reserved(part) and not ours):
        raise Refused("its name leads to a place where files of a run do not belong")


def _let_run(path: Path) -> None:
    """Make a script with a `#!` line executable, since runs do not store the modes of files."""
    with path.open("rb") as file:
        if file.read(2) == b"#!":
            path.chmod(path.stat().st_mode | 0o111 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
