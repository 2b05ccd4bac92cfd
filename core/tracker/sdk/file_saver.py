"""Save files with a run: pin them as they are now, or ask the agent to follow them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from tracker.agent_protocol.sealing import seal
from tracker.errors import warn_once
from tracker.machine.paths import absolute
from tracker.random_names import random_id
from tracker.saved_files import POLICIES, SavedNames, base_of, find, name_of, pattern_of

from .pin import pin


class FileSaver:
    """Implements `Run.save` and `Run.log_code`."""

    def __init__(self, directory: str, run_id: str, write: Callable[[str, Any], None]) -> None:
        """`write` appends a record to the run's log."""
        self._directory = directory
        self._run_id = run_id
        self._write = write
        self._names = SavedNames(os.path.dirname(directory), warn_once)
        self._followed: set[str] = set()

    def save(
        self, glob_or_path: str | os.PathLike[str] | None, base_path: str | os.PathLike[str] | None, policy: str
    ) -> list[str]:
        """Save the files and return their names; see `Run.save`."""
        if policy not in POLICIES:
            raise ValueError(f"policy {policy!r} must be one of {', '.join(POLICIES)}")
        if glob_or_path is None:
            return []
        pattern = pattern_of(glob_or_path)
        paths = find(pattern)
        base = self._names.choose_base(paths, base_of(glob_or_path, base_path))
        if policy != "now" and self._follow(pattern, base, policy):
            return [name_of(path, base) for path in paths]
        if not paths:
            warn_once(f"save({os.fspath(glob_or_path)!r}) matches no file; nothing was saved")
        saved = []
        for path in paths:
            name = name_of(path, base)
            try:
                self._write("save", {"name": name, **pin(self._directory, path)})
                saved.append(name)
            except OSError as error:
                warn_once(f"save({path!r}) failed ({error}); training goes on without it")
        return saved

    def _follow(self, glob: str, base: str, policy: str) -> bool:
        """Ask the agent to take the files later; tell whether it will."""
        try:
            mark = seal(self._run_id, policy, glob, base)
        except OSError as error:
            warn_once(f"save() takes files as they are now: the key for the policy {policy} cannot be stored ({error})")
            return False
        if mark not in self._followed:  # a loop may repeat the call
            self._followed.add(mark)
            self._write("save", {"policy": policy, "glob": glob, "base": base, "seal": mark})
        return True

    def log_code(self, root: str | os.PathLike[str], globs: Iterable[str]) -> None:
        """Ask the agent to keep source files; see `Run.log_code`."""
        base, patterns = absolute(root), [str(glob) for glob in globs]
        try:
            mark = seal(self._run_id, "code", base, *patterns)
        except OSError as error:
            warn_once(f"log_code() does nothing: the key that identifies you to the agent cannot be stored ({error})")
            return
        self._write("code", {"id": random_id(), "root": base, "globs": patterns, "seal": mark})
