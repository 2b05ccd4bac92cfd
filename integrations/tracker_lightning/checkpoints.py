"""Store checkpoints as files of the run. `checkpoint_download` gets them back."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from typing import Any

import tracker
from tracker.errors import warn_once
from tracker.saved_files import OwnedNames

FILE, SCORE = "checkpoint/file", "checkpoint/score"
LATEST, BEST = "checkpoint/latest", "checkpoint/best"


class Checkpoints:
    """Stores the checkpoints of one run as `<folder>/<name>`, once for each time that one was written.

    The name is the path below the folder of its ModelCheckpoint. If two names would be the same, the second one has
    its folder in front. Each checkpoint is a row with `checkpoint/file` and, if a metric is monitored,
    `checkpoint/score`. The summary has `checkpoint/latest`, `checkpoint/best` and their scores
    (`checkpoint/latest_score`, `checkpoint/best_score`).
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._waiting: dict[str, float | None] = {}  # path → score
        self._roots: dict[str, str] = {}  # path → folder of its ModelCheckpoint
        self._names = OwnedNames()
        self._rewritten: set[str] = set()
        self._stored: dict[str, tuple[int, ...]] = {}  # path → which file it was
        self._best = ""
        self._monitored = False
        self._scored: tuple[Any, float | None] = (None, None)

    def note_saved(self, callback: Any) -> None:
        """Note the checkpoint that a ModelCheckpoint has just saved, and the others that it keeps."""
        scores = {str(path): _to_float(score) for path, score in getattr(callback, "best_k_models", {}).items()}
        newest, best, last = (
            str(getattr(callback, name, None) or "")
            for name in ("_last_checkpoint_saved", "best_model_path", "last_model_path")
        )
        monitored = getattr(callback, "monitor", None) is not None
        moment = (getattr(callback, "state_key", None), getattr(callback, "_last_global_step_saved", None))
        if newest in scores:
            self._scored = (moment, scores[newest])
        elif newest and self._scored[0] == moment:  # last.ckpt follows the one of the same step
            scores[newest] = self._scored[1]
        for path in filter(None, (newest, best, last)):
            scores.setdefault(path, self._waiting.get(path))
        if any("://" in path for path in scores):
            warn_once(f"checkpoints in {newest.rpartition('/')[0]} are not stored with the run: only local files are")
        self._waiting.update(scores)
        self._roots.update(dict.fromkeys(scores, str(getattr(callback, "dirpath", None) or os.path.dirname(newest))))
        self._rewritten.add(last)
        if best and (monitored or not self._monitored):  # without a monitored metric the newest is always the best
            self._best, self._monitored = best, monitored

    def store(self, run: tracker.Run, axis: dict[str, Any], step: int | None) -> None:
        """Store the noted checkpoints that exist and have changed since; their rows get `axis` and `step`."""
        existing = [(os.stat(path), path, score) for path, score in self._waiting.items() if os.path.exists(path)]
        for status, path, score in sorted(existing, key=lambda found: found[0].st_mtime_ns):
            identity = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._stored.get(path) == identity:
                continue
            name = f"{self._folder}/{self._names.name(path, self._roots[path])}"
            try:
                saved = self._save(run, path, name)
            except OSError as error:
                warn_once(f"the checkpoint {path} cannot be stored with the run ({error}); training goes on")
                continue
            if saved:
                self._stored[path] = identity
                run.log({FILE: name, **({} if score is None else {SCORE: score}), **axis}, step)
                run.summary.update(self._aliases(path, name, score))
        self._waiting = {path: score for path, score in self._waiting.items() if os.path.exists(path)}

    def _aliases(self, path: str, name: str, score: float | None) -> dict[str, Any]:
        aliases: dict[str, Any] = {}
        for alias in (LATEST, BEST) if path == self._best else (LATEST,):
            aliases[alias] = name
            if score is not None:
                aliases[f"{alias}_score"] = score
        return aliases

    def _save(self, run: tracker.Run, path: str, name: str) -> list[str]:
        # On the file system of the run directory, so that saving links the file instead of copying it.
        with tempfile.TemporaryDirectory(dir=os.path.dirname(run.dir), prefix=".") as staging:
            target = os.path.join(staging, name)
            if os.path.isdir(path):
                shutil.copytree(path, target, copy_function=_link)
                return run.save(glob.escape(target) + "/**", base_path=staging)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            keep = shutil.copyfile if path in self._rewritten and _written_in_place(path) else _link
            keep(path, target)
            return run.save(target, base_path=staging)


def _to_float(score: Any) -> float | None:
    return None if score is None else float(score)


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def _written_in_place(path: str) -> bool:
    """Tell whether writing this checkpoint again changes the same file, and with it every hard link.

    Lightning writes with fsspec, which moves a temporary file into place. Between file systems, that is a copy.
    """
    return os.stat(path).st_dev != os.stat(tempfile.gettempdir()).st_dev
