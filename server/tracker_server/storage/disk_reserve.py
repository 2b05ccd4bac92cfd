"""Keep some disk space in reserve, so that runs can still be deleted when the disk is full."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_SIZE = 8 * 1024 * 1024


class DiskReserve:
    """A file of some megabytes that is deleted when the disk is full, so that runs can still be deleted."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + "-reserve")

    def fill(self) -> None:
        """Reserve the space, if there is enough."""
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size >= _SIZE:
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _SIZE)
            except OSError:
                self._path.unlink(missing_ok=True)  # a part of it would only take space from others
            finally:
                os.close(descriptor)

    def release(self) -> bool:
        """Free the reserved space; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
