"""`TrackerCallback`."""

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

_MAX_JSON_IN_CONFIG = 100_000  # characters of model JSON that are rather a file than config
_BATCH_HOOKS = ("on_batch_end", "on_train_batch_end", "on_test_batch_end", "on_predict_batch_end")


class _Training:
    """What lasts from the begin of a `fit` or `evaluate` to its end."""

    def __init__(self, run: tracker.Run, owned: bool, model: Any) -> None:
        self.run, self.owned = run, owned
        self.model = model  # the callback's own may become another, to which it is given meanwhile
        self.fitting = False
        self.steps: int | None = None  # batches an epoch, if known
        self.stride = 1  # batches a block, of which Keras reports the last
        self.arguments: dict[str, Any] = {}  # of `fit`
        self.batches: BatchRows | None = None
        self.epochs = 0  # ended so far
        self.optimizer_updates: int | None = None  # of the optimizer, before the epoch
        self.described = False
        self.validation: dict[str, Any] = {}  # results not yet seen in the logs of an epoch
        self.logs: dict[str, Any] | None = None  # the dict of the last epoch, to which later callbacks may add
        self.logged: dict[str, Any] = {}  # what of it was logged
        self.epoch = 0
        self.defined: set[str] = set()


class TrackerCallback(CopyableCallback, keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Logs training, evaluation and what there is to know of the model to a run.

    Each epoch gives one row with what `History` gets, under the same names and exactly: `loss`, `val_loss`, …, and
    `epoch` (from 0, as in `history.epoch`), `learning_rate`. With `log_freq="batch"`, or a number n for every n-th
    batch, there are rows of batches, too: `batch/loss`, …, which are running means since the epoch began, as Keras
    reports them. `evaluate` gives a row of `test/loss`, …; `predict` gives none. The step of all rows is the number
    of batches trained until then, over all epochs and fits of the run.

    If a run is active, or `run` is given, it is used and left open. Otherwise one is started when `fit` (or
    `evaluate`) begins and finished when it ends: `failed` if an exception ended it, `killed` if Ctrl-C did.

    The device is never waited for: nothing is done per batch in epoch mode, and batches are logged from Keras's
    background threads, without touching the model. A row is on disk when the hook has returned, so that a process that
    is killed lacks only what Keras had not yet reported; exceptions and exits lose none.
    """

    _transient = (*CopyableCallback._transient, "_training", "_trained_model")

    async_safe = True  # Keras turns asynchronous dispatch off for callbacks with batch hooks that do not say so

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not {"async_safe"} & cls.__dict__.keys() and cls.__dict__.keys() & {*_BATCH_HOOKS}:
            cls.async_safe = False  # what the subclass does in its hooks need not be thread-safe

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
        """No side effects: the run is looked for or started when training begins.

        `config`: keep the arguments of `compile` and `fit` as the config member `keras`; a dict, or another object that
        `tracker.init` takes as config, is kept, too.
        `log_lr`: log the learning rate of each epoch. `log_graph`: keep the table of layers and the model's JSON as
        the config member `keras_model` (JSON of more than 100,000 characters as the file `model.json`).
        `initial_global_step`: batches trained before, where training goes on in another process without resuming the
        run. `project` and `init_kwargs` are for `tracker.init`. Raises ValueError and TypeError for arguments that
        cannot be used.
        """
        super().__init__()
        self._batch_interval = _batch_interval(log_freq)
        self._run = run
        self._config, self._members = config is not False, None if isinstance(config, bool) else config
        self._log_lr, self._log_graph = log_lr, log_graph
        self._initial_step = self._step = int(initial_global_step)
        self._arguments = {k: v for k, v in {"project": project, **init_kwargs}.items() if v is not None}
        inspect.signature(tracker.init).bind(**self._arguments)
        self._new_list = False  # whether `fit`, `evaluate` or `predict` was called and has not begun
        self._trained_model: weakref.ref[Any] | None = None
        self._training: _Training | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings without the key: a copy has trained nothing yet."""
        settings = self._arguments.get("settings")
        arguments = self._arguments | ({"settings": without_key(settings)} if settings else {})
        own = {"_arguments": arguments, "_step": self._initial_step, "_new_list": False}
        return {**super().__getstate__(), **own}

    # -- what Keras calls -------------------------------------------------------------------------------------------

    def set_model(self, model: Any) -> None:
        """Keras calls this first where a method was given callbacks, so not for the validation within `fit`."""
        super().set_model(model)
        self._new_list = True

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Find or start the run, and keep what is known of the model."""
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
        """Note where the epoch starts."""
        training = self._training
        if training is None or not training.fitting:
            return
        self._log_late(training)
        if training.epochs == 0 and epoch and self._config:
            training.arguments["initial_epoch"] = epoch
            self._describe_training(training)

    @property
    def on_train_batch_end(self) -> Any:
        """Log the batch. Keras sees no hook at all unless batches are logged."""
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
        """Finish the run, if it was started here."""
        training = self._training
        if training is None or not training.fitting:
            return
        self._log_late(training)
        self._count(training, None)  # there are some in a loop of the user's own without epochs
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
        """Log the results."""
        training = self._training
        if training is None:
            return
        own, self._new_list = self._new_list or not training.fitting, False
        if not own:  # they come again in the logs of the epoch, at least from Keras's own loop
            training.validation = {f"val_{name}": value for name, value in (logs or {}).items()}
            return
        if logs:
            training.run.log({f"test/{name}": value for name, value in logs.items()}, step=self._step)
        if not training.fitting:
            self._end(training)

    def on_predict_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Nothing is logged."""
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
            warn_once(f"config of TrackerCallback is left out: {error}")
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
        """End what an exception ended before."""
        self._flush()
        training, self._training = self._training, None
        if training is not None and training.owned:
            training_ended(training.run, succeeded=False)
            training.run.finish()  # as `state_at_exit` says

    def _flush(self) -> None:
        """Log all that is left when there will be no end of the epoch."""
        training = self._training
        if training is not None:
            self._log_late(training)
            self._count(training, None)

    def _first_step(self, run: tracker.Run) -> int:
        if run in trained_batches:
            return trained_batches[run]
        before = None if self._trained_model is None else self._trained_model()
        if before is None and self._step == 0 and run.resumed:
            return max(0, run.step - 1)  # the run's counter is after its last row, which has the last step
        if before is not None and before is not self._model:
            return self._initial_step  # another model in another run, as in cross-validation
        return self._step

    def _count(self, training: _Training, expected: int | None) -> None:
        """Count the batches trained since the last call and log those not logged; `expected` are they, by their data.

        The optimizer knows best. Reports of batches may be less than a block too high, and what is expected is
        wrong when training stopped early; but optimizers need not make one update a batch.
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
        training = self._training  # not the model: on JAX reading it copies the whole state from the device
        if training is not None and training.batches is not None:
            training.batches.take(batch, logs)

    def _log_epoch(self, training: _Training, row: dict[str, Any]) -> None:
        for name in row.keys() - training.defined - {"epoch"}:
            training.defined.add(name)
            training.run.define_metric(str(name), step_metric="epoch")
        training.run.log(row, step=self._step)

    def _log_late(self, training: _Training) -> None:
        """Log what callbacks that come after this one added to the logs of the epoch, since `History` has it."""
        late = {k: v for k, v in (training.logs or {}).items() if not _is_same(training.logged.get(k, training), v)}
        training.logs = None
        if late:
            self._log_epoch(training, {"epoch": training.epoch, **late})

    # -- config -----------------------------------------------------------------------------------------------------

    def _describe(self, training: _Training) -> None:
        if training.model is None:
            training.described = True
            return
        training.described = bool(getattr(training.model, "built", True))  # otherwise again after the first epoch
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
        f"{what} cannot be described ({kind}); the config lacks it, training goes on", f"describing {what} {kind}"
    )


def _log_batch(run: tracker.Run, logs: dict[str, Any], step: int) -> None:
    run.log({f"batch/{name}": value for name, value in logs.items()}, step=step)


def _abandon(callback: TrackerCallback | None) -> None:
    if callback is not None:
        callback._abandon()


def _batch_interval(log_freq: Any) -> int:
    """Return n for each n-th batch, 0 for none."""
    if log_freq in ("epoch", "batch"):
        return int(log_freq == "batch")
    if isinstance(log_freq, int) and log_freq >= 1 and not isinstance(log_freq, bool):
        return log_freq
    raise ValueError(f"log_freq {log_freq!r} must be 'epoch', 'batch' or a number of batches")


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    return type(one) is type(other) and isinstance(one, (int, float, str)) and repr(one) == repr(other)  # also NaN


def _save_text(run: tracker.Run, name: str, text: str) -> None:
    if run.mode == "disabled":
        return
    with tempfile.TemporaryDirectory(dir=run.dir) as directory:  # the same file system: it is only linked
        path = Path(directory) / name
        path.write_text(text, encoding="utf-8")
        run.save(os.fspath(path), base_path=directory)
