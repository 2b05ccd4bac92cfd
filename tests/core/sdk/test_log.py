from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import tracker

pytestmark = pytest.mark.usefixtures("no_agents")

Rows = Any
Start = Any


class Colour(enum.Enum):
    RED = "red"


class Unknown:
    def __str__(self) -> str:
        return "an unknown thing"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no")


@dataclass
class Point:
    x: float


def one(start: Start, rows: Rows, data: Any) -> dict[str, Any]:
    run = start()
    run.log(data)
    ((row),) = rows(run)
    assert row.pop("_step") == 0
    return dict(row)


def same(found: Any, expected: Any) -> bool:
    return repr(found) == repr(expected)


# -- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 2**64, 10**40, -(10**40), 0.1, -0.0, 5e-324, 1.7976931348623157e308,
        math.nan, math.inf, -math.inf, True, False, None, "", "text", "null", 'quo"te\n{"c":"', "ünïcödé 🎉", [],
        [1, 2.5, "x", None],
        [math.nan, [math.inf]], ["[", "{"],
    ],
)  # fmt: skip
def test_a_plain_value_is_kept_exactly(value: Any, start: Start, rows: Rows) -> None:
    assert same(one(start, rows, {"x": value}), {"x": value})


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, 2), [1, 2]),
        (decimal.Decimal("0.5"), 0.5),
        (fractions.Fraction(1, 4), 0.25),
        ({7}, [7]),
        ("lone \ud800 surrogate", "lone ? surrogate"),
    ],
)
def test_a_subclass_of_a_plain_type_is_kept_as_a_plain_value(value: Any, kept: Any, start: Start, rows: Rows) -> None:
    assert same(one(start, rows, {"x": value}), {"x": kept})


def test_nested_dicts_are_flattened(start: Start, rows: Rows) -> None:
    data = {"train": {"loss": 1, "acc": {"top1": 2}}, "empty": {}, "flat/name": 3}
    assert one(start, rows, data) == {"train/loss": 1, "train/acc/top1": 2, "flat/name": 3}


def test_keys_of_any_kind_become_text(start: Start, rows: Rows) -> None:
    data = {1: 1, None: 2, ("a", 1): 3, 2.5: 4, "lone \ud800": 5, "": 6}
    assert one(start, rows, data) == {"1": 1, "None": 2, "('a', 1)": 3, "2.5": 4, "lone ?": 5, "": 6}


@pytest.mark.parametrize("data", [OrderedDict(x=1), MappingProxyType({"x": 1})])
def test_any_mapping_can_be_logged(data: Any, start: Start, rows: Rows) -> None:
    assert one(start, rows, data) == {"x": 1}


def test_an_empty_dict_is_a_row(start: Start, rows: Rows) -> None:
    assert one(start, rows, {}) == {}


def test_names_used_by_the_format_are_ordinary_names(start: Start, rows: Rows) -> None:
    data = {"_type": "float", "value": "NaN", "c": 1, "t": 2, "s": 3, "log": 4}
    assert one(start, rows, data) == data


