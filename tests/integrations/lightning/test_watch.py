"""`TrackerLogger.watch` logs histograms of a model."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tracker.torch_watch import BINS  # noqa: E402
from tracker_lightning import TrackerLogger  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")


def steps(model: Any, count: int) -> None:
    for _ in range(count):
        model(torch.ones(2, 4)).sum().backward()


def test_gradients_are_logged_each_nth_backward_pass(one: Any, rows: Any) -> None:
    model, logger = torch.nn.Linear(4, 3), TrackerLogger()
    logger.watch(model, log_freq=3, log_graph=False)
    steps(model, 7)
    assert [sorted(row) for row in rows(logger)] == [["_step", "gradients/bias", "gradients/weight"]] * 2
    first = rows(logger)[0]["gradients/weight"]
    assert (sum(first["counts"]), len(first["bins"])) == (12, BINS + 1)
    # After 3 passes each gradient is 3 × 2 samples × 1: all equal.
    assert first["bins"][BINS // 2] == 6.0
    assert first["counts"][BINS // 2] == 12


def test_parameters_or_both_can_be_logged(one: Any, rows: Any) -> None:
    for log, keys in (("parameters", ["parameters"]), ("all", ["gradients", "parameters"]), (None, [])):
        model, logger = torch.nn.Linear(4, 3, bias=False), TrackerLogger()
        logger.watch(model, log, log_freq=1)  # type: ignore[arg-type]
        steps(model, 1)
        found = rows(logger)
        assert [sorted(row) for row in found] == ([["_step", *(f"{key}/weight" for key in keys)]] if keys else [])
        assert "model" in logger.experiment.summary
    with pytest.raises(ValueError, match="log_freq"):
        logger.watch(model, log_freq=0)
    with pytest.raises(ValueError, match="log 'some'"):
        logger.watch(model, "some")  # type: ignore[arg-type]


def test_histograms_have_the_counts_of_numpy(one: Any, rows: Any) -> None:
    np = pytest.importorskip("numpy")
    values = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    model, logger = torch.nn.ParameterDict({"p": values.clone()}), TrackerLogger()
    with torch.no_grad():
        model["p"][:3] = torch.tensor([math.nan, math.inf, -math.inf])
    logger.watch(model, "parameters", log_freq=1, log_graph=False)
    model["p"][3:].sum().backward()
    found = rows(logger)[0]["parameters/p"]
    finite = values[3:].numpy().astype(np.float64)
    counts, edges = np.histogram(finite, BINS)
    assert found["nonfinite"] == 3
    assert found["bins"] == pytest.approx(edges.tolist())
    assert sum(found["counts"]) == 997
    assert sum(abs(a - b) for a, b in zip(found["counts"], counts.tolist(), strict=True)) <= 4  # float32 at the edges


@pytest.mark.parametrize("value", [0.0, 1e30, -3e38, math.nan])
def test_values_of_any_magnitude_become_a_histogram(one: Any, rows: Any, value: float) -> None:
    model, logger = torch.nn.ParameterDict({"p": torch.tensor([value, value, -value])}), TrackerLogger()
    logger.watch(model, "parameters", log_freq=1, log_graph=False)
    model["p"].sum().backward()
    found = rows(logger)[0]["parameters/p"]
    assert sum(found["counts"]) + found.get("nonfinite", 0) == 3


def test_parameters_without_gradient_do_not_delay_the_others(one: Any, rows: Any) -> None:
    model, logger = torch.nn.ModuleList([torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)]), TrackerLogger()
    model[0].bias.requires_grad_(False)
    logger.watch(model, log_freq=2, log_graph=False)
    steps(model[0], 5)
    logger.unwatch(model)
    steps(model[0], 5)
    assert [sorted(row) for row in rows(logger)] == [["_step", "gradients/0.weight"]] * 2


def test_sparse_gradients_and_deterministic_algorithms_work(one: Any, rows: Any) -> None:
    model, logger = torch.nn.Embedding(10, 2, sparse=True), TrackerLogger()
    logger.watch(model, log_freq=1, log_graph=False)
    torch.use_deterministic_algorithms(True)
    try:
        model(torch.tensor([1, 2])).sum().backward()
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    assert sum(rows(logger)[0]["gradients/weight"]["counts"]) == 4


def test_histograms_in_training_have_the_step_of_their_batch(pl: Any, trainer: Any, model: Any, rows: Any) -> None:
    logger, watched = TrackerLogger(), model(pl)
    logger.watch(watched, "all", log_freq=2)
    trainer(pl, logger).fit(watched)
    found = [row for row in rows(logger) if "gradients/layer.weight" in row]
    assert [row["_step"] for row in found] == [row["trainer/global_step"] for row in found] == [1, 3]
    assert "parameters/layer.bias" in found[0]


def test_unwatch_leaves_no_hook(one: Any, rows: Any) -> None:
    model, logger = torch.nn.Linear(4, 3), TrackerLogger()
    logger.watch(model, log_freq=1)
    logger.watch(model, log_freq=1)  # watching again replaces the first watch
    steps(model, 1)
    logger.unwatch()
    steps(model, 1)
    assert len([row for row in rows(logger) if "gradients/bias" in row]) == 1
    assert not model.weight._post_accumulate_grad_hooks


def test_histograms_wait_for_the_device_only_after_all_are_computed(one: Any, rows: Any) -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Operations(TorchDispatchMode):
        names: list[str] = []  # noqa: RUF012

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.names.append(str(function.overloadpacket))
            return function(*args, **(kwargs or {}))

    model, logger = torch.nn.Linear(4, 3), TrackerLogger()
    logger.watch(model, "all", log_freq=1, log_graph=False)
    with Operations() as operations:
        steps(model, 1)
    assert "aten.histc" in operations.names
    assert not {"aten._local_scalar_dense", "aten.nonzero", "aten.masked_select"} & set(operations.names)
    assert operations.names.count("aten.stack") == 4 + 1  # one for each tensor, and one for all together
    assert len(rows(logger)) == 1
