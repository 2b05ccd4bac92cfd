"""A file that is kept with a run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from tracker.machine.paths import expand
from tracker.names import is_reserved


class File:
    """A named file of a run: `name`, `size` in bytes, `digest` (sha256, lower-case hex)."""

    def __init__(self, name: str, size: int, digest: str, fetch: Callable[[Path], None]) -> None:
        """`fetch` writes the content to a path, whole or not at all."""
        self.name = name
        self.size = size
        self.digest = digest
        self._fetch = fetch

    def download(self, root: str | os.PathLike[str] = ".", replace: bool = False) -> Path:
        """Write the file under `root`, in the folders that its name says, and return the path.

        Memory stays small however large the file is; it appears whole and with its digest verified, or not at all, and
        a connection that breaks off is taken up where it broke. Raises FileExistsError if it is there and `replace` is
        not set, ValueError if the name would lead out of `root` or into `.git` or `.tracker`, `TrackerError` if the
        content is damaged.
        """
        target = self.target(root)
        if target.exists() and not replace:
            raise FileExistsError(f"{target} is there already; pass replace=True to overwrite it")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.copy_to(target)
        return target

    def copy_to(self, path: Path) -> None:
        """Write the content to `path`, whatever the file is called; as `download`, and a former file is replaced."""
        self._fetch(path)

    def target(self, root: str | os.PathLike[str] = ".") -> Path:
        """Return where `download` would write the file. Raises ValueError if the name would lead out of `root`."""
        base = Path(expand(root)).resolve()
        target = (base / self.name).resolve()
        if base not in target.parents:  # names come from whoever logged the run
            raise ValueError(f"the file's name {self.name!r} leads out of {base}; it is not written")
        if any(map(is_reserved, [*self.name.split("/"), *target.relative_to(base).parts])):
            raise ValueError(
                f"the file's name {self.name!r} leads to where git or tracker keep settings; it is not written"
            )
        return target

    def is_at(self, path: Path) -> bool:
        """Tell whether the file at `path` is this one."""
        try:
            if path.stat().st_size != self.size:
                return False
            sha = hashlib.sha256()
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    sha.update(piece)
        except FileNotFoundError:
            return False
        return sha.hexdigest() == self.digest

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.size} bytes)"
