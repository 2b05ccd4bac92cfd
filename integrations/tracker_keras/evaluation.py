"""`TrackerEvalCallback`: log a table of predictions after epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tracker
from tracker.errors import warn_once

from ._keras import keras
from .runs import CopyableCallback, is_first_process


class TrackerEvalCallback(CopyableCallback, keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Log a table of the model's predictions, which your function makes before training and after each epoch.

        def predictions(model, epoch):
            return [[tracker.Image(x), y, p] for x, y, p in zip(images, labels, model.predict(images, verbose=0))]

        TrackerEvalCallback(predictions, columns=["image", "label", "prediction"])

    The first table, of the untrained model, is the baseline, `<name>/baseline`. The tables of epochs are logged as
    `<name>`, with their `epoch`. An exception in the function ends the training; since it is called before the first
    epoch, you see mistakes at once.

    Args:
        function: Gets the model and the epoch (None before training), and returns a `tracker.Table`, a data frame, or
            rows for `columns`.
        columns: The names of the columns, if the function returns rows.
        name: The key of the tables.
        every: Make a table after each `every`-th epoch.
        baseline: Whether to make a table before the first epoch, too.
        run: The run to log to. Default: the current run, so put `TrackerCallback` first.

    Raises:
        ImportError: If Keras 3 or its backend cannot be imported.
        TypeError: If `function` cannot be called.
        ValueError: If `every` is not a positive number.
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
        super().__init__()
        if not callable(function):
            raise TypeError("TrackerEvalCallback() takes a function of a model and an epoch that returns a table")
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every {every!r} must be a number of epochs")
        self._function, self._columns, self._name = function, columns, name
        self._every, self._baseline, self._run = every, baseline, run

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Log the baseline. A second `fit` logs none, since the model is trained by then."""
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
