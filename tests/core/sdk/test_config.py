from __future__ import annotations

import argparse
import copy
import dataclasses
import enum
import functools
import json
import math
import pickle
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

import tracker

pytestmark = pytest.mark.usefixtures("no_agents")


def kept(run: tracker.Run) -> dict[str, Any]:
    return tracker.read_run(run.dir).config


@dataclasses.dataclass
class Options:
    lr: float = 0.1
    layers: tuple[int, ...] = (1, 2)
    seed: dataclasses.InitVar[int] = dataclasses.field(default=0)

    def __post_init__(self, seed: int) -> None:
        self.seeded = seed


class LikeOmegaconf:
    """Has the methods of omegaconf's DictConfig, and is not a Mapping."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def keys(self) -> Any:
        return self._members.keys()

    def __getitem__(self, key: str) -> Any:
        return self._members[key]


@pytest.mark.parametrize(
    "source",
    [
        {"lr": 0.1, "layers": [1, 2]},
        MappingProxyType({"lr": 0.1, "layers": (1, 2)}),
        argparse.Namespace(lr=0.1, layers=[1, 2]),
        SimpleNamespace(lr=0.1, layers=[1, 2], _private=1),
        Options(seed=5),
        LikeOmegaconf({"lr": 0.1, "layers": [1, 2]}),
    ],
    ids=lambda source: type(source).__name__,
)
def test_a_config_may_be_a_dict_namespace_dataclass_or_similar(source: Any) -> None:
    run = tracker.init(config=source)
    assert dict(run.config) == kept(run) == {"lr": 0.1, "layers": [1, 2]}


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


def double(x: int) -> int:
    return 2 * x


def test_values_are_read_back_as_they_are_kept() -> None:
    values = {
        "nan": math.nan, "big": 10**30, "none": None, "text": "x\ud800", "path": Path("/a/b"), "enum": Colour.RED,
        "level": Level.HIGH, "class": Options, "function": double, "set": {5}, "partial": functools.partial(double, 2),
        "nested": {"a": {1: Options()}, "namespace": SimpleNamespace(b=(1,))}, 7: "key",
    }  # fmt: skip
    run = tracker.init(config=values)
    found = dict(run.config)
    assert repr(found) == repr(kept(run))
    assert math.isnan(found.pop("nan"))
    assert found == {
        "big": 10**30, "none": None, "text": "x?", "path": "/a/b", "enum": "RED", "level": 3,
        "class": f"{__name__}.Options",
        "function": f"{__name__}.double", "set": [5],
        "partial": {"function": f"{__name__}.double", "args": [2]},
        "nested": {"a": {"1": {"lr": 0.1, "layers": [1, 2]}}, "namespace": {"b": [1]}}, "7": "key",
    }  # fmt: skip


def test_arrays_are_lists_if_they_are_small() -> None:
    np = pytest.importorskip("numpy")
    run = tracker.init(config={"small": np.array([1.0, np.nan]), "one": np.float32(0.5), "large": np.zeros((100, 100))})
    assert repr(kept(run)["small"]) == "[1.0, nan]"
    assert kept(run)["one"] == 0.5
    assert kept(run)["large"] == "<ndarray of shape (100, 100), float64>"


def test_each_change_is_in_the_log_when_the_call_returns() -> None:
    run = tracker.init()
    run.config["a"] = 1
    assert kept(run) == {"a": 1}
    run.config.b = 2
    run.config.update({"c": 3}, d=4)
    run.config.update({"a": 5}, allow_val_change=True)
    run.config.setdefaults({"a": 6, "e": 7})
    tracker.config["f"] = 8
    tracker.config.g = 9
    assert kept(run) == {"a": 5, "b": 2, "c": 3, "d": 4, "e": 7, "f": 8, "g": 9}
    assert (run.config.a, run.config["b"], "c" in run.config, len(run.config)) == (5, 2, True, 7)
    assert (tracker.config.a, "b" in tracker.config, dict(tracker.config), {**tracker.config}) == (
        5, True, dict(run.config), dict(run.config),
    )  # fmt: skip


def test_a_missing_member_is_an_error_that_lists_the_members() -> None:
    run = tracker.init(config={"lr": 1})
    with pytest.raises(AttributeError, match="no 'lrr'; it has: lr"):
        run.config.lrr  # noqa: B018
    with pytest.raises(KeyError):
        run.config["lrr"]
    assert run.config.get("lrr", 5) == 5


def test_members_cannot_be_removed() -> None:
    run = tracker.init(config={"lr": 1})
    with pytest.raises(TypeError, match="not removed"):
        del run.config["lr"]


def test_a_copy_of_a_config_is_a_dict_with_attributes_that_belongs_to_no_run() -> None:
    run = tracker.init(config={"net": {"a": 1}})
    for made in (copy.copy(run.config), copy.deepcopy(run.config), pickle.loads(pickle.dumps(run.config))):
        assert json.loads(json.dumps(made)) == made == made.as_dict() == {"net": {"a": 1}}
        made.lr = 1
        assert (made.net, made.lr, kept(run)) == ({"a": 1}, 1, {"net": {"a": 1}})
    copied = copy.deepcopy(run.config)
    copied["net"]["a"] = 2
    assert run.config["net"] == {"a": 1}


def test_a_config_that_contains_itself_is_cut() -> None:
    around: dict[str, Any] = {"a": 1}
    around["again"] = around
    run = tracker.init(config=around)
    assert kept(run)["again"]["again"]["a"] == 1
