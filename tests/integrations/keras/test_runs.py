"""Which run a callback uses, and how that run ends."""

from __future__ import annotations

import copy
import pickle
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

keras = pytest.importorskip("keras")

import tracker  # noqa: E402
from tracker_keras import TrackerCallback, TrackerEvalCallback, TrackerModelCheckpoint  # noqa: E402

from .networks import Each, fit, network, x, y  # noqa: E402

Runs = Callable[[], list[Any]]


def test_creating_a_callback_has_no_side_effects(runs: Runs) -> None:
    TrackerCallback(project="p", name="n")
    assert runs() == []
    assert tracker.run is None


def test_without_an_active_run_each_fit_starts_and_finishes_a_run(runs: Runs) -> None:
    ours = TrackerCallback(project="digits", name="first", tags=["a"])
    fit(network(), ours)
    assert tracker.run is None
    fit(network(), ours)
    assert [(r.state, r.project, r.name, r.info["tags"]) for r in runs()] == [
        ("finished", "digits", "first", ["a"])
    ] * 2


def test_an_active_run_is_used_and_left_open(runs: Runs) -> None:
    run = tracker.init()
    fit(network(), TrackerCallback())
    assert tracker.run is run
    tracker.log({"mine": 1})
    run.finish()
    (found,) = runs()
    assert {"mine", "loss"} <= {*found.keys()}


def test_ignored_arguments_for_a_run_cause_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with tracker.init():
        fit(network(), TrackerCallback(project="other"))
    assert "and ignores project" in capsys.readouterr().err


def test_a_given_run_is_used_even_if_another_one_is_current(runs: Runs) -> None:
    mine = tracker.init()
    other = tracker.init(reinit="create_new")
    fit(network(), TrackerCallback(run=mine))
    assert not mine.finished
    mine.finish()
    other.finish()
    assert [run.info["rows"] for run in runs()] == [1, 0]


def test_unknown_arguments_of_init_are_refused_at_once() -> None:
    with pytest.raises(TypeError, match="colour"):
        TrackerCallback(colour="red")


def test_a_disabled_run_stores_nothing(runs: Runs) -> None:
    fit(network(), TrackerCallback("batch", mode="disabled"), TrackerModelCheckpoint("m.keras", "loss"))
    assert runs() == []


def test_copies_share_a_given_run_and_otherwise_start_their_own(runs: Runs) -> None:
    ours = TrackerCallback("batch", project="p")
    fit(network(), ours)
    twin = copy.deepcopy(ours)
    fit(network(), twin)
    with tracker.init() as run:
        fit(network(), copy.deepcopy([TrackerCallback(run=run)])[0])
    assert [(found.project, found.info["rows"]) for found in runs()] == [("p", 4), ("p", 4), ("uncategorized", 1)]


def test_a_copy_made_during_training_does_not_log_that_training(runs: Runs) -> None:
    copies = []
    ours = TrackerCallback("batch")
    fit(network(), ours, Each(lambda *_: copies.append(copy.deepcopy(ours))))
    fit(network(), copies[0])
    assert [[row["_step"] for row in run.scan_history()] for run in runs()] == [[1, 2, 3, 3]] * 2


def test_all_callbacks_can_be_copied_with_a_run() -> None:
    with tracker.init() as run:
        made = [TrackerModelCheckpoint("m.keras", run=run), TrackerEvalCallback(print, run=run)]
        assert [twin._run for twin in copy.deepcopy(made)] == [run, run]  # type: ignore[attr-defined]


def test_callbacks_can_be_pickled(runs: Runs) -> None:
    with tracker.init():
        fit(network(), pickle.loads(pickle.dumps(TrackerCallback(run=tracker.run))))
    assert runs()[0].info["rows"] == 1


def test_a_subclass_with_a_constructor_of_its_own_can_be_copied(runs: Runs) -> None:
    class Mine(TrackerCallback):
        def __init__(self, extra: str) -> None:
            super().__init__(project="p")
            self.extra = extra

    twin = copy.deepcopy(Mine("x"))
    fit(network(), twin)
    assert (twin.extra, runs()[0].project) == ("x", "p")


