"""Represent a file that was saved with a run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from tracker.machine.paths import expand
from tracker.names import is_reserved


class File:
    """A file that was saved with a run: its `name`, `size` in bytes, and `digest` (sha256, lower-case hex)."""

    def __init__(self, name: str, size: int, digest: str, fetch: Callable[[Path], None]) -> None:
        """`fetch` writes the content to a path, whole or not at all."""
        self.name = name
        self.size = size
        self.digest = digest
        self._fetch = fetch

    def download(self, root: str | os.PathLike[str] = ".", replace: bool = False) -> Path:
        """Write the file below `root`, in the folders that its name contains, and return its path.

        The file appears whole and verified by its digest, or not at all. Memory stays small however large it is, and an
        interrupted download continues where it stopped.

        Args:
            root: The directory to write to; it is made if it does not exist.
            replace: Overwrite an existing file.

        Raises:
            FileExistsError: The file exists and `replace` is not set.
            ValueError: The name would lead out of `root`, or into `.git` or `.tracker`.
            TrackerError: The content is damaged.
            Unreachable: The server does not answer.
        """
        target = self.target(root)
        if target.exists() and not replace:
            raise FileExistsError(f"{target} exists already; pass replace=True to overwrite it")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.copy_to(target)
        return target

    def copy_to(self, path: Path) -> None:
        """Write the content to `path` as `download` does, and replace an existing file."""
        self._fetch(path)

    def target(self, root: str | os.PathLike[str] = ".") -> Path:
        """Return where `download` would write the file. Raises ValueError if the name would lead out of `root`."""
        base = Path(expand(root)).resolve()
        target = (base / self.name).resolve()
        if base not in target.parents:  # names come from whoever logged the run
            raise ValueError(f"the file's name {self.name!r} leads out of {base}; the file is not written")
        if any(map(is_reserved, [*self.name.split("/"), *target.relative_to(base).parts])):
            raise ValueError(
                f"the file's name {self.name!r} leads to settings of git or tracker; the file is not written"
            )
        return target

    def is_at(self, path: Path) -> bool:
        """Tell whether the file at `path` has the same content."""
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
