"""Test history as Arrow tables and Parquet files, with each value as it was logged."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.api.arrow import Columns, write_parquet
from tracker.runlog.records import encode, jsonable

pa = pytest.importorskip("pyarrow")


def table(*rows: dict[str, Any]) -> Any:
    columns = Columns()
    columns.add(rows)
    return columns.table()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, -(2**63), 2**63 - 1], pa.int64()),
        ([1, 2**63], pa.uint64()),
        ([1.5, math.inf, -0.0], pa.float64()),
        ([1, 2.5, 2**53], pa.float64()),
        ([True, False], pa.bool_()),
        (["a", "ä\n"], pa.string()),
        ([None, None], pa.null()),
        ([None, 3], pa.int64()),
    ],
)
def test_a_column_has_the_narrowest_type_that_has_all_values_exactly(values: list[Any], kind: Any) -> None:
    made = table(*({"x": value} for value in values))
    assert made.schema.field("x").type == kind
    assert made.schema.field("x").metadata is None
    assert made.column("x").to_pylist() == values


@pytest.mark.parametrize(
    "values",
    [
        [2**53 + 1, 0.5],
        [-1, 2**63],
        [10**30],
        [True, 1],
        ["a", 1.5],
        [[1, 2]],
        [{"_type": "image", "digest": "0" * 64, "size": 3, "format": "png"}],
        [{"a": {"b": math.nan}}],
    ],
)
def test_values_that_share_no_type_are_json_as_in_the_run_log(values: list[Any]) -> None:
    made = table(*({"x": value} for value in values))
    assert made.schema.field("x").type == pa.string()
    assert made.schema.field("x").metadata == {b"tracker": b"json"}
    assert list(map(json.loads, made.column("x").to_pylist())) == [jsonable(value) for value in values]


def test_a_row_without_a_key_has_null_and_nan_is_nan() -> None:
    made = table({"_step": 0, "a": 1}, {"_step": 1, "b": math.nan}, {"_step": 2, "a": 3})
    assert made.column_names == ["_step", "a", "b"]
    assert made.column("a").to_pylist() == [1, None, 3]
    b = made.column("b").to_pylist()
    assert (b[0], b[2]) == (None, None)
    assert math.isnan(b[1])
    assert made.column("b").null_count == 2


@pytest.mark.parametrize(
    ("first", "later", "kind"),
    [
        (1, 2.5, pa.float64()),
        (1, 2**63, pa.uint64()),
        ("a", [1], pa.string()),
        ("a", 1, pa.string()),
        (2**60, 0.5, pa.string()),
        (None, 1, pa.int64()),
    ],
)
def test_types_of_distant_rows_are_combined(monkeypatch: pytest.MonkeyPatch, first: Any, later: Any, kind: Any) -> None:
    monkeypatch.setattr("tracker.api.arrow._ROWS", 2)
    rows = [{"_step": 0, "x": first}, {"_step": 1}, {"_step": 2}, {"_step": 3}, {"_step": 4, "x": later}, {"_step": 5}]
    made = table(*rows)
    assert made.schema.field("x").type == kind
    values = made.column("x").to_pylist()
    if made.schema.field("x").metadata:
        values = [None if v is None else json.loads(v) for v in values]
    assert values == [first, None, None, None, later, None]
    assert made.column("_step").to_pylist() == list(range(6))


@pytest.fixture
def a_run(tmp_path: Path) -> Callable[..., Path]:
    def make(run_id: str, *rows: dict[str, Any]) -> Path:
        directory = tmp_path / run_id
        directory.mkdir()
        head = {"version": 1, "id": run_id, "entity": "me", "project": "p", "name": f"run {run_id}"}
        lines = [encode("run", head, 1.0), encode("config", {"lr": 0.1}, 1.0)]
        lines += [encode("log", jsonable(row), 2.0 + step, step) for step, row in enumerate(rows)]
        (directory / "history.jsonl").write_bytes(b"".join(lines))
        return directory

    return make


def test_history_can_be_an_arrow_table(a_run: Callable[..., Path]) -> None:
    run = tracker.read_run(a_run("a", {"loss": 0.5, "n": 1}, {"loss": math.nan}))
    made = run.history(arrow=True)
    assert isinstance(made, pa.Table)
    assert [(f.name, str(f.type)) for f in made.schema] == [
        ("_step", "int64"), ("_timestamp", "double"), ("_runtime", "double"), ("loss", "double"), ("n", "int64"),
    ]  # fmt: skip
    assert made.column("_timestamp").to_pylist() == [2.0, 3.0]
    assert run.history(["n"], arrow=True).num_rows == 1
    assert run.history(samples=1, arrow=True).column("loss.max").to_pylist() == [None, 0.5]  # type: ignore[operator]
    assert run.system_history(arrow=True).num_rows == 0


def test_a_parquet_file_has_the_rows_and_metadata_of_several_runs(a_run: Callable[..., Path], tmp_path: Path) -> None:
    import pyarrow.parquet

    runs = [tracker.read_run(a_run("a", {"x": 1})), tracker.read_run(a_run("b", {"x": 2.5, "y": "t"}))]
    assert write_parquet(tmp_path / "x.parquet", runs) == 2
    made = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert made.column("_run").to_pylist() == ["me/p/a", "me/p/b"]
    assert made.column("x").to_pylist() == [1.0, 2.5]
    about = json.loads(made.schema.metadata[b"tracker"])
    assert [(one["run"], one["name"], one["config"]) for one in about] == [
        ("me/p/a", "run a", {"lr": 0.1}), ("me/p/b", "run b", {"lr": 0.1}),
    ]  # fmt: skip
    with pytest.raises(FileExistsError, match="name another"):
        write_parquet(tmp_path / "x.parquet", runs)


def test_without_pyarrow_the_error_says_what_to_install(
    a_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'tracker-runs\[arrow\]'"):
        tracker.read_run(a_run("a")).history(arrow=True)
