"""Rows of batches are in the order of training for any order of threads, and their steps count batches."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

keras = pytest.importorskip("keras")

import numpy as np  # noqa: E402

import tracker  # noqa: E402
from tracker_keras import TrackerCallback  # noqa: E402
from tracker_keras.batch_rows import GROUP_SIZE, BatchRows  # noqa: E402

from .networks import Each, fit, network, x, y  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")

Rows = Callable[..., list[dict[str, Any]]]
in_blocks = pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras has no steps_per_execution on PyTorch")


class Reports(keras.callbacks.Callback):
    """Records what Keras reports to a callback that is not asynchronous."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: list[tuple[int, dict[str, float]]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.logs.append((batch, dict(logs)))


def test_each_batch_is_a_row_of_the_values_that_keras_reports(rows: Rows) -> None:
    reports = Reports()
    fit(network(metrics=["mae"]), TrackerCallback("batch"), reports, epochs=2)
    found = rows("batch/loss")
    assert [row["_step"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert [{k[6:]: v for k, v in row.items() if k != "_step"} for row in found] == [logs for _, logs in reports.logs]


def test_rows_of_batches_and_epochs_are_in_the_order_of_training(rows: Rows) -> None:
    fit(network(), TrackerCallback("batch"), epochs=3, validation_data=(x, y))
    kinds = ["batch/loss" if "batch/loss" in row else "loss" for row in rows()]
    assert kinds == [*["batch/loss"] * 3, "loss"] * 3


def test_a_number_as_log_freq_logs_each_nth_batch_counted_over_epochs(rows: Rows) -> None:
    fit(network(), TrackerCallback(2), epochs=3)
    assert [row["_step"] for row in rows("batch/loss")] == [2, 4, 6, 8]


@pytest.mark.parametrize("log_freq", ["epochs", 0, -1, 1.5, True, None])
def test_invalid_values_of_log_freq_are_refused(log_freq: Any) -> None:
    with pytest.raises(ValueError, match="log_freq"):
        TrackerCallback(log_freq)


@in_blocks
@pytest.mark.parametrize(("log_freq", "steps"), [("epoch", []), ("batch", [2, 3, 5, 6]), (3, [3, 6])])
def test_steps_count_batches_even_if_several_are_executed_at_once(rows: Rows, log_freq: Any, steps: Any) -> None:
    fit(network(steps_per_execution=2), TrackerCallback(log_freq), epochs=2)
    assert [row["_step"] for row in rows("batch/loss")] == steps
    assert [row["_step"] for row in rows("loss")] == [3, 6]


@in_blocks
@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_a_short_last_block_counts_only_its_trained_batches(rows: Rows, log_freq: Any) -> None:
    def batches() -> Iterator[Any]:
        for start in (0, 4, 8):
            yield x[start : start + 4], y[start : start + 4]

    network(steps_per_execution=2).fit(batches(), shuffle=False, verbose=0, callbacks=[TrackerCallback(log_freq)])
    assert [row["_step"] for row in rows("batch/loss")] == ([2, 3] if log_freq == "batch" else [])
    assert [row["_step"] for row in rows("loss")] == [3]


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_the_step_continues_over_fits_of_one_run(rows: Rows, log_freq: Any) -> None:
    with tracker.init():
        model = network()
        fit(model, TrackerCallback(log_freq), epochs=2)
        fit(model, TrackerCallback(log_freq), epochs=4, initial_epoch=2)
    assert [(row["epoch"], row["_step"]) for row in rows("loss")] == [(0, 3), (1, 6), (2, 9), (3, 12)]
    if log_freq == "batch":
        assert [row["_step"] for row in rows("batch/loss")] == [*range(1, 13)]


def test_the_step_continues_over_runs_of_one_model_and_starts_anew_for_another_model(
    runs: Callable[[], list[Any]],
) -> None:
    model, ours = network(), TrackerCallback()
    for network_ in (model, model, network()):
        fit(network_, ours)
    assert [[row["_step"] for row in run.scan_history()] for run in runs()] == [[3], [6], [3]]


def test_the_step_continues_in_a_resumed_run(rows: Rows) -> None:
    for _ in range(2):
        fit(network(), TrackerCallback(id="r", resume="allow"))
    assert [row["_step"] for row in rows("loss")] == [3, 6]


def test_the_step_starts_at_initial_global_step(rows: Rows) -> None:
    fit(network(), TrackerCallback("batch", initial_global_step=100))
    assert [row["_step"] for row in rows("batch/loss")] == [101, 102, 103]


def test_batches_of_an_epoch_that_an_exception_ended_are_kept(rows: Rows) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    ours = TrackerCallback("batch")
    with tracker.init():
        with pytest.raises(RuntimeError, match="mine"):
            fit(network(), Each(fail), ours)
        fit(network(), ours)
    assert [row["_step"] for row in rows("batch/loss")] == [1, 2, 3, 4, 5, 6]


def test_calls_from_many_threads_out_of_order_are_logged_in_order() -> None:
    order: list[int] = []
    batches = BatchRows(lambda logs, step: order.append((step, logs["loss"])), 1, 1)  # type: ignore[arg-type]
    numbers = [*range(2000)]
    for start in range(0, 2000, 16):  # as unordered as with a pool of threads
        part = numbers[start : start + 16]
        random.Random(start).shuffle(part)
        numbers[start : start + 16] = part
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: batches.take(n, {"loss": float(n)}), numbers))
    finally:
        sys.setswitchinterval(switching)
    assert batches.finish(lambda reported: reported) == 2000
    assert order == [(n + 1, float(n)) for n in range(2000)]  # type: ignore[comparison-overlap]


