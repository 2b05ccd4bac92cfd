"""`TrackerCallback`: log `fit` and `evaluate` of a Keras model to a run."""

from __future__ import annotations

import inspect
import os
import tempfile
import weakref
from functools import partial
from pathlib import Path
from typing import Any, Literal

import tracker
from tracker.errors import warn_once
from tracker.settings import without_key

from ._keras import keras
from .batch_rows import BatchRows
from .describe import describe_model, describe_training, learning_rates, model_json, optimizer_updates
from .runs import CopyableCallback, at_exit, fail_unless_ended, find_run, trained_batches, training_ended

_MAX_JSON_IN_CONFIG = 100_000  # characters; longer model JSON becomes a file instead of config
_BATCH_HOOKS = ("on_batch_end", "on_train_batch_end", "on_test_batch_end", "on_predict_batch_end")


class _Training:
    """The state of one `fit` or `evaluate`."""

    def __init__(self, run: tracker.Run, owned: bool, model: Any) -> None:
        self.run, self.owned = run, owned
        self.model = model  # kept here, since the callback may be given to another model meanwhile
        self.fitting = False
        self.steps: int | None = None  # batches an epoch, if known
        self.stride = 1  # batches in a block; Keras reports only its last
        self.arguments: dict[str, Any] = {}  # of `fit`
        self.batches: BatchRows | None = None
        self.epochs = 0  # that have ended
        self.optimizer_updates: int | None = None  # of the optimizer, at the start of the epoch
        self.described = False
        self.validation: dict[str, Any] = {}  # results that the logs of an epoch do not have yet
        self.logs: dict[str, Any] | None = None  # of the last epoch; later callbacks may add to this dict
        self.logged: dict[str, Any] = {}  # the part of it that is logged
        self.epoch = 0
        self.defined: set[str] = set()


