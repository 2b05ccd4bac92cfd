"""Test `Run.watch`: histograms of a torch model while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker

torch: Any = pytest.importorskip("torch")

BINS = 64


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[tracker.Run]:
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    with tracker.init(mode="offline") as run:
        yield run


def net() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1, bias=False))


def backward(model: Any) -> None:
    model.zero_grad()
    model(torch.ones(8, 4)).sum().backward()


def rows(run: tracker.Run) -> list[dict[str, Any]]:
    return list(tracker.read_run(run.dir).scan_history())


def histograms(run: tracker.Run) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if "/" in k} for row in rows(run)]


def test_gradients_are_logged_every_n_passes_at_the_present_step(run: tracker.Run) -> None:
    model = net()
    run.watch(model, log_freq=2)
    for _ in range(4):
        backward(model)
        run.log({"loss": 1.0})
    found = [(row["_step"], sorted(k for k in row if "/" in k)) for row in rows(run) if "loss" not in row]
    names = ["gradients/0.bias", "gradients/0.weight", "gradients/1.weight"]
    assert found == [(1, names), (3, names)]
    assert [row["_step"] for row in rows(run) if "loss" in row] == [0, 1, 2, 3]


def test_a_histogram_counts_every_value_from_minimum_to_maximum(run: tracker.Run) -> None:
    model = net()
    run.watch(model, log="all", log_freq=1)
    backward(model)
    (row,) = histograms(run)
    for name, parameter in model.named_parameters():
        for kind, values in (("gradients", parameter.grad), ("parameters", parameter)):
            histogram = row[f"{kind}/{name}"]
            assert (sum(histogram["counts"]), len(histogram["counts"])) == (values.numel(), BINS)
            low, high = values.detach().min().item(), values.detach().max().item()
            if low < high:
                assert histogram["bins"][0] == pytest.approx(low)
                assert histogram["bins"][-1] == pytest.approx(high)


def test_non_finite_values_are_counted_separately(run: tracker.Run) -> None:
    model = net()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[math.nan, math.inf, 2.0]]))
    run.watch(model, log="parameters", log_freq=1)
    backward(model)
    histogram = histograms(run)[0]["parameters/1.weight"]
    assert (histogram["nonfinite"], sum(histogram["counts"])) == (2, 1)


def test_all_histograms_of_a_pass_are_fetched_in_one_transfer(
    run: tracker.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []
    for name in ("tolist", "item", "cpu", "numpy", "__bool__", "__float__", "__int__"):
        kept = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda *a, _n=name, _k=kept: fetched.append(_n) or _k(*a))
    model = net()
    run.watch(model, log="all", log_freq=1)
    fetched.clear()
    backward(model)
    assert fetched == ["tolist"]


def test_unwatch_and_finish_leave_the_model_alone(run: tracker.Run) -> None:
    one, other = net(), net()
    run.watch(one, log_freq=1)
    run.watch(other, log_freq=1)
    run.unwatch(one)
    backward(one)
    assert histograms(run) == []
    backward(other)
    assert len(histograms(run)) == 1
    run.finish()
    backward(other)
    assert len(histograms(run)) == 1


def test_watching_again_replaces_and_does_not_double(run: tracker.Run) -> None:
    model = net()
    for _ in range(2):
        run.watch(model, log_freq=1)
    backward(model)
    assert len(histograms(run)) == 1


def test_deterministic_algorithms_stay_on_and_do_not_prevent_histograms(run: tracker.Run) -> None:
    torch.use_deterministic_algorithms(True)
    try:
        model = net()
        run.watch(model, log_freq=1)
        backward(model)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(histograms(run)) == 1


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda run: run.watch("model"), TypeError),
        (lambda run: run.watch(net(), log="weights"), ValueError),
        (lambda run: run.watch(net(), log_freq=0), ValueError),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_is_allowed(
    run: tracker.Run, use: Callable[[tracker.Run], None], error: type[Exception]
) -> None:
    with pytest.raises(error):
        use(run)
    assert Path(run.dir).is_dir()
