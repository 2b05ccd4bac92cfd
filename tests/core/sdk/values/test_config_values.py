"""Test that users' objects that fail when they are read affect only their own value."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracker

pytestmark = pytest.mark.usefixtures("no_agents")


def fails(*_arguments: Any, **_keywords: Any) -> Any:
    raise RuntimeError("it fails")


def made(*bases: type, **members: Any) -> type:
    return type("Odd", bases, members)


@dataclasses.dataclass
class Unset:
    a: int = 1
    b: int = dataclasses.field(init=False)


class Lazy(Mapping[str, Any]):
    """A mapping with one member that cannot be read."""

    def __iter__(self) -> Iterator[str]:
        return iter(["a", "b"])

    def __len__(self) -> int:
        return 2

    def __getitem__(self, key: str) -> Any:
        return 1 if key == "a" else fails()


class Half(Lazy):
    def __iter__(self) -> Iterator[str]:
        yield "a"
        fails()


class Endless(Lazy):
    def __iter__(self) -> Iterator[Any]:
        number = 0
        while True:
            yield (number := number + 1)

    def __getitem__(self, key: str) -> Any:
        return 1


class Deep(Lazy):
    """Each member is a new object, made when it is read."""

    def __getitem__(self, key: str) -> Any:
        return Deep()


class Huge(Sequence[int]):
    def __len__(self) -> int:
        return 10**12

    def __getitem__(self, at: Any) -> Any:
        return at


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        return fails()


class Silent(Exception):
    __str__ = fails


def raise_silent(*_arguments: Any) -> Any:
    raise Silent


def around() -> Any:
    found: list[Any] = [1]
    found.append(found)
    return found


def crossing() -> Any:
    """Make objects that refer to each other so often that there are endless paths through them."""
    many: list[Any] = [{} for _ in range(30)]
    for one in many:
        one.update({str(i): other for i, other in enumerate(many)})
    return many


def nested(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


ODD = {
    "unset field": Unset,
    "lazy mapping": Lazy,
    "half a mapping": Half,
    "endless mapping": Endless,
    "deep mapping": Deep,
    "huge sequence": Huge,
    "keys that raise": lambda: made(dict, keys=fails)(a=1),
    "keys and iter that raise": lambda: made(dict, keys=fails, __iter__=fails)(a=1),
    "items that raise": lambda: made(dict, items=fails)(a=1),
    "getitem that raises": lambda: made(dict, __getitem__=fails)(a=1),
    "iter that raises": lambda: made(list, __iter__=fails)([1]),
    "len and bool that raise": lambda: made(list, __len__=fails, __bool__=fails)([1]),
    "attributes that raise": lambda: made(object, __getattr__=fails)(),
    "all attributes that raise": lambda: made(object, __getattribute__=fails)(),
    "class that raises": lambda: made(object, __class__=property(fails))(),
    "dict that raises": lambda: made(object, __dict__=property(fails))(),
    "metaclass that raises": lambda: Meta("Odd", (), {})(),
    "str that raises": lambda: made(object, __str__=fails)(),
    "repr that raises": lambda: made(object, __repr__=fails)(),
    "callable whose repr raises": lambda: made(object, __repr__=fails, __call__=fails)(),
    "hash that raises": lambda: {"set": [made(object, __hash__=fails, __eq__=fails)()]},
    "shape that raises": lambda: made(object, shape=property(fails), dtype="f", __array__=fails)(),
    "item that raises": lambda: made(object, shape=(), dtype="f", __array__=fails, item=fails)(),
    "float that raises": lambda: made(float, __float__=fails)(1.0),
    "int that raises": lambda: made(int, __int__=fails, __index__=fails)(1),
    "str whose methods raise": lambda: made(str, encode=fails, __str__=fails)("text"),
    "path that raises": lambda: made(object, __fspath__=fails)(),
    "keys without text": lambda: {made(object, __str__=fails)(): 1, made(object, __str__=fails)(): 2},
    "errors without text": lambda: made(object, __str__=raise_silent, __repr__=raise_silent)(),
    "integer without decimals": lambda: 10**20_000,
    "a list in itself": around,
    "many in each other": crossing,
    "100,000 lists deep": lambda: nested(100_000),
    "enum that raises": lambda: made(dict)(a=made(object, name=property(fails))()),
}


_ARRAYS = (ODD["shape that raises"], ODD["item that raises"])


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_unreadable_member_affects_no_other_member_of_a_config(odd: Any) -> None:
    run = tracker.init(config={"lr": 0.1, "odd": odd(), "nested": {"lr": 0.2, "list": [1, odd(), 2]}, "last": 5})
    run.config.update({"later": odd(), "after": 1})
    run.config.setdefaults({"default": odd(), "lr": 9})
    found = tracker.read_run(run.dir)
    assert found.info["corrupt"] == found.info["lost"] == run.dropped == 0
    assert (found.config["lr"], found.config["last"], found.config["after"]) == (0.1, 5, 1)
    assert found.config["nested"]["lr"] == 0.2
    assert found.config["nested"]["list"][::2] == [1, 2]
    assert found.config.keys() == {"lr", "odd", "nested", "last", "later", "after", "default"}
    assert set(run.config) == set(found.config)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_unreadable_config_does_not_stop_the_training(odd: Any) -> None:
    config = odd()
    kind = type(config)
    if issubclass(kind, (int, float, str, list)) or callable(config) or odd in _ARRAYS:
        with pytest.raises(TypeError, match="config takes a dict"):
            tracker.init(config=config)
        assert not Path(".tracker").exists()
        return
    with tracker.init(config=config) as run:
        run.config["lr"] = 0.1
    assert tracker.read_run(run.dir).config["lr"] == 0.1


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_unreadable_value_affects_no_other_value_of_a_row(odd: Any, rows: Any) -> None:
    run = tracker.init()
    run.log({"loss": 0.5, "odd": odd(), "nested": {"acc": 1, "odd": odd()}, "list": [odd(), 2], "last": 3})
    run.summary.update({"best": 4, "odd": odd()})
    ((row),) = rows(run)
    assert (row["loss"], row["nested/acc"], row["last"], row["list"][1]) == (0.5, 1, 3, 2)
    found = tracker.read_run(run.dir)
    assert found.summary["best"] == run.summary["best"] == 4
    assert found.info["corrupt"] == run.dropped == 0


def test_unreadable_members_become_text_with_one_warning(warnings: Any) -> None:
    run = tracker.init(config={"lr": 0.1, "unset": Unset(), "lazy": Lazy()})
    assert tracker.read_run(run.dir).config == {
        "lr": 0.1,
        "unset": {"a": 1, "b": "<unreadable: AttributeError: 'Unset' object has no attribute 'b'>"},
        "lazy": {"a": 1, "b": "<unreadable: RuntimeError: it fails>"},
    }
    (warning,) = warnings()
    assert "what cannot be read is kept as text: 'unset/b' (AttributeError" in warning
    assert "'lazy/b' (RuntimeError: it fails)" in warning
    run.config.update({"lazy": Lazy(), "unset": Unset()})
    run.config.update({"lazy": Lazy(), "unset": Unset()})
    assert len(warnings()) == 1  # other members, one warning


def test_an_unreadable_value_of_a_row_becomes_text_with_one_warning(rows: Any, warnings: Any) -> None:
    run = tracker.init()
    for _ in range(3):
        run.log({"loss": 1, "lazy": Lazy(), "list": [1, made(object, __str__=fails)()]})
    text = "<unreadable: RuntimeError: it fails>"
    first = rows(run)[0]
    assert (first["loss"], first["lazy/a"], first["lazy/b"]) == (1, 1, text)
    assert len(warnings()) == 2  # one a name
    run.log({"many": [made(object)() for _ in range(1000)], "more": {str(i): Lazy() for i in range(1000)}})
    assert len(warnings()) <= 5


def test_an_unreadable_row_is_counted_as_lost(rows: Any, warnings: Any) -> None:
    class Mute(Lazy):
        __iter__ = fails
        keys = fails

    run = tracker.init()
    run.log({"x": 1})
    run.log(Mute())
    run.summary.update(Mute())
    run.log({"x": 2})
    assert [row["x"] for row in rows(run)] == [1, 2]
    assert tracker.read_run(run.dir).info["lost"] == run.dropped == 2
    assert "that cannot be read is lost" in warnings()[0]


def test_an_unreadable_config_is_reported(warnings: Any) -> None:
    class Mute(Lazy):
        __iter__ = fails
        keys = fails

    run = tracker.init(config=Mute())
    assert tracker.read_run(run.dir).config == {}
    assert "the whole (RuntimeError: it fails)" in warnings()[0]


def test_unreadable_objects_in_other_arguments_do_not_stop_the_training(rows: Any) -> None:
    mute = made(object, __str__=fails, __repr__=fails)()
    run = tracker.init()
    run.log({"x": 1}, step=mute)
    run.alert(mute, mute)
    run.name = run.notes = run.group = run.job_type = mute
    run.tags = [mute]
    with pytest.raises(TypeError, match="takes a dict"):
        run.log(made(object, __class__=property(fails))())
    (row,) = rows(run)
    assert (row["_step"], row["x"]) == (0, 1)
    found = tracker.read_run(run.dir)
    assert "no text" in found.name
    assert len(found.alerts()) == 1


def test_an_interrupt_while_a_config_is_read_leaves_no_directory() -> None:
    def interrupt(_self: Any) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tracker.init(config={"x": made(object, __str__=interrupt)()})
    assert not os.path.exists(".tracker")


def test_secrets_in_attributes_of_objects_are_left_out() -> None:
    class Client:
        def __init__(self) -> None:
            self.url, self.api_key, self.password = "http://x", "k", "p"

    run = tracker.init(config={"client": Client()})
    assert set(tracker.read_run(run.dir).config["client"]) == {"class", "url"}


def test_tensors_without_data_are_reported() -> None:
    torch = pytest.importorskip("torch")
    run = tracker.init(config={"meta": torch.ones(2, 3, device="meta"), "none": torch.nn.UninitializedParameter()})
    run.log({"meta": torch.ones((), device="meta"), "loss": torch.tensor(0.5)})
    found = tracker.read_run(run.dir)
    assert found.config["meta"] == "<Tensor of shape (2, 3), torch.float32>"
    assert "UninitializedParameter" in found.config["none"]
    assert found.summary == {"meta": "<Tensor of shape (), torch.float32>", "loss": 0.5}


@pytest.mark.parametrize("whole", [False, True])
def test_unresolvable_omegaconf_references_are_kept_as_text(whole: bool, warnings: Any) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    written = {"a": 1, "no": "???", "gone": "${nowhere}", "l": [1, "${nowhere}"], "r": "${s}", "s": "${r}", "b": "${a}"}
    config = omegaconf.OmegaConf.create({"x": written} if not whole else written)
    run = tracker.init(config=config)
    found = tracker.read_run(run.dir).config
    assert (found if whole else found["x"])["b" if whole else "a"] == 1
    if whole:
        assert found == {**written, "b": 1}
    assert len(warnings()) == 1


_COSTLY = ("endless mapping", "deep mapping", "many in each other", "100,000 lists deep")

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from(list(ODD)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner, max_size=3)
        | st.builds(collections.deque, st.lists(inner, max_size=3))
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(), anything, max_size=4))
def test_the_log_is_valid_whatever_the_values_are(values: dict[str, Any]) -> None:
    cheap = {name: odd for name, odd in ODD.items() if name not in _COSTLY}
    odd = {k: cheap[v]() if isinstance(v, str) and v in cheap else v for k, v in values.items()}  # type: ignore[operator]
    with tracker.init(config=odd, reinit="create_new", settings={"silent": True}) as run:
        run.log(odd)
        run.summary.update(odd)
    found = tracker.read_run(run.dir)
    assert found.info["corrupt"] == found.info["lost"] == 0
    assert found.info["rows"] == 1
    assert len(found.config) == len(odd)
    json.dumps(found.config)
