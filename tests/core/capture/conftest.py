from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.core.capture.repositories import Work
from tracker.capture import environment
from tracker.capture.file_keeper import Keeper
from tracker.capture.git import Deadline
from tracker.settings import Settings


class Gathered(NamedTuple):
    """An environment, and its files."""

    environment: dict[str, Any]
    files: dict[str, bytes]

    @property
    def left_out(self) -> dict[str, str]:
        """Return what was left out, and why."""
        found: dict[str, str] = self.environment.get("left_out", {})
        return found


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Make a repository with one commit of a script and a note."""
    made = Work(tmp_path / "repository")
    made.commit(train__py="print(1)\n", notes__txt="one\ntwo\nthree\n")
    return made


@pytest.fixture
def keep(tmp_path: Path) -> Callable[..., tuple[Keeper, dict[str, bytes]]]:
    """Make a keeper, and the dict of the files that it keeps."""

    def make(globs: tuple[str, ...] = (), limit: int = 1 << 20, known: list[str] | None = None) -> Any:
        files: dict[str, bytes] = {}
        return Keeper(files.__setitem__, tmp_path / "run", globs, limit, known or []), files

    return make


@pytest.fixture
def capture(tmp_path: Path) -> Callable[..., Gathered]:
    """Capture what an agent would about a process; by default only the git part."""

    def gathered(cwd: Path, program: Path | None = None, seconds: float = 60.0, **settings: Any) -> Gathered:
        process = {"cwd": str(cwd), **({"program": str(program)} if program else {}), **settings.pop("process", {})}
        resolved = Settings({"capture": ["git", "diff", "untracked"], **settings})
        files: dict[str, bytes] = {}
        limit = int(resolved.capture_limit * (1 << 20))
        keeper = Keeper(files.__setitem__, tmp_path / "run", resolved.ignore_globs or (), limit, [])
        header = {"process": process, "host": "box", "python": "3.12.1"}
        return Gathered(environment.environment(header, resolved, Deadline(seconds), keeper), files)

    return gathered
