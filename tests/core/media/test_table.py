from __future__ import annotations

import datetime
import decimal
import math
from typing import Any

import numpy as np
import orjson
import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Histogram, Image, Table
from tracker.runlog.records import decode_special


def content(table: Table, store: MemoryStore) -> dict[str, Any]:
    record = table.record(store)
    found = decode_special(orjson.loads(store.content(record)))
    assert record["columns"] == found["columns"]
    assert record["rows"] == len(found["data"]) == len(table)
    assert (record["_type"], record["format"]) == ("table", "json")
    return found  # type: ignore[no-any-return]


def test_rows_are_stored_under_their_columns(store: MemoryStore) -> None:
    table = Table(columns=["text", "score"], data=[["a", 0.5]])
    table.add_data("b", 1)
    table.add_row(None, True)
    assert content(table, store) == {"columns": ["text", "score"], "data": [["a", 0.5], ["b", 1], [None, True]]}
    assert table.get_column("score") == [0.5, 1, True]


@pytest.mark.parametrize("name", ["data", "rows"])
def test_columns_without_names_are_numbered(name: str, store: MemoryStore) -> None:
    table = Table(**{name: np.array([[1, 2], [3, 4]])})  # type: ignore[arg-type]
    assert content(table, store) == {"columns": ["0", "1"], "data": [[1, 2], [3, 4]]}


def test_an_empty_table_takes_its_columns_from_the_first_row_or_column(store: MemoryStore) -> None:
    table = Table()
    assert table
    assert content(table, store) == {"columns": [], "data": []}
    table.add_data("x", 1)
    assert content(table, store) == {"columns": ["0", "1"], "data": [["x", 1]]}
    table = Table()
    table.add_column("a", [1, 2])
    table.add_column("b", np.array([0.5, 1.5]))
    assert content(table, store) == {"columns": ["a", "b"], "data": [[1, 0.5], [2, 1.5]]}


def test_values_that_json_lacks_survive(store: MemoryStore) -> None:
    table = Table(["v"], [[math.inf], [-math.inf], [10**30], [2**64 - 1], [math.nan]])
    *rows, (last,) = content(table, store)["data"]
    assert rows == [[math.inf], [-math.inf], [10**30], [2**64 - 1]]
    assert math.isnan(last)


def test_cells_of_any_kind_become_plain_data(store: MemoryStore) -> None:
    pd = pytest.importorskip("pandas")
    cells = [
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int64(3), 3),
        (np.str_("s"), "s"),
        (np.array([1, 2]), [1, 2]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.datetime64("2024-01-02"), "2024-01-02"),
        (decimal.Decimal("0.5"), 0.5),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
        (pd.NaT, None),
        (pd.NA, None),
        ({"a": [np.int8(1), (2,)]}, {"a": [1, [2]]}),
        (1j, "1j"),
        ("a\ud800", "a?"),
    ]
    table = Table(["cell"], [[given] for given, _ in cells])
    assert [row[0] for row in content(table, store)["data"]] == [expected for _, expected in cells]


def test_torch_cells_become_numbers(store: MemoryStore) -> None:
    torch = pytest.importorskip("torch")
    table = Table(["a", "b"], [[torch.tensor(0.5, requires_grad=True), torch.tensor([1, 2], dtype=torch.bfloat16)]])
    assert content(table, store)["data"] == [[0.5, [1.0, 2.0]]]


def test_media_in_cells_are_stored_beside_the_table(store: MemoryStore) -> None:
    pil = pytest.importorskip("PIL.Image")
    picture = np.zeros((2, 3), dtype=np.uint8)
    table = Table(["image", "prediction"])
    table.add_data(Image(picture, caption="c"), "cat")
    table.add_data(pil.new("L", (3, 2)), "dog")
    table.add_data([Image(picture)], np.arange(100))
    (first, _), (second, _), (third, histogram) = content(table, store)["data"]
    assert (first["_type"], first["caption"], first["width"]) == ("image", "c", 3)
    assert second["_type"] == "image"
    assert third == {"_type": "list", "items": [{k: v for k, v in first.items() if k != "caption"}]}
    assert first["digest"] in store
    assert sum(histogram["counts"]) == 100
    assert isinstance(table.get_column("prediction")[2], Histogram)


def test_cells_are_captured_when_they_are_added(store: MemoryStore) -> None:
    array, values = np.array([1, 2]), [1]
    table = Table(["a", "b"], [[array, values]])
    array[:], values[0] = 9, 9
    assert content(table, store)["data"] == [[[1, 2], [1]]]


def test_a_table_can_be_logged_again_after_more_rows(store: MemoryStore) -> None:
    table = Table(["a"], [[1]])
    first = table.record(store)
    table.add_data(2)
    assert (first["rows"], table.record(store)["rows"]) == (1, 2)


def test_pandas_data_frames_are_accepted(store: MemoryStore) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "s": ["a", "b"]}, index=[7, 8])
    for table in (Table(dataframe=frame), Table(data=frame)):
        found = content(table, store)
        assert found["columns"] == ["n", "x", "s"]
        assert found["data"][0] == [1, 0.5, "a"]
        assert math.isnan(found["data"][1][1])
    assert Table(["a", "b", "c"], dataframe=frame).columns == ["a", "b", "c"]
    assert content(Table(dataframe=frame.iloc[:0]), store)["data"] == []
    with pytest.raises(ValueError, match="'n' comes twice"):
        Table(dataframe=pd.concat([frame, frame], axis=1))


def test_rows_and_columns_of_the_wrong_length_are_refused() -> None:
    table = Table(["a", "b"])
    with pytest.raises(ValueError, match="3 cells, the table 2 columns"):
        table.add_data(1, 2, 3)
    table.add_data(1, 2)
    with pytest.raises(ValueError, match="'c' has 2 cells, the table 1 rows"):
        table.add_column("c", [1, 2])
    with pytest.raises(ValueError, match="'a' comes twice"):
        table.add_column("a", [1])
    assert (table.columns, len(table)) == (["a", "b"], 1)


def test_values_that_are_not_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Table(["a", "a"])
    with pytest.raises(ValueError, match="one of"):
        Table(data=[[1]], rows=[[1]])
    with pytest.raises(TypeError, match="row 0 of the table is a int"):
        Table(data=[1, 2])
    with pytest.raises(TypeError, match="no columns"):
        Table(dataframe=[[1]])
    with pytest.raises(KeyError, match="no column 'z'"):
        Table(["a"]).get_column("z")


@pytest.mark.filterwarnings("ignore:a table of")
def test_large_tables_are_stored_with_a_warning(store: MemoryStore) -> None:
    table = Table(["a"], [[i] for i in range(200_001)])
    with pytest.warns(UserWarning, match="200,001 rows"):
        record = table.record(store)
    assert record["rows"] == 200_001
