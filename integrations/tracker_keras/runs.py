"""Find, start and end the run that a callback logs to."""

from __future__ import annotations

import atexit
import copy
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import tracker
from tracker.errors import warn_once

from ._keras import keras
from .training_loop import TrainingLoop

trained_batches: WeakKeyDictionary[tracker.Run, int] = WeakKeyDictionary()
"""Batches trained in each run, by any callback. A second `fit` counts on from here."""


def find_run(given: tracker.Run | None, arguments: dict[str, Any]) -> tuple[tracker.Run | None, bool]:
    """Return the run to log to, and whether it is new, so that the callback has to finish it.

    The run is `given`, else the current run, else a new one of `tracker.init(**arguments)`. If many processes train
    one model, only the first one starts a run; the others get None, unless their script has a run. A run whose
    training was ended by an exception is finished first, and not used.
    """
    _end_abandoned()
    run = given if given is not None else tracker.run
    if run is not None:
        if arguments and given is None:
            warn_once(f"TrackerCallback logs to the active run {run.name} and ignores {', '.join(arguments)}")
        return run, False
    if not is_first_process():
        return None, False
    return tracker.init(**arguments), True


def is_first_process() -> bool:
    """Tell whether this is the only process that trains the model, or the first of them."""
    if keras.backend.backend() == "jax":
        return bool(sys.modules["jax"].process_index() == 0)
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    return True


_training: WeakKeyDictionary[tracker.Run, tuple[TrainingLoop, Callable[[], None]]] = WeakKeyDictionary()
"""Runs whose training has not ended, with the loop that runs it, and a function that gives it up."""


def fail_unless_ended(run: tracker.Run, give_up: Callable[[], None]) -> None:
    """Make a run `failed` if the process ends or another training begins before `training_ended` is called.

    After Ctrl-C it becomes `killed`.

    `give_up` is called first, and has to end what the callback does with the run.

    Keras calls no hook when an exception ends a training, and scripts often catch KeyboardInterrupt and go on. SIGINT
    is handled only if Python's own handler is in place, so that no other handler is replaced.
    """
    run.state_at_exit = "failed"
    _training[run] = TrainingLoop(), give_up
    _handle_interrupt(signal.default_int_handler, _interrupted)


def training_ended(run: tracker.Run, succeeded: bool) -> None:
    """Note that a training has ended, or was given up."""
    _training.pop(run, None)
    if succeeded:
        run.state_at_exit = None
    if not _training:
        _handle_interrupt(_interrupted, signal.default_int_handler)


def _end_abandoned() -> None:
    now = TrainingLoop()
    for run, (loop, give_up) in list(_training.items()):
        if run.finished:
            training_ended(run, succeeded=True)
        elif not loop.is_running(now):
            give_up()
            training_ended(run, succeeded=False)
            run.finish()


def _interrupted(number: int, frame: FrameType | None) -> None:
    for run in list(_training):
        run.state_at_exit = "killed"
    signal.default_int_handler(number, frame)


def _handle_interrupt(before: Any, now: Any) -> None:
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is before:
        signal.signal(signal.SIGINT, now)


class CopyableCallback:
    """Lets callbacks be copied and pickled while they train.

    A copy has the settings and the run of the callback, and trains nothing. A pickle has no run: in another process it
    uses the run there.
    """

    _transient: tuple[str, ...] = ("_model", "params", "_run")

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings."""
        return {**self.__dict__, **{name: None for name in self._transient if name in self.__dict__}}

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        shared = {name: self.__dict__[name] for name in ("_run", "_arguments") if name in self.__dict__}
        new.__dict__.update(copy.deepcopy(self.__getstate__(), memo), **shared)
        return new


_holders: WeakSet[Any] = WeakSet()


def at_exit(holder: Any, call: Callable[[Any], None]) -> None:
    """Call `call(holder)` when the process ends, if the holder still exists.

    That is before runs are finished: `tracker.init` has registered that earlier, and atexit goes backwards.
    """
    if not _holders:
        atexit.unregister(_call_all)
        atexit.register(_call_all, call)
    _holders.add(holder)


def _call_all(call: Callable[[Any], None]) -> None:
    for holder in list(_holders):
        call(holder)
