"""Log tables whose cells are numbers, strings and media."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from tracker.runlog.records import jsonable

from .arrays import MISSING, count, is_array, scalar, to_plain_list
from .base import Media, Store, clean_text, stored
from .convert import SMALL, as_media

MANY_ROWS = 200_000
"""A table with more rows is slow to open."""

_NO_VALUE = ("NAType", "NaTType")  # pandas' types of missing values


class Table(Media):
    """A table: rows of cells under named columns.

        table = tracker.Table(columns=["input", "prediction"], data=[["3 + 4", "7"]])
        table.add_data("5 + 1", "6")
        run.log({"predictions": table})

    Cells are captured when they are added. Numbers of all libraries become Python's. Arrays of up to 32 elements become
    lists, larger ones histograms. Media, figures and Pillow images are stored beside the table. None and the missing
    values of pandas become None, and dates ISO 8601 strings. Lists and dicts of all these stay. Any other object is
    kept as its `str`. More than 200,000 rows are stored with a warning.

    Args:
        columns: Names of the columns; by default those of the data frame, or "0", "1", ….
        data: A sequence of rows, a 2-d array, or a data frame.
        rows: The same as `data`, under an older name.
        dataframe: A data frame of pandas or Polars; its index is left out.

    Raises:
        ValueError: A row has more or fewer cells than there are columns, or a column's name is used twice.
    """

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
    ) -> None:
        given = [value for value in (data, rows, dataframe) if value is not None]
        if len(given) > 1:
            raise ValueError("give one of data, rows and dataframe")
        content = given[0] if given else []
        if hasattr(content, "columns"):
            names, content = _of_dataframe(content)
            columns = names if columns is None else columns
        elif dataframe is not None:
            raise TypeError(f"dataframe is a {type(dataframe).__name__}, which has no columns")
        elif is_array(content):
            content = to_plain_list(content)
        content = _rows(content)
        if columns is None:
            columns = range(len(content[0]) if content else 0)
        self.columns = [clean_text(str(name)) for name in columns]
        self.data: list[list[Any]] = []
        _check_names(self.columns)
        for row in content:
            self.add_data(*row)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.data)

    def __bool__(self) -> bool:
        """Return True: an empty table is true, too."""
        return True

    def add_data(self, *row: Any) -> None:
        """Add a row: one cell per column. The first row of a table without columns names them "0", "1", …."""
        if not self.columns and not self.data:
            self.columns = [str(number) for number in range(len(row))]
        if len(row) != len(self.columns):
            raise ValueError(f"the row has {len(row)} cells, the table {len(self.columns)} columns: {self.columns}")
        self.data.append([_cell(value) for value in row])

    def add_row(self, *row: Any) -> None:
        """Add a row; the same as `add_data`."""
        self.add_data(*row)

    def add_column(self, name: str, data: Any) -> None:
        """Add a column on the right: one cell per row. In a table without columns and rows, it creates the rows."""
        cells = list(to_plain_list(data) if is_array(data) else data)
        if not self.columns and not self.data:
            self.data = [[] for _ in cells]
        if len(cells) != len(self.data):
            raise ValueError(f"the column {name!r} has {len(cells)} cells, the table {len(self.data)} rows")
        columns = [*self.columns, clean_text(str(name))]
        _check_names(columns)
        made = [_cell(value) for value in cells]
        self.columns = columns
        for row, cell in zip(self.data, made, strict=True):
            row.append(cell)

    def get_column(self, name: str) -> list[Any]:
        """Return the cells of a column from the first row on. Raises KeyError if there is no such column."""
        if name not in self.columns:
            raise KeyError(f"no column {name!r}; there are {self.columns}")
        at = self.columns.index(name)
        return [row[at] for row in self.data]

    def record(self, store: Store) -> dict[str, Any]:
        """Return `_type` table of the present rows; media in cells are stored first and named by digest."""
        if len(self.data) > MANY_ROWS:
            warnings.warn(
                f"a table of {len(self.data):,} rows is slow to open; log a sample, or tracker.save a file of it",
                stacklevel=2,
            )
        rows = [[_plain(cell, store) for cell in row] for row in self.data]
        content = orjson.dumps({"columns": self.columns, "data": rows})
        return stored("table", content, "json", store, columns=list(self.columns), rows=len(rows))


def _of_dataframe(frame: Any) -> tuple[list[Any], list[Any]]:
    """Return the names of the columns, and the rows; by position, because pandas allows a name twice."""
    if hasattr(frame, "iloc"):
        cells = [frame.iloc[:, at].tolist() for at in range(len(frame.columns))]
    else:
        cells = [frame[name].to_list() for name in frame.columns]
    return list(frame.columns), [list(row) for row in zip(*cells, strict=True)]


def _rows(content: Iterable[Any]) -> list[list[Any]]:
    rows = []
    for number, row in enumerate(content):
        if is_array(row):
            row = to_plain_list(row)
        if not isinstance(row, (list, tuple)):
            raise TypeError(f"row {number} of the table is a {type(row).__name__}, not a list of cells")
        rows.append(list(row))
    return rows


def _check_names(columns: list[str]) -> None:
    if len(set(columns)) != len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise ValueError(f"the column {twice!r} comes twice")


def _cell(value: Any) -> Any:
    """Capture the value of a cell, as plain data that may hold media."""
    if isinstance(value, str):
        return clean_text(str(value))
    if value is None or type(value).__name__ in _NO_VALUE:
        return None
    number = scalar(value)
    if number is not MISSING:
        return number
    media = as_media(value)
    if media is not None:
        return media
    if is_array(value):
        return _cell(to_plain_list(value)) if value.shape and count(value) <= SMALL else str(value)
    if isinstance(value, (list, tuple)):
        return [_cell(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(str(key)): _cell(item) for key, item in value.items()}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return clean_text(str(value))


def _plain(cell: Any, store: Store) -> Any:
    """Return a cell as JSON can write it, after storing its media."""
    if isinstance(cell, Media):
        return cell.record(store)
    if isinstance(cell, list):
        return [_plain(item, store) for item in cell]
    if isinstance(cell, dict):
        return {key: _plain(item, store) for key, item in cell.items()}
    return jsonable(cell)
