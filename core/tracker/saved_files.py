"""Find the files that `save` names, and choose their names in the run: for the training process and the agent."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence

from .machine.paths import absolute, expand, working_directory

POLICIES = ("live", "now", "end")
"""When `save` keeps a file: again whenever it changes, at once, or when the run ends."""


def pattern_of(path: str | os.PathLike[str]) -> str:
    """Return an absolute path or glob, with `~` expanded. Wildcards in the working directory's own name are escaped."""
    text = expand(os.fsdecode(path))
    if os.path.isabs(text) or not glob.has_magic(text) or os.path.isfile(text):
        return absolute(text)
    return os.path.normpath(os.path.join(glob.escape(working_directory()), text))


def find(pattern: str) -> list[str]:
    """Return the files that match a path or glob (`**` included), sorted. A path that exists is not a glob."""
    if os.path.isfile(pattern):
        return [pattern]
    return sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))


def base_of(path: str | os.PathLike[str], base: str | os.PathLike[str] | None) -> str:
    """Return the folder that the names of files are relative to.

    It is `base`, by default the working directory, if the files are below it; else the folder of the file, or the one
    in which the glob begins.
    """
    chosen = absolute("." if base is None else base)
    text = expand(os.fsdecode(path))
    parts = text.split("/")
    fixed = len(parts) - 1 if os.path.isfile(text) else next((i for i, p in enumerate(parts) if glob.has_magic(p)), -1)
    root = absolute("/".join(parts[:fixed]) or ("/" if text.startswith("/") else "."))
    return chosen if _below(root, chosen) is not None else root


def name_of(path: str, base: str) -> str:
    """Return the name of a file in the run: its path below `base`, as written or with links resolved.

    A file outside of `base` has its bare name.
    """
    folder, file = os.path.split(absolute(path))
    below = _below(folder, base)
    return file if below is None else os.path.normpath(os.path.join(below, file)).replace(os.sep, "/")


class SavedNames:
    """Know which file each name of a run stands for, so that two files never share a name without a warning."""

    def __init__(self, own: str, warn: Callable[[str], None]) -> None:
        """Args: `own`: a folder of copies that were made to be saved, which need no names; `warn`: prints a warning."""
        self._own = f"{own}{os.sep}"
        self._warn = warn
        self._sources: dict[str, str] = {}

    def choose_base(self, paths: Sequence[str], base: str) -> str:
        """Return the folder that the names of these files are relative to, so that no two files share a name.

        It is `base`, or a folder above it if another existing file has one of the names. A name whose file is gone
        goes to the new file. Both cases are reported.
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
            self._warn(f"{path} is saved as {name_of(path, chosen)}, since {name} stands for {self._sources[name]}")
        for path in paths:
            name = name_of(path, chosen)
            if self._sources.get(name, path) != path and not _same(self._sources[name], path):
                self._warn(f"from now on, the saved file {name} is {path}; it was {self._sources[name]}")
            self._sources[name] = path
        return chosen

    def _is_taken(self, name: str, path: str) -> bool:
        source = self._sources.get(name, path)
        return source != path and os.path.exists(source) and not _same(source, path)


class OwnedNames:
    """Give each file a name of its own: the first owner gets the short name, others get folders in front of it."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def name(self, path: str, root: str, owner: str | None = None) -> str:
        """Return the name of the file at `path`.

        It is the path below `root`, or below a folder above it if another owner has the name. `owner` is by default the
        file itself.
        """
        owner, base = owner or absolute(path), absolute(root)
        name = name_of(path, base)
        while self._owners.setdefault(name, owner) != owner and base != os.path.dirname(base):
            base = os.path.dirname(base)
            name = name_of(path, base)
        return name


def _below(folder: str, base: str) -> str | None:
    """Return the path from `base` to a folder below it; None if it is elsewhere."""
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