def test_batches_with_gaps_in_their_numbers_are_logged_in_order() -> None:
    order: list[int] = []
    batches = BatchRows(lambda _logs, step: order.append(step), 1, 1)
    for number in (30, 10, 20):
        batches.take(number, {"loss": 0.0})
    assert batches.finish(lambda reported: reported) == 31
    assert order == [11, 21, 31]


def test_numbers_are_logged_at_once_if_no_earlier_batch_is_missing() -> None:
    logged: list[int] = []
    batches = BatchRows(lambda _logs, step: logged.append(step), 1, 1)
    found = []
    for number in (0, 2, 1, 3):
        batches.take(number, {"loss": 0.5})
        found.append([*logged])
    assert found == [[1], [1], [1, 2, 3], [1, 2, 3, 4]]


def test_the_latest_block_waits_for_the_next_since_it_may_be_shorter() -> None:
    logged: list[int] = []
    batches = BatchRows(lambda _logs, step: logged.append(step), 1, 2)
    for number in (1, 3, 5):
        batches.take(number, {"loss": 0.5})
    assert logged == [2, 4]
    assert batches.finish(lambda _reported: 5) == 5
    assert logged == [2, 4, 5]


def test_tensors_are_logged_in_groups_or_after_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, logged = [0.0], []
    monkeypatch.setattr("tracker_keras.batch_rows.monotonic", lambda: now[0])
    batches = BatchRows(lambda _logs, step: logged.append(step), 1, 1)
    loss = keras.ops.convert_to_tensor(0.5)
    for number in range(GROUP_SIZE - 1):
        batches.take(number, {"loss": loss})
    assert logged == []
    batches.take(GROUP_SIZE - 1, {"loss": loss})
    assert logged == [*range(1, GROUP_SIZE + 1)]
    for number in (GROUP_SIZE, GROUP_SIZE + 1, GROUP_SIZE + 2):
        now[0] += 0.3
        batches.take(number, {"loss": loss})
    assert logged == [*range(1, GROUP_SIZE + 3)]


def test_tensors_in_logs_become_numbers(rows: Rows) -> None:
    ours = TrackerCallback("batch")  # called directly: a CallbackList would convert them itself
    ours.on_train_begin()
    for batch in range(3):
        ours.on_train_batch_end(batch, {"loss": keras.ops.convert_to_tensor(np.float32(batch))})
    ours.on_train_end()
    assert [(row["_step"], row["batch/loss"]) for row in rows()] == [(1, 0.0), (2, 1.0), (3, 2.0)]
