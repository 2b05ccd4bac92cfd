"""Lock a data directory, so that one process at a time serves it or migrates its database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DirectoryInUse(Exception):
    """Another process holds the lock; `process` says which, as far as known: ` (process 123)`."""

    def __init__(self, process: str) -> None:
        super().__init__(f"another process{process} uses the directory")
        self.process = process


@contextmanager
def sole_use(directory: Path) -> Iterator[None]:
    """Hold the lock of the directory. Raises `DirectoryInUse`.

    Every server of every version holds it from before it opens the database until it has closed it.
    """
    path = directory / "server.lock"
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = file.read(32).strip()
            raise DirectoryInUse(f" (process {pid})" if pid else "") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
