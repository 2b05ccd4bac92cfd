"""Pin files in a run directory."""

from __future__ import annotations

import os
from typing import Any

from tracker.random_names import random_id
from tracker.runlog.safe_open import is_whole, open_file, open_folder


def pin(directory: str, path: str) -> dict[str, Any]:
    """Put a file into the run directory as it is now, by a hard link or a copy.

    Returns members of a `save` record: its path there and, unless it has holes, its size. Raises OSError.
    """
    kept = f"files/save-{random_id(12)}"
    folder = open_folder(directory, "files")
    try:
        os.link(os.path.realpath(path), kept.removeprefix("files/"), dst_dir_fd=folder)
    except OSError:  # another file system, or one without hard links
        import shutil

        with open(path, "rb") as source, open(open_file(directory, kept, os.O_WRONLY | os.O_CREAT), "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    finally:
        os.close(folder)
    fd = open_file(directory, kept)
    try:
        size = os.fstat(fd).st_size
        return {"path": kept, "size": size} if is_whole(fd, size) else {"path": kept}
    finally:
        os.close(fd)