@pytest.mark.parametrize("data", [None, 5, "text", [("x", 1)], {1, 2}, Point(1.0), Point])
def test_a_value_that_is_not_a_mapping_is_a_type_error_and_no_row(data: Any, start: Start, rows: Rows) -> None:
    run = start()
    with pytest.raises(TypeError, match=r"log\(\) takes a dict"):
        run.log(data)
    assert rows(run) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Unknown(), "an unknown thing"),
        (Point(1.5), "Point(x=1.5)"),
        (1 + 2j, "(1+2j)"),
        (datetime.date(2024, 2, 1), "2024-02-01"),
        (datetime.datetime(2024, 2, 1, 12), "2024-02-01 12:00:00"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_an_unknown_object_is_kept_as_text_with_one_warning(
    value: Any, text: str, start: Start, rows: Rows, warnings: Any
) -> None:
    run = start()
    for _ in range(3):
        run.log({"x": value, "y": 1})
    assert rows(run) == [{"_step": i, "x": text, "y": 1} for i in range(3)]
    (warning,) = warnings()
    assert "log() of 'x'" in warning
    assert "kept as text" in warning


@pytest.mark.parametrize("value", [Broken(), 10**20_000], ids=["broken", "huge"])
def test_an_object_without_text_affects_only_its_own_value(value: Any, start: Start, rows: Rows) -> None:
    row = one(start, rows, {"x": value, "y": 1})
    assert row["y"] == 1
    assert "no text" in row["x"]


def test_values_that_contain_themselves_are_cut(start: Start, rows: Rows) -> None:
    around: list[Any] = [1]
    around.append(around)
    deep: dict[str, Any] = {}
    deep["again"] = deep
    row = one(start, rows, {"y": 1, "around": around, "deep": deep})
    assert row["y"] == 1
    assert row["around"][0] == 1


def test_an_unreadable_value_affects_no_other_value(
    start: Start, rows: Rows, monkeypatch: pytest.MonkeyPatch, warnings: Any
) -> None:
    monkeypatch.delenv("TRACKER_RAISE_INTERNAL")

    class Gone(tracker.Text):
        def record(self, store: Any) -> dict[str, Any]:
            raise OSError(f"no such file ({id(self)})")

    run = start()
    for _ in range(2):
        run.log({"loss": 0.5, "image": Gone("x")})
    assert rows(run) == [{"_step": 0, "loss": 0.5}, {"_step": 1, "loss": 0.5}]
    (warning,) = warnings()
    assert "log() of 'image' failed" in warning


def test_unreadable_media_affect_no_other_item_of_their_list(start: Start, rows: Rows, warnings: Any) -> None:
    class Gone(tracker.Text):
        def record(self, store: Any) -> dict[str, Any]:
            raise OSError("no such file")

    run = start()
    run.log({"x": 1, "media": [Gone("a"), tracker.Text("b")], "mixed": [Gone("a"), 5], "none": [Gone("a")]})
    (row,) = rows(run)
    assert row["media"] == {"_type": "list", "items": [{"_type": "text", "value": "b"}]}
    assert (row["x"], row["mixed"]) == (1, [5])
    assert "none" not in row
    assert len(warnings()) == 3


@pytest.mark.parametrize("name", ["_step", "_timestamp", "_runtime"])
def test_reserved_names_are_refused_with_one_warning(name: str, start: Start, rows: Rows, warnings: Any) -> None:
    run = start()
    for i in range(3):
        run.log({"loss": i, name: 99, "nested": {name: 1}, "_other": 2})
    assert rows(run) == [{"_step": i, "loss": i, f"nested/{name}": 1, "_other": 2} for i in range(3)]
    found = tracker.read_run(run.dir)
    assert name not in found.summary
    assert name not in found.keys()  # noqa: SIM118
    (warning,) = warnings()
    assert "values under these names are refused" in warning


def test_keys_with_the_same_text_are_all_kept(start: Start, rows: Rows, warnings: Any) -> None:
    row = one(start, rows, {1: "int", "1": "text", 1.0 + 1e-9: 3, "a": {"b": 4}, "a/b": 5})
    assert row == {"1": "int", "1 (2)": "text", "1.000000001": 3, "a/b": 4, "a/b (2)": 5}
    assert "more than once in a row" in warnings()[0]


def test_numpy_values_are_numbers_lists_and_media(start: Start, rows: Rows) -> None:
    np = pytest.importorskip("numpy")
    row = one(
        start,
        rows,
        {
            "f32": np.float32(0.1), "f64": np.float64(0.1), "i": np.int64(-3), "u": np.uint64(2**64 - 1),
            "b": np.bool_(True),
            "nan": np.float32("nan"), "zero_d": np.array(2.5), "one": np.array([7]), "list": np.array([1.0, np.inf]),
            "matrix": np.eye(2, dtype=int), "texts": np.array(["a", "b"]), "many": np.arange(100.0),
            "complex": np.array([1j, 2j]),
            "when": np.datetime64("2024-02-01"),
        },
    )  # fmt: skip
    assert same(row["f32"], 0.10000000149011612)
    assert same([row[k] for k in ("f64", "i", "u", "b", "zero_d", "one")], [0.1, -3, 2**64 - 1, True, 2.5, 7])
    assert math.isnan(row["nan"])
    assert row["list"] == [1.0, math.inf]
    assert row["matrix"] == [[1, 0], [0, 1]]
    assert row["texts"] == ["a", "b"]
    assert row["many"]["_type"] == "histogram"
    assert row["complex"] == ["1j", "2j"]
    assert row["when"] == "2024-02-01"


def test_torch_values_are_numbers(start: Start, rows: Rows) -> None:
    torch = pytest.importorskip("torch")
    loss = (torch.ones(1, requires_grad=True) * 0.5).sum()
    row = one(
        start, rows, {"loss": loss, "half": torch.tensor(0.5, dtype=torch.bfloat16), "some": torch.tensor([1, 2])}
    )
    assert row == {"loss": 0.5, "half": 0.5, "some": [1, 2]}


def test_media_are_kept_beside_the_log(start: Start, rows: Rows) -> None:
    run = start()
    run.log({"text": tracker.Text("hello"), "page": tracker.Html("<p>hi</p>")})
    (row,) = rows(run)
    assert row["text"] == {"_type": "text", "value": "hello"}
    assert row["page"]["_type"] == "html"
    assert b"<p>hi</p>" in Path(run.dir, "files", row["page"]["digest"]).read_bytes()


# -- steps ----------------------------------------------------------------------------------------------------------


def steps(run: tracker.Run, rows: Rows) -> list[int]:
    return [row["_step"] for row in rows(run)]


@pytest.mark.parametrize("value", [0.5, math.nan])  # either path through log()
def test_the_step_counts_rows_and_commit_false_keeps_it(value: float, start: Start, rows: Rows) -> None:
    run = start()
    for commit in (None, False, False, True, None, False):
        run.log({"x": value}, commit=commit)
    assert steps(run, rows) == [0, 1, 1, 1, 2, 3]
    assert run.step == 3


@pytest.mark.parametrize("value", [0.5, math.nan])
def test_an_explicit_step_sets_the_counter_and_commit_advances_it(value: float, start: Start, rows: Rows) -> None:
    run = start()
    run.log({"x": value}, step=10)
    run.log({"x": value})
    run.log({"x": value}, step=20, commit=True)
    run.log({"x": value})
    assert steps(run, rows) == [10, 10, 20, 21]


def test_repeated_and_earlier_steps_are_ordinary_rows(start: Start, rows: Rows) -> None:
    run = start()
    given = [5, 5, 3, -2, 5, 0, 2**53, -(2**53)]
    for i, step in enumerate(given):
        run.log({"x": i}, step=step)
    assert [(row["_step"], row["x"]) for row in rows(run)] == [(step, i) for i, step in enumerate(given)]


def test_a_step_may_be_any_whole_number(start: Start, rows: Rows) -> None:
    np = pytest.importorskip("numpy")
    run = start()
    for step in (3.0, np.int32(4), np.float64(5), np.array(6), True):
        run.log({"x": 1}, step=step)
    assert steps(run, rows) == [3, 4, 5, 6, 1]


@pytest.mark.parametrize("value", [0.5, math.nan])
def test_an_invalid_step_keeps_the_row_with_one_warning(value: float, start: Start, rows: Rows, warnings: Any) -> None:
    run = start()
    bad = [0.5, 1.5, "3", math.nan, math.inf, 2**53 + 1, [1], Unknown(), {}]
    for step in bad:
        run.log({"x": value}, step=step)
    assert steps(run, rows) == list(range(len(bad)))
    (warning,) = warnings()
    assert "a step is a whole number" in warning


# -- threads --------------------------------------------------------------------------------------------------------


def test_rows_of_many_threads_are_whole_and_in_each_threads_order(start: Start, rows: Rows) -> None:
    run = start()
    threads, count = 8, 1000
    begin = threading.Barrier(threads)

    def work(thread: int) -> None:
        begin.wait()
        for i in range(count):
            run.log({"thread": thread, "i": i} if i % 2 else {"thread": thread, "i": i, "nan": math.nan})

    workers = [threading.Thread(target=work, args=(t,)) for t in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = rows(run)
    assert [row["_step"] for row in found] == list(range(threads * count))
    for thread in range(threads):
        assert [row["i"] for row in found if row["thread"] == thread] == list(range(count))
    assert tracker.read_run(run.dir).info["corrupt"] == 0


# -- after the end --------------------------------------------------------------------------------------------------


def test_rows_after_the_end_are_counted_and_reported_once(start: Start, rows: Rows, warnings: Any) -> None:
    run = start()
    run.log({"x": 1})
    run.finish()
    for value in (2, math.nan):
        run.log({"x": value})
    run.summary["y"] = 1
    assert len(rows(run)) == 1
    assert run.dropped == 3
    assert tracker.read_run(run.dir).state == "finished"
    (warning,) = warnings()
    assert "is finished" in warning
