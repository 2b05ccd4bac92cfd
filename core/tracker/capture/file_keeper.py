"""Decide about each captured file: kept with the run, kept on this machine only, or left out and why."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from tracker.runlog.safe_open import remove, write_new

from .redact import holds_secret, is_secret_file

MAX_FILES = 300
"""How many untracked files a run keeps at most."""
MAX_TOTAL = 10 * 1024 * 1024
"""How many bytes of untracked files it keeps at most."""

_MOST_REASONS = 50
_SOURCES = frozenset(
    ".py .ipynb .sh .bash .yaml .yml .toml .json .cfg .ini .conf .txt .md .rst .c .h .cc .cpp .cu .cuh .rs .go .jl .r "
    ".lua .java .js .ts .sql .gin .proto .pyx .pyi".split()
)


class Keeper:
    """Takes captured files by name; `names`, `local` and `left_out` say what happened to them."""

    def __init__(
        self, store: Callable[[str, bytes], None], directory: Path, globs: Iterable[str], limit: int, known: list[str]
    ) -> None:
        """`store` keeps content under a name with the run and may raise OSError. Files that match one of `globs` go
        only to `local/` of the run directory. `limit`: bytes of a file. `known`: values that are secrets.
        """
        self._store = store
        self._directory = directory
        self._globs = list(globs)
        self._limit = limit
        self._known = known
        self._unnamed = 0
        self.names: list[str] = []
        self.local: list[str] = []
        self.left_out: dict[str, str] = {}

    def leave(self, name: str, reason: str) -> None:
        """Note that something was left out. Only the first ones are named; the others are counted."""
        if len(self.left_out) < _MOST_REASONS or name in self.left_out:
            self.left_out[name] = reason
        else:
            self._unnamed += 1
            self.left_out["…"] = f"{self._unnamed} more"

    def keep(self, name: str, content: bytes) -> None:
        """Keep content under a name."""
        try:
            if any(fnmatchcase(name, glob) for glob in self._globs):
                self._directory.mkdir(parents=True, exist_ok=True)
                remove(self._directory, f"local/{name}")
                write_new(self._directory, f"local/{name}", content)
                self.local.append(name)
            else:
                self._store(name, content)
                self.names.append(name)
        except OSError as error:
            self.leave(name, str(error))

    def keep_patch(self, name: str, patch: bytes) -> None:
        """Keep the output of `git diff`, unless it is empty, without the parts about files that may hold secrets."""
        kept = []
        for section in re.split(rb"^diff --git ", patch, flags=re.MULTILINE)[1:]:
            # a/NAME b/NAME, since renames are off: half of the line is the name, even with spaces in it.
            line = section.split(b"\n", 1)[0]
            path = os.fsdecode(line[: len(line) // 2].strip(b'"').removeprefix(b"a/"))
            reason = self._secret(path, section)
            if reason is None:
                kept.append(b"diff --git " + section)
            else:
                self.leave(f"{name}: {path}", reason)
        if kept:
            self.keep(name, b"".join(kept))

    def keep_file(self, name: str, path: str) -> None:
        """Keep a file, unless it is large, a link, or may hold secrets. `name` ends as `path` does."""
        try:
            about = os.lstat(path)
            if not stat.S_ISREG(about.st_mode):
                return self.leave(name, "not a regular file")
            if about.st_size > self._limit:
                return self.leave(name, f"{about.st_size} bytes, more than capture_limit")
            # O_NOFOLLOW, and at most the limit: the file may have been replaced or have grown.
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                content = file.read(self._limit + 1)[: self._limit]
        except OSError as error:
            return self.leave(name, error.strerror or str(error))
        reason = self._secret(name, content)
        if reason is not None:
            return self.leave(name, reason)
        return self.keep(name, content)

    def keep_untracked(self, root: str, paths: Iterable[str]) -> None:
        """Keep files of a directory under `untracked/`: source code first, then the smallest, up to the limits."""
        sizes = {}
        for path in paths:
            if path.endswith("/"):
                self.leave(f"untracked/{path}", "a repository of its own")
            elif ".tracker" not in path.split("/"):  # tracker's own files are not part of the work
                try:
                    sizes[path] = os.lstat(os.path.join(root, path)).st_size
                except OSError:
                    continue  # it is gone
        taken, total = 0, 0
        for path in sorted(sizes, key=lambda p: (os.path.splitext(p)[1].lower() not in _SOURCES, sizes[p], p)):
            if taken >= MAX_FILES or total + min(sizes[path], self._limit) > MAX_TOTAL:
                self.leave(f"untracked/{path}", f"more than {MAX_FILES} files or {MAX_TOTAL >> 20} MiB are untracked")
                continue
            before = len(self.names) + len(self.local)
            self.keep_file(f"untracked/{path}", os.path.join(root, path))
            if len(self.names) + len(self.local) > before:
                taken, total = taken + 1, total + sizes[path]

    def _secret(self, path: str, content: bytes) -> str | None:
        if is_secret_file(path):
            return "its name is one of files that keep secrets"
        return "it holds what looks like a key or password" if holds_secret(content, self._known, path) else None
