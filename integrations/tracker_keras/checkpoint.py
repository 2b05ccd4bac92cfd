"""`TrackerModelCheckpoint`: store the checkpoints of a Keras model with the run."""

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
"""The names of checkpoints by run, since several callbacks may write to one run."""


class TrackerModelCheckpoint(CopyableCallback, keras.callbacks.ModelCheckpoint):  # type: ignore[misc] # Keras has no types
    """Save checkpoints as Keras's `ModelCheckpoint` does, and store a copy of each with the run.

        model.fit(x, y, callbacks=[TrackerCallback(), TrackerModelCheckpoint("ck/{epoch}.keras", monitor="val_loss")])

    A checkpoint is stored as `checkpoints/<name>`. The name is its path below the fixed part of `filepath`:
    `ck/{epoch}/model.keras` gives `1/model.keras`. The same content is `checkpoints/latest.keras` and, if its `monitor`
    value is the best so far, `checkpoints/best.keras` (or `.weights.h5`, `.h5`). If a second callback of the run would
    use the same names, its folder comes first; the summary stays that of the first callback.

    Each checkpoint is a row with `checkpoint/file`, `checkpoint/score` and `epoch`. The summary has
    `checkpoint/latest`, `checkpoint/latest_score`, `checkpoint/best` and `checkpoint/best_score`. If a checkpoint
    cannot be stored, a warning says so and training goes on.

    Keras turns asynchronous dispatch off for its own `ModelCheckpoint`. This class leaves it on if it saves once an
    epoch.

    Args:
        filepath: The path of checkpoints, as Keras takes it.
        *arguments: More arguments of `keras.callbacks.ModelCheckpoint`.
        run: The run to store with. Default: the current run at the time of saving, so put `TrackerCallback` first.
        **options: More arguments of `keras.callbacks.ModelCheckpoint`.

    Raises:
        ImportError: If Keras 3 or its backend cannot be imported.
        ValueError: If Keras does not accept the arguments.
    """

    def __init__(
        self, filepath: str | os.PathLike[str], *arguments: Any, run: tracker.Run | None = None, **options: Any
    ) -> None:
        super().__init__(filepath, *arguments, **options)
        self._run = run
        self._best_score: Any = None

    @property
    def on_train_batch_end(self) -> Any:
        """Save after a number of batches. If `save_freq` is "epoch", Keras sees no hook here."""
        hooks: Any = super(keras.callbacks.ModelCheckpoint, self) if self.save_freq == "epoch" else super()
        return hooks.on_train_batch_end

    def _save_model(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        """Save as Keras does, and store the file if that wrote one."""
        path = Path(self._get_file_path(epoch, batch, logs))
        before = _file_state(path)
        super()._save_model(epoch, batch, logs)
        if _file_state(path) != before:
            self._store(path, epoch, (logs or {}).get(self.monitor))

    def _store(self, path: Path, epoch: int, score: Any) -> None:
        run = self._run if self._run is not None else tracker.run
        if run is None:
            if is_first_process():
                warn_once("there is no run to store checkpoints with; put TrackerCallback first")
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
            kept.remove(own)  # the user's `best.keras` is not the best: do not replace the best one
            own = files["latest"]
        try:
            _save_as(run, path, kept)
        except OSError as error:
            warn_once(f"{path} cannot be stored with the run ({error}); training goes on", "checkpoint")
            return
        run.log({"checkpoint/file": f"{_FOLDER}/{own}", "checkpoint/score": score, "epoch": epoch}, step=run.step)
        if "/" not in files["latest"]:
            for alias in aliases:
                run.summary.update({f"checkpoint/{alias}": f"{_FOLDER}/{own}", f"checkpoint/{alias}_score": score})

    def _names(self, run: tracker.Run, path: Path) -> tuple[str, dict[str, str]]:
        """Return the name of a checkpoint, and the names of its aliases."""
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
    """Save a file with the run under several names. It is copied once, since Keras overwrites files in place."""
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
