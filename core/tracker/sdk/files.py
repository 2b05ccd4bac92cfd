"""Pin files in a run directory."""

from __future__ import annotations

import os

from tracker.names import random_id


def pin(directory: str, path: str) -> str:
    """Make a file as it is now part of the run directory, and return where it is there. Raises OSError."""
    kept = f"files/save-{random_id(12)}"
    target = os.path.join(directory, kept)
    try:
        os.link(os.path.realpath(path), target)
    except OSError:  # another file system, or one without hard links
        import shutil

        shutil.copyfile(path, target)
    return kept
