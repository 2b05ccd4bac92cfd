"""Remove the directories of runs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path


def remove_run(directory: str | Path) -> None:
    """Remove a run directory at once, whatever its agent is about to write there."""
    rubbish = Path(tempfile.mkdtemp(dir=Path(directory).parents[1]))
    Path(directory).rename(rubbish / "run")  # whoever looks for it by its path finds it gone
    shutil.rmtree(rubbish, ignore_errors=True)  # whoever has it open may still add a file
