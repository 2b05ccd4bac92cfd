"""`TrackerModelCheckpoint`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import tracker
from tracker.errors import warn_once
from tracker.machine.paths import absolute
from tracker.saved_files import OwnedNames

from ._keras import keras
from .runs import CopyableCallback, is_first_process

_FOLDER = "checkpoints"

_names_by_run: WeakKeyDictionary[tracker.Run, OwnedNames] = WeakKeyDictionary()
"""The names of checkpoints, by run: several callbacks may write them."""


class TrackerModelCheckpoint(CopyableCallback, keras.callbacks.ModelCheckpoint):  # type: ignore[misc] # Keras has no types
    """Keras's `ModelCheckpoint` that also stores each file it writes with the run, as it was then.

    It takes the same arguments, and `run` (default: the current run when a file is written, so put `TrackerCallback`
    before it). `checkpoints/<name>` is stored, where the name is the path below the folder in which `filepath` is fixed
    (`ck/{epoch}/model.keras` gives `1/model.keras`), and the same content under the aliases `checkpoints/latest.keras`
    and, if its `monitor` value is the best so far, `checkpoints/best.keras` (or `.weights.h5`, `.h5`). The names of a
    second callback of the run that would be the same have their folder in front, and the summary is the first one's.
    Each gives a row with `checkpoint/file`, `checkpoint/score` and `epoch`; the summary has `checkpoint/latest`,
    `checkpoint/latest_score`, `checkpoint/best` and `checkpoint/best_score`. Trouble with storing is a warning;
    training goes on.

    Unlike Keras's own it leaves asynchronous dispatch on where it saves once an epoch.
    """

    def __init__(
        self, filepath: str | os.PathLike[str], *arguments: Any, run: tracker.Run | None = None, **options: Any
    ) -> None:
        """The arguments of `keras.callbacks.ModelCheckpoint`, and `run`."""
        super().__init__(filepath, *arguments, **options)
        self._run = run
        self._best_score: Any = None

    @property
    def on_train_batch_end(self) -> Any:
        """Save, if the number of batches says so. Keras sees no hook at all where epochs do."""
        hooks: Any = super(keras.callbacks.ModelCheckpoint, self) if self.save_freq == "epoch" else super()
        return hooks.on_train_batch_end

    def _save_model(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        """Save as Keras does, and store what was written."""
        path = Path(self._get_file_path(epoch, batch, logs))
        before = _file_state(path)
        super()._save_model(epoch, batch, logs)
        if _file_state(path) != before:
            self._store(path, epoch, (logs or {}).get(self.monitor))

    def _store(self, path: Path, epoch: int, score: Any) -> None:
        run = self._run if self._run is not None else tracker.run
        if run is None:
            if is_first_process():
                warn_once("there is no run, so checkpoints are only where Keras writes them; put TrackerCallback first")
            return
        if run.mode == "disabled":
            return
        aliases = ["latest"]
        if self._is_best(score):
            self._best_score = score
            aliases.append("best")
        own, files = self._names(run, path)
        kept = list(dict.fromkeys([own, *(files[alias] for alias in aliases)]))
        if own in files.values() and own not in (files[alias] for alias in aliases):
            kept.remove(own)  # a file called `best.keras` that is not the best must not take that one's place
            own = files["latest"]
        try:
            _save_as(run, path, kept)
        except OSError as error:
            warn_once(f"{path} could not be stored with the run ({error}); training goes on", "checkpoint")
            return
        run.log({"checkpoint/file": f"{_FOLDER}/{own}", "checkpoint/score": score, "epoch": epoch}, step=run.step)
        if "/" not in files["latest"]:
            for alias in aliases:
                run.summary.update({f"checkpoint/{alias}": f"{_FOLDER}/{own}", f"checkpoint/{alias}_score": score})

    def _names(self, run: tracker.Run, path: Path) -> tuple[str, dict[str, str]]:
        """Return what a checkpoint is called, and the names of its aliases."""
        template = absolute(self.filepath)
        root = os.path.dirname(template.partition("{")[0])
        names = _names_by_run.setdefault(run, OwnedNames())
        ending = "".join(path.suffixes[-2:]) if path.name.endswith(".weights.h5") else path.suffix
        files = {alias: names.name(os.path.join(root, alias + ending), root, template) for alias in ("latest", "best")}
        own = os.path.relpath(absolute(path), root)
        return own if own in files.values() else names.name(str(path), root), files

    def _is_best(self, score: Any) -> bool:
        if self.save_best_only:
            return True
        if score is None or score != score or self.monitor_op is None:  # NaN is never the best
            return False
        return self._best_score is None or bool(self.monitor_op(score, self._best_score))


def _file_state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _save_as(run: tracker.Run, path: Path, names: list[str]) -> None:
    """Keep a file with the run under several names. It is copied once, as Keras overwrites files in place."""
    with tempfile.TemporaryDirectory(dir=run.dir) as directory:
        paths = [Path(directory, _FOLDER, name) for name in names]
        for target in paths:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target is paths[0]:
                shutil.copyfile(path, target)
            else:
                os.link(paths[0], target)
        for target in paths:
            run.save(target, base_path=directory)
