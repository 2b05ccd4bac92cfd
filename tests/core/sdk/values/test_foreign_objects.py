"""Test how objects become config values: by their members, or by the name of a callable."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import enum
import fractions
import functools
import operator
import pathlib
import re
import types
import typing
import uuid
from typing import Any

import pytest

import tracker

pytestmark = pytest.mark.usefixtures("no_agents")


def kept(value: Any) -> Any:
    """Return one member of a config as a reader gets it."""
    with tracker.init(config={"x": value}, reinit="create_new") as run:
        assert repr(run.config["x"]) == repr(tracker.read_run(run.dir).config["x"])
    return tracker.read_run(run.dir).config["x"]


def whole(config: Any) -> Any:
    """Return a whole config as a reader gets it."""
    with tracker.init(config=config, reinit="create_new") as run:
        pass
    return tracker.read_run(run.dir).config


def double(x: int, by: int = 2) -> int:
    return by * x


class Point(typing.NamedTuple):
    x: int
    y: str = "up"


class Colour(enum.Enum):
    RED = 1


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Mode(str, enum.Enum):
    TRAIN = "train"


class Warmup:
    """A callable with arguments, like schedules and losses."""

    def __init__(self) -> None:
        self.steps = 100
        self.inner = types.SimpleNamespace(power=0.5)
        self.token = "abc"
        self.data = list(range(101))
        self._cache = 1

    def __call__(self) -> int:
        return self.steps

    def method(self) -> None: ...

    @classmethod
    def made(cls) -> None: ...


class Slots:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = 1


class Convertible:
    """Like the configurations of many libraries."""

    def __init__(self, layers: int = 2) -> None:
        self._layers = layers

    def __repr__(self) -> str:
        return "Convertible"

    def to_dict(self) -> dict[str, Any]:
        return {"layers": self._layers, "inner": Point(1)}

    @classmethod
    def from_dict(cls, members: dict[str, Any]) -> Convertible:
        return cls(members["layers"])


class Printed:
    def __repr__(self) -> str:
        return "Printed(5)"


ME = __name__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(1), {"x": 1, "y": "up"}),
        (argparse.Namespace(a=1, inner=argparse.Namespace(b=[2])), {"a": 1, "inner": {"b": [2]}}),
        (types.SimpleNamespace(a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.UserDict(a=1), {"a": 1}),
        (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (collections.deque([1, 2], 5), [1, 2]),
        (collections.UserList([1]), [1]),
        (range(3), [0, 1, 2]),
        (range(10**12), "range(0, 1000000000000)"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        ({1, "a", None}, [None, 1, "a"]),
        ({"b": 1, "a": 2}.keys(), ["b", "a"]),
        ({"b": 1}.values(), [1]),
        ({"b": 1}.items(), [["b", 1]]),
        (Colour.RED, "RED"),
        (Rights.READ | Rights.WRITE, "READ|WRITE"),
        (Mode.TRAIN, "train"),
        ({Colour.RED: 1, 2: 3}, {"RED": 1, "2": 3}),
        ({1: "a", "1": "b"}, {"1": "a", "1 (2)": "b"}),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (datetime.datetime(2024, 2, 1, 12), "2024-02-01 12:00:00"),
        (datetime.timedelta(days=1), "1 day, 0:00:00"),
        (decimal.Decimal("0.5"), 0.5),
        (fractions.Fraction(1, 4), 0.25),
        (1 + 2j, "(1+2j)"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (b"x", "b'x'"),
        (re.compile("a+"), "re.compile('a+')"),
        (list[int], "list[int]"),
        (typing.Optional[int], "typing.Optional[int]"),  # noqa: UP045
        (re, "re"),
        (Printed(), "Printed(5)"),
        (Slots(), {"class": f"{ME}.Slots", "a": 1}),
        (Convertible(), {"layers": 2, "inner": {"x": 1, "y": "up"}}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_keeps_its_content(value: Any, expected: Any) -> None:
    assert kept(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (double, f"{ME}.double"),
        (Warmup, f"{ME}.Warmup"),
        (Warmup().method, f"{ME}.Warmup.method"),
        (Warmup.made, f"{ME}.Warmup.made"),
        (len, "builtins.len"),
        ([].append, "list.append"),
        (functools.lru_cache(double), f"{ME}.double"),
        (operator.itemgetter("a"), "operator.itemgetter('a')"),
        (functools.partial(double, by=3), {"function": f"{ME}.double", "kwargs": {"by": 3}}),
        (functools.partial(double, Point(1)), {"function": f"{ME}.double", "args": [{"x": 1, "y": "up"}]}),  # type: ignore[arg-type]
        (functools.partialmethod(double, 1), {"function": f"{ME}.double", "args": [1]}),
        (Warmup(), {"class": f"{ME}.Warmup", "steps": 100, "inner": {"power": 0.5}, "data": "<list of 101 items>"}),
    ],
    ids=["function", "class", "method", "classmethod", "builtin", "bound builtin", "cached", "itemgetter",
         "keywords", "arguments", "partialmethod", "instance"],
)  # fmt: skip
def test_a_callable_becomes_its_name(value: Any, expected: Any) -> None:
    assert kept(value) == expected


def test_a_lambda_becomes_its_file_and_line() -> None:
    function = lambda x: x  # noqa: E731
    line = function.__code__.co_firstlineno
    name = "test_a_lambda_becomes_its_file_and_line.<locals>.<lambda>"
    assert kept(function) == f"{ME}.{name} (test_foreign_objects.py:{line})"


def test_iterators_are_not_consumed() -> None:
    numbers = (i for i in range(3))
    assert kept({"generator": numbers, "zip": zip([1], [2], strict=True), "file": iter([1])}) == {
        "generator": "<generator object test_iterators_are_not_consumed.<locals>.<genexpr>>",
        "zip": "<builtins.zip>",
        "file": "<builtins.list_iterator>",
    }
    assert list(numbers) == [0, 1, 2]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Point(1), {"x": 1, "y": "up"}),
        (Slots(), {"a": 1}),
        (collections.UserDict(a=Point(1)), {"a": {"x": 1, "y": "up"}}),
    ],
)
def test_a_whole_config_is_read_in_the_same_way(config: Any, expected: Any) -> None:
    assert whole(config) == expected


@pytest.mark.parametrize("config", [5, "text", ["a"], ("a", 1), {1}, double, Warmup, Warmup(), object()])
def test_a_config_without_members_is_a_type_error_before_anything_is_written(
    config: Any, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(TypeError, match="config takes a dict"):
        tracker.init(config=config, dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    assert tracker.run is None or tracker.run.finished


# -- libraries ------------------------------------------------------------------------------------------------------


def test_pydantic_models_have_members() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Inner(pydantic.BaseModel):
        lr: float = 0.1

    class Model(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        inner: Inner = Inner()
        several: list[Inner] = [Inner(lr=1), Inner(lr=2)]  # noqa: RUF012
        password: pydantic.SecretStr = pydantic.SecretStr("secret")

    expected = {
        "inner": {"lr": 0.1}, "several": [{"lr": 1.0}, {"lr": 2.0}], "password": "**********", "more": 5,
    }  # fmt: skip
    assert kept(Model(more=5)) == expected
    assert whole(Model(more=5)) == expected

    @pydantic.dataclasses.dataclass
    class Data:
        a: int = 1

    assert kept([Data()]) == [{"a": 1}]


def test_models_of_pydantic_1_have_members() -> None:
    pytest.importorskip("pydantic")
    v1 = pytest.importorskip("pydantic.v1")
    model = v1.create_model("Model", a=(int, 1))
    assert kept(model()) == {"a": 1}
    assert whole(model()) == {"a": 1}


def test_attrs_have_members() -> None:
    attrs = pytest.importorskip("attrs")
    slotted = attrs.make_class("Slotted", {"x": attrs.field(default=1), "y": attrs.field(factory=list)}, slots=True)
    plain = attrs.make_class("Plain", {"inner": attrs.field(default=slotted())}, slots=False)
    assert kept(plain()) == whole(plain()) == {"inner": {"x": 1, "y": []}}


def test_containers_of_omegaconf_are_resolved() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create({"a": 1, "b": "${a}", "l": [1, "${a}", {"c": 2}], "e": {"f": "${a}"}})
    expected = {"a": 1, "b": 1, "l": [1, 1, {"c": 2}], "e": {"f": 1}}
    assert kept(config) == whole(config) == expected
    assert kept(config.l) == [1, 1, {"c": 2}]


def test_torch_objects_become_readable_values() -> None:
    torch = pytest.importorskip("torch")
    assert kept(
        {
            "dropout": torch.nn.Dropout(0.25), "relu": torch.nn.ReLU(), "function": torch.nn.functional.relu,
            "size": torch.Size([1, 2]), "dtype": torch.float16, "device": torch.device("cpu"),
        }
    ) == {
        "dropout": "torch.nn.modules.dropout.Dropout(p=0.25, inplace=False)",
        "relu": "torch.nn.modules.activation.ReLU", "function": "torch.nn.functional.relu",
        "size": [1, 2], "dtype": "torch.float16", "device": "cpu",
    }  # fmt: skip


def test_a_jax_compiled_function_becomes_the_name_of_the_function() -> None:
    jax = pytest.importorskip("jax")
    assert kept(jax.jit(double)) == f"{ME}.double"


def test_small_data_frames_and_series_keep_their_labels() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2]})
    assert kept({"frame": frame, "series": pandas.Series({"x": 0.5, "y": 1.0}), "index": frame.index}) == {
        "frame": {"a": {"0": 1, "1": 2}}, "series": {"x": 0.5, "y": 1.0}, "index": [0, 1],
    }  # fmt: skip
    assert kept(pandas.DataFrame({"a": range(2000)})) == "<DataFrame of shape (2000, 1)>"


def test_numpy_objects_become_readable_values() -> None:
    np = pytest.importorskip("numpy")
    values = {"dtype": np.dtype("float32"), "type": np.float32, "scalar": np.float32(0.5), "ufunc": np.add}
    assert kept(values) == {"dtype": "float32", "type": "numpy.float32", "scalar": 0.5, "ufunc": "numpy.add"}
