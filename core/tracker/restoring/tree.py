"""Write files under names that came with a run. The run may be someone else's: a name is data, and never trusted."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path


class Refused(Exception):
    """A file is not written under this name; the text says why."""


class Tree:
    """A directory that nobody else writes in, to be filled."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        """Return a folder (`.` for the directory itself), made if it is not there. Raises `Refused` if something else
        is in the way, as a link is, or if the name leads out of the directory or to where git keeps its own.
        """
        if name == ".":
            return self.root
        folder = self.root
        for part in name.split("/"):
            _check(part)
            folder = folder / part
            try:
                os.mkdir(folder)
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(folder).st_mode):
                    raise Refused(f"{folder.relative_to(self.root)} is no folder, but a link or a file") from None
            except OSError as error:
                raise Refused(error.strerror or str(error)) from None
        return folder

    def place(self, name: str) -> Path:
        """Return where a new file of that name goes, in a folder that exists now. Raises `Refused` as `folder` does, or
        if there is something already.
        """
        above, _, last = name.rpartition("/")
        _check(last)
        target = (self.folder(above) if "/" in name else self.root) / last
        if os.path.lexists(target):
            raise Refused("there is such a file already")
        return target

    def write(self, name: str, content: Callable[[Path], None]) -> Path:
        """Let `content` write a new file. Raises `Refused` as `place` does, or where the system does not take it."""
        target = self.place(name)
        try:
            content(target)
        except OSError as error:
            raise Refused(error.strerror or str(error)) from None
        _let_run(target)
        return target


def _check(part: str) -> None:
    if part in ("", ".", "..") or "\0" in part or _is_of_git(part):
        raise Refused("its name leads to where no file of a run belongs")


def _is_of_git(part: str) -> bool:
    """Tell whether some file system takes a name for `.git`: they differ in case, dots, spaces and invisible characters
    (CVE-2014-9390, CVE-2019-1352).
    """
    plain = re.sub(r"[^\x21-\x7e]", "", part).casefold().split(":")[0].rstrip(".")
    return plain == ".git" or re.fullmatch(r"git~\d", plain) is not None


def _let_run(path: Path) -> None:
    """Make a script that names its interpreter executable: what modes files had is not kept."""
    with path.open("rb") as file:
        if file.read(2) == b"#!":
            path.chmod(path.stat().st_mode | 0o111 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
