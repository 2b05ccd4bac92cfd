"""Write files under names that came with a run. The run may be someone else's: a name is data, and never trusted."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from tracker.names import is_reserved


class Refused(Exception):
    """A file is not written under this name; the text says why."""


class Tree:
    """A directory that nobody else writes in, to be filled."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str, ours: bool = False) -> Path:
        """Return a folder (`.` for the directory itself), made if it is not there. Raises `Refused` if something else
        is in the way, as a link is, or if the name leads out of the directory or to where git or tracker keep what is
        theirs, unless it is `ours`.
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
                    raise Refused(f"{folder.relative_to(self.root)} is no folder, but a link or a file") from None
            except OSError as error:
                raise Refused(error.strerror or str(error)) from None
        return folder

    def place(self, name: str, ours: bool = False) -> Path:
        """Return where a new file of that name goes, in a folder that exists now. Raises `Refused` as `folder` does, or
        if there is something already.
        """
        above, _, last = name.rpartition("/")
        _check(last, ours)
        target = (self.folder(above, ours) if "/" in name else self.root) / last
        if os.path.lexists(target):
            raise Refused("there is such a file already")
        return target

    def write(self, name: str, content: Callable[[Path], None], ours: bool = False) -> Path:
        """Let `content` write a new file. Raises `Refused` as `place` does, or where the system does not take it."""
        target = self.place(name, ours)
        try:
            content(target)
        except OSError as error:
            raise Refused(error.strerror or str(error)) from None
        _let_run(target)
        return target


def _check(part: str, ours: bool) -> None:
    if part in ("", ".", "..") or "\0" in part or (is_reserved(part) and not ours):
        raise Refused("its name leads to where no file of a run belongs")


def _let_run(path: Path) -> None:
    """Make a script that names its interpreter executable: what modes files had is not kept."""
    with path.open("rb") as file:
        if file.read(2) == b"#!":
            path.chmod(path.stat().st_mode | 0o111 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