def test_the_run_of_a_failed_fit_is_failed_once_the_next_fit_begins(runs: Runs) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    ours = TrackerCallback()
    with pytest.raises(RuntimeError, match="mine"):
        fit(network(), ours, Each(fail))
    fit(network(), ours)
    network().evaluate(x, y, verbose=0, callbacks=[ours])
    assert [run.state for run in runs()] == ["failed", "finished", "finished"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Make Ctrl-C raise KeyboardInterrupt, which a shell disables for tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_run_of_a_fit_ended_by_ctrl_c_is_killed_even_if_the_script_continues(
    runs: Runs, interruptible: None
) -> None:
    def interrupt(epoch: int, logs: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    ours = TrackerCallback()
    with pytest.raises(KeyboardInterrupt):
        fit(network(), ours, Each(interrupt))
    fit(network(), ours)
    assert [run.state for run in runs()] == ["killed", "finished"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_users_own_handler_for_ctrl_c_is_not_replaced(runs: Runs) -> None:
    came = []
    own = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        fit(network(), TrackerCallback(), Each(lambda *_: signal.raise_signal(signal.SIGINT)))
    finally:
        signal.signal(signal.SIGINT, own)
    assert came == [True]
    assert [run.state for run in runs()] == ["finished"]


def test_the_batches_of_a_failed_fit_are_counted_with_its_own_model(runs: Runs) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    ours, trained_before = TrackerCallback(), network()
    fit(trained_before, epochs=5)
    with tracker.init():
        with pytest.raises(RuntimeError, match="mine"):
            fit(trained_before, Each(fail), ours)
        fit(network(), ours)
    assert [row["_step"] for row in runs()[0].scan_history()] == [6]


def test_evaluating_another_model_within_fit_does_not_affect_its_rows(runs: Runs) -> None:
    ours, other = TrackerCallback(), network(optimizer=keras.optimizers.SGD(0.5))
    fit(network(), ours, Each(lambda *_: other.evaluate(x, y, verbose=0, callbacks=[ours])), epochs=2)
    rows = [row for row in runs()[0].scan_history() if "loss" in row]
    assert [(row["_step"], row["learning_rate"]) for row in rows] == [
        (3, pytest.approx(0.01)),
        (6, pytest.approx(0.01)),
    ]


def test_a_failed_fit_does_not_end_the_users_run(runs: Runs) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    ours = TrackerCallback()
    with tracker.init():
        with pytest.raises(RuntimeError, match="mine"):
            fit(network(), ours, Each(fail))
        fit(network(), ours)
    assert [run.state for run in runs()] == ["finished"]


def fail(*_: Any) -> None:
    raise RuntimeError("mine")


def interrupt(*_: Any) -> None:
    signal.raise_signal(signal.SIGINT)


class AtTestEnd(Each):
    """Calls a function at the end of an evaluation."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Do nothing at the end of an epoch."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.function(batch, logs)


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize(("trouble", "state"), [(fail, "failed"), (interrupt, "killed")])
def test_the_next_training_with_another_callback_has_a_run_of_its_own(
    runs: Runs, interruptible: None, method: str, trouble: Any, state: str
) -> None:
    broken = Each(trouble) if method == "fit" else AtTestEnd(trouble)
    try:
        getattr(network(), method)(x, y, verbose=0, callbacks=[TrackerCallback(name="broken"), broken])
    except (RuntimeError, KeyboardInterrupt):
        pass
    fit(network(), TrackerCallback(name="good", config={"good": True}), epochs=2)
    assert tracker.run is None
    first, second = runs()
    assert [(run.name, run.state) for run in (first, second)] == [("broken", state), ("good", "finished")]
    assert ("good" in first.config, "good" in second.config) == (False, True)
    assert [row["epoch"] for row in second.scan_history()] == [0, 1]


def test_each_trial_of_a_search_is_a_run_even_if_others_failed(runs: Runs) -> None:
    """As with tuners, the callbacks of the trials are copies of one."""
    ours, kept = TrackerCallback(project="p"), []
    for trial in range(4):
        try:
            fit(network(), *copy.deepcopy([ours]), *([Each(fail)] if trial % 2 else []))
        except RuntimeError as error:
            kept.append(error)  # with its traceback, which keeps all frames and their callbacks alive
    fit(network(), copy.deepcopy(ours))
    assert [run.state for run in runs()] == ["finished", "failed", "finished", "failed", "finished"]


def test_a_run_that_the_user_finishes_after_a_failure_is_failed(runs: Runs) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        fit(network(), TrackerCallback(), Each(fail))
    tracker.finish()
    fit(network(), TrackerCallback())
    assert [run.state for run in runs()] == ["failed", "finished"]


def test_two_callbacks_of_one_fit_and_a_fit_within_it_share_the_run(runs: Runs) -> None:
    def inner(*_: Any) -> None:
        fit(network(), TrackerCallback())

    fit(network(), TrackerCallback(), TrackerCallback(), Each(inner))
    assert [run.state for run in runs()] == ["finished"]


def test_two_concurrent_custom_loops_share_the_run(runs: Runs) -> None:
    lists = [keras.callbacks.CallbackList([TrackerCallback()], model=network()) for _ in range(2)]
    for callbacks in lists:
        callbacks.on_train_begin()
    for callbacks in reversed(lists):
        callbacks.on_epoch_end(0, {"loss": 1.0})
        callbacks.on_train_end()
    assert [run.state for run in runs()] == ["finished"]