class TrackerCallback(CopyableCallback, keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Log training, evaluation and a description of the model to a run.

        model.fit(x, y, epochs=10, callbacks=[TrackerCallback(project="digits", log_freq=100)])

    Each epoch is a row with exactly the values of `History`: `loss`, `val_loss`, …, and with `epoch` (from 0) and
    `learning_rate`. With `log_freq`, batches are rows too: `batch/loss`, … are running means since the start of the
    epoch, as Keras reports them. `evaluate` logs a row of `test/loss`, …; `predict` logs nothing. The step of every row
    is the number of batches trained so far, over all epochs and fits of the run.

    An active run, or `run`, is used and left open. Otherwise `fit` (or `evaluate`) starts a run and finishes it: as
    `failed` after an exception, as `killed` after Ctrl-C.

    The callback never waits for the device: in epoch mode it does nothing for a batch, and it logs batches from Keras's
    background threads, without reading the model. A row is on disk when the hook has returned. A killed process loses
    only what Keras has not reported yet; exceptions and exits lose nothing.

    Args:
        log_freq: `"epoch"` for rows of epochs only, `"batch"` to log every batch too, or n to log each n-th batch.
        run: The run to log to. Default: the active run, or a new one.
        project: The project of a new run.
        config: Whether to keep the arguments of `compile` and `fit` in the config, as `keras`. A dict, or another
            object that `tracker.init` takes as config, is kept in addition.
        log_lr: Whether to log the learning rate of each epoch.
        log_graph: Whether to keep the table of layers and the model's JSON in the config, as `keras_model`. JSON of
            more than 100,000 characters becomes the file `model.json`.
        initial_global_step: The number of batches trained before, if training goes on in another process that does
            not resume the run.
        **init_kwargs: More arguments of `tracker.init` for a new run, such as `name`, `tags` and `mode`.

    Raises:
        ImportError: If Keras 3 or its backend cannot be imported.
        TypeError: If `tracker.init` has no such argument.
        ValueError: If `log_freq` is none of these.
    """

    _transient = (*CopyableCallback._transient, "_training", "_trained_model")

    async_safe = True  # without it, Keras turns asynchronous dispatch off for callbacks with batch hooks

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not {"async_safe"} & cls.__dict__.keys() and cls.__dict__.keys() & {*_BATCH_HOOKS}:
            cls.async_safe = False  # hooks of a subclass need not be thread-safe

    def __init__(
        self,
        log_freq: Literal["epoch", "batch"] | int = "epoch",
        run: tracker.Run | None = None,
        project: str | None = None,
        config: Any = True,
        log_lr: bool = True,
        log_graph: bool = True,
        initial_global_step: int = 0,
        **init_kwargs: Any,
    ) -> None:
        """Store the arguments. A run is found or started when training begins."""
        super().__init__()
        self._batch_interval = _batch_interval(log_freq)
        self._run = run
        self._config, self._members = config is not False, None if isinstance(config, bool) else config
        self._log_lr, self._log_graph = log_lr, log_graph
        self._initial_step = self._step = int(initial_global_step)
        self._arguments = {k: v for k, v in {"project": project, **init_kwargs}.items() if v is not None}
        inspect.signature(tracker.init).bind(**self._arguments)
        self._new_list = False  # whether `fit`, `evaluate` or `predict` is called and has not begun
        self._trained_model: weakref.ref[Any] | None = None
        self._training: _Training | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings, without the key and without any training: a copy has trained nothing."""
        settings = self._arguments.get("settings")
        arguments = self._arguments | ({"settings": without_key(settings)} if settings else {})
        own = {"_arguments": arguments, "_step": self._initial_step, "_new_list": False}
        return {**super().__getstate__(), **own}

    # -- what Keras calls -------------------------------------------------------------------------------------------

    def set_model(self, model: Any) -> None:
        """Note that a method was called with callbacks. Keras does not call this for the validation within `fit`."""
        super().set_model(model)
        self._new_list = True

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Find or start the run, and describe the model in its config."""
        self._abandon()
        self._new_list = False
        training = self._begin()
        if training is None:
            return
        training.fitting = True
        parameters = self.params or {}
        training.steps = parameters.get("steps")
        training.arguments = {k: v for k, v in parameters.items() if v is not None}
        training.stride = getattr(training.model, "steps_per_execution", None) or 1
        training.optimizer_updates = optimizer_updates(training.model)
        if self._batch_interval:
            training.batches = BatchRows(partial(_log_batch, training.run), self._batch_interval, training.stride)
            training.batches.start(self._step, training.steps)
        self._describe(training)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Log what later callbacks added to the last epoch, and note the first epoch's number."""
        training = self._training
        if training is None or not training.fitting:
            return
        self._log_late(training)
        if training.epochs == 0 and epoch and self._config:
            training.arguments["initial_epoch"] = epoch
            self._describe_training(training)

    @property
    def on_train_batch_end(self) -> Any:
        """Log the batch. Unless batches are logged, Keras sees no hook here."""
        return self._take_batch if self._batch_interval else super().on_train_batch_end

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Log the row of the epoch."""
        training = self._training
        if training is None or not training.fitting:
            return
        self._count(training, training.steps)
        if not training.described:
            self._describe(training)
        values = dict(logs or {})
        row = {"epoch": epoch, **{k: v for k, v in training.validation.items() if k not in values}, **values}
        if self._log_lr:
            row = {**learning_rates(getattr(training.model, "optimizer", None)), **row}
        training.epoch, training.logs, training.logged = epoch, logs, row
        training.validation, training.epochs = {}, training.epochs + 1
        self._log_epoch(training, row)

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Log what is left, and finish the run if this callback started it."""
        training = self._training
        if training is None or not training.fitting:
            return
        self._log_late(training)
        self._count(training, None)  # a training loop of the user may have batches outside of epochs
        if training.validation:
            training.run.log(training.validation, step=self._step)
        training.fitting = False
        self._end(training)

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Find or start the run, unless this is the validation within `fit`."""
        if self._training is None or not self._training.fitting:
            self._abandon()
            self._begin()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Log the results of `evaluate`, or keep those of a validation for the row of the epoch."""
        training = self._training
        if training is None:
            return
        own, self._new_list = self._new_list or not training.fitting, False
        if not own:  # Keras's own loop reports them again with the epoch
            training.validation = {f"val_{name}": value for name, value in (logs or {}).items()}
            return
        if logs:
            training.run.log({f"test/{name}": value for name, value in logs.items()}, step=self._step)
        if not training.fitting:
            self._end(training)

    def on_predict_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Note that `predict` has begun; nothing is logged."""
        self._new_list = False

    # -- run and step -----------------------------------------------------------------------------------------------

    def _begin(self) -> _Training | None:
        run, owned = find_run(self._run, self._arguments)
        if run is None:
            return None
        training = self._training = _Training(run, owned, self._model)
        self._step = self._first_step(run)
        self._trained_model = None if self._model is None else weakref.ref(self._model)
        try:
            run.config.update(self._members)
        except TypeError as error:
            warn_once(f"TrackerCallback ignores its config: {error}")
        if owned:
            holder = weakref.ref(self)
            fail_unless_ended(run, lambda: _abandon(holder()))
        at_exit(self, TrackerCallback._flush)
        return training

    def _end(self, training: _Training) -> None:
        self._training = None
        trained_batches[training.run] = self._step
        if training.owned:
            training_ended(training.run, succeeded=True)
            training.run.finish()

    def _abandon(self) -> None:
        """End a training that an exception has ended before."""
        self._flush()
        training, self._training = self._training, None
        if training is not None and training.owned:
            training_ended(training.run, succeeded=False)
            training.run.finish()  # in the state of `state_at_exit`

    def _flush(self) -> None:
        """Log what is left of an epoch that will not end."""
        training = self._training
        if training is not None:
            self._log_late(training)
            self._count(training, None)

    def _first_step(self, run: tracker.Run) -> int:
        if run in trained_batches:
            return trained_batches[run]
        before = None if self._trained_model is None else self._trained_model()
        if before is None and self._step == 0 and run.resumed:
            return max(0, run.step - 1)  # the run's counter is one more than the step of its last row
        if before is not None and before is not self._model:
            return self._initial_step  # another model in another run, as in cross-validation
        return self._step

    def _count(self, training: _Training, expected: int | None) -> None:
        """Count the batches trained since the last call, and log those that are not logged.

        Three sources may be wrong: reports may be up to a block too high, `expected` (from the data) if training
        stopped early, and the optimizer's count if it does not make one update a batch. The optimizer is trusted if
        its count agrees with the reports.
        """
        before, training.optimizer_updates = training.optimizer_updates, optimizer_updates(training.model)
        made = None if before is None or training.optimizer_updates is None else training.optimizer_updates - before

        def count(reported: int) -> int:
            if reported:
                return made if made is not None and reported - training.stride < made <= reported else reported
            return made if made and 0 < made <= (expected or made) else expected or 0

        if training.batches is None:
            self._step += count(0)
        else:
            self._step += training.batches.finish(count)
            training.batches.start(self._step, training.steps)
        trained_batches[training.run] = self._step

    # -- rows -------------------------------------------------------------------------------------------------------

    def _take_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        training = self._training  # not from the model: on JAX, reading it copies its state from the device
        if training is not None and training.batches is not None:
            training.batches.take(batch, logs)

    def _log_epoch(self, training: _Training, row: dict[str, Any]) -> None:
        for name in row.keys() - training.defined - {"epoch"}:
            training.defined.add(name)
            training.run.define_metric(str(name), step_metric="epoch")
        training.run.log(row, step=self._step)

    def _log_late(self, training: _Training) -> None:
        """Log what later callbacks added to the logs of the epoch, since `History` has it too."""
        late = {k: v for k, v in (training.logs or {}).items() if not _is_same(training.logged.get(k, training), v)}
        training.logs = None
        if late:
            self._log_epoch(training, {"epoch": training.epoch, **late})

    # -- config -----------------------------------------------------------------------------------------------------

    def _describe(self, training: _Training) -> None:
        if training.model is None:
            training.described = True
            return
        training.described = bool(getattr(training.model, "built", True))  # if not, it is described after an epoch
        if self._config:
            self._describe_training(training)
        if self._log_graph:
            try:
                self._describe_model(training)
            except Exception as error:  # noqa: BLE001 - models are anybody's objects
                _warn_not_described("the model", error)

    def _describe_model(self, training: _Training) -> None:
        members, text = describe_model(training.model), model_json(training.model)
        if text is not None and len(text) > _MAX_JSON_IN_CONFIG:
            _save_text(training.run, "model.json", text)
        elif text is not None:
            members["json"] = text
        training.run.config["keras_model"] = members

    def _describe_training(self, training: _Training) -> None:
        try:
            training.run.config["keras"] = describe_training(training.model, training.arguments)
        except Exception as error:  # noqa: BLE001 - models are anybody's objects
            _warn_not_described("the training", error)


def _warn_not_described(what: str, error: Exception) -> None:
    kind = type(error).__name__
    warn_once(
        f"{what} cannot be described ({kind}), so the config lacks it; training goes on", f"describing {what} {kind}"
    )


def _log_batch(run: tracker.Run, logs: dict[str, Any], step: int) -> None:
    run.log({f"batch/{name}": value for name, value in logs.items()}, step=step)


def _abandon(callback: TrackerCallback | None) -> None:
    if callback is not None:
        callback._abandon()


def _batch_interval(log_freq: Any) -> int:
    """Return n to log each n-th batch, 0 to log none."""
    if log_freq in ("epoch", "batch"):
        return int(log_freq == "batch")
    if isinstance(log_freq, int) and log_freq >= 1 and not isinstance(log_freq, bool):
        return log_freq
    raise ValueError(f"log_freq {log_freq!r} must be 'epoch', 'batch' or a number of batches")


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    return type(one) is type(other) and isinstance(one, (int, float, str)) and repr(one) == repr(other)  # so NaN is NaN


def _save_text(run: tracker.Run, name: str, text: str) -> None:
    if run.mode == "disabled":
        return
    with tempfile.TemporaryDirectory(dir=run.dir) as directory:  # on the same file system, so that saving only links it
        path = Path(directory) / name
        path.write_text(text, encoding="utf-8")
        run.save(os.fspath(path), base_path=directory)
