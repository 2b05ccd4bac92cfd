"""Which files `save` means, and what they are called in the run: training process and agent must agree on both."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence

from .machine.paths import absolute, expand, working_directory

POLICIES = ("live", "now", "end")
"""When `save` keeps a file: again whenever it changes, at once, or when the run ends."""


def pattern_of(path: str | os.PathLike[str]) -> str:
    """Return a path or glob as an absolute one, with `~` expanded; the working directory's own name is no glob."""
    text = expand(os.fsdecode(path))
    if os.path.isabs(text) or not glob.has_magic(text) or os.path.isfile(text):
        return absolute(text)
    return os.path.normpath(os.path.join(glob.escape(working_directory()), text))


def find(pattern: str) -> list[str]:
    """Return the files that a path or glob (`**` included) names, sorted; a path that is there is no glob."""
    if os.path.isfile(pattern):
        return [pattern]
    return sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))


def base_of(path: str | os.PathLike[str], base: str | os.PathLike[str] | None) -> str:
    """Return the folder below which files have their names: `base`, by default the working directory, if they lie
    there; else the folder of the file, or the one in which the glob begins.
    """
    chosen = absolute("." if base is None else base)
    text = expand(os.fsdecode(path))
    parts = text.split("/")
    fixed = len(parts) - 1 if os.path.isfile(text) else next((i for i, p in enumerate(parts) if glob.has_magic(p)), -1)
    root = absolute("/".join(parts[:fixed]) or ("/" if text.startswith("/") else "."))
    return chosen if _below(root, chosen) is not None else root


def name_of(path: str, base: str) -> str:
    """Return the name that a file has in the run: its path below `base`, as it is written, or if that leads elsewhere,
    as the folders really are; bare if it lies outside.
    """
    folder, file = os.path.split(absolute(path))
    below = _below(folder, base)
    return file if below is None else os.path.normpath(os.path.join(below, file)).replace(os.sep, "/")


class SavedNames:
    """Which file each name of a run stands for, so that no two different files share one without a word."""

    def __init__(self, own: str, tell: Callable[[str], None]) -> None:
        """Files below the folder `own` are copies that were made to be saved; they stand for nothing else."""
        self._own = f"{own}{os.sep}"
        self._tell = tell
        self._sources: dict[str, str] = {}

    def settle(self, paths: Sequence[str], base: str) -> str:
        """Return the folder below which these files have names that are theirs: `base`, or one above it where another
        file that is still there has such a name. A name whose file is gone passes on. Both are told.
        """
        paths = [path for path in paths if not path.startswith(self._own)]
        chosen, former = base, None
        while taken := next((p for p in paths if self._is_taken(name_of(p, chosen), p)), None):
            if chosen == os.path.dirname(chosen):
                break
            former = former or (taken, name_of(taken, chosen))
            chosen = os.path.dirname(chosen)
        if former is not None:
            path, name = former
            self._tell(f"{path} is saved as {name_of(path, chosen)}, since {name} is {self._sources[name]}")
        for path in paths:
            name = name_of(path, chosen)
            if self._sources.get(name, path) != path and not _same(self._sources[name], path):
                self._tell(f"the saved file {name} is {path} from now on; it was {self._sources[name]}")
            self._sources[name] = path
        return chosen

    def _is_taken(self, name: str, path: str) -> bool:
        source = self._sources.get(name, path)
        return source != path and os.path.exists(source) and not _same(source, path)


class OwnedNames:
    """Names that belong to whoever asked for them first; others get the folders above in front of theirs."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def name(self, path: str, root: str, owner: str | None = None) -> str:
        """Return what the file at `path` is called: its path below `root`, or below a folder above it where another
        owner has that name. `owner` is the file itself unless one is given.
        """
        owner, base = owner or absolute(path), absolute(root)
        name = name_of(path, base)
        while self._owners.setdefault(name, owner) != owner and base != os.path.dirname(base):
            base = os.path.dirname(base)
            name = name_of(path, base)
        return name


def _below(folder: str, base: str) -> str | None:
    """Return the path from `base` to a folder in it; None if it lies elsewhere."""
    for one, other in ((folder, base), (os.path.realpath(folder), os.path.realpath(base))):
        relative = os.path.relpath(one, other) if os.path.isabs(one) else one
        if relative != ".." and not relative.startswith(f"..{os.sep}"):
            return relative
    return None


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
