"""`TrackerEvalCallback`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tracker
from tracker.errors import warn_once

from ._keras import keras
from .runs import CopyableCallback, is_first_process


class TrackerEvalCallback(CopyableCallback, keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Logs a table of what the model predicts, made by the user's function before training and after each epoch.

        def predictions(model, epoch):
            return [[tracker.Image(x), y, p] for x, y, p in zip(images, labels, model.predict(images, verbose=0))]

        TrackerEvalCallback(predictions, columns=["image", "label", "prediction"])

    The function gets the model and the epoch (None before training) and returns a `tracker.Table`, a data frame, or
    rows for `columns`. The first table, of the untrained model, is the baseline: it stays under `<name>/baseline`,
    and the tables of epochs come under `<name>` with their `epoch`. What the function raises ends the training: it
    is called before the first epoch, so mistakes show at once.
    """

    def __init__(
        self,
        function: Callable[[Any, int | None], Any],
        columns: Sequence[str] | None = None,
        name: str = "predictions",
        every: int = 1,
        baseline: bool = True,
        run: tracker.Run | None = None,
    ) -> None:
        """`every`: tables are made after each `every`-th epoch. `baseline`: also before the first. `run`: default is
        the current run, so put `TrackerCallback` before this one. Raises TypeError and ValueError for what cannot be
        used.
        """
        super().__init__()
        if not callable(function):
            raise TypeError("TrackerEvalCallback() takes a function of a model and an epoch that returns a table")
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every {every!r} must be a number of epochs")
        self._function, self._columns, self._name = function, columns, name
        self._every, self._baseline, self._run = every, baseline, run

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Log the baseline, once in the life of the callback: a second `fit` goes on from a trained model."""
        if self._baseline:
            self._baseline = False
            self._log(f"{self._name}/baseline", None)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Log the table of the epoch."""
        if (epoch + 1) % self._every == 0:
            self._log(self._name, epoch)

    def _log(self, name: str, epoch: int | None) -> None:
        run = self._run if self._run is not None else tracker.run
        if run is None:
            if is_first_process():
                warn_once(
                    "there is no run, so no predictions are logged; put TrackerCallback before TrackerEvalCallback"
                )
            return
        table = self._table(self._function(self.model, epoch))
        run.log({name: table} if epoch is None else {name: table, "epoch": epoch}, step=run.step)

    def _table(self, made: Any) -> tracker.Table:
        return made if isinstance(made, tracker.Table) else tracker.Table(self._columns, made)
