"""Turn rows into an Arrow table, and into a Parquet file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tracker.errors import TrackerError
from tracker.machine.atomic_files import draft_of
from tracker.runlog.records import jsonable

from .restarts import Row

if TYPE_CHECKING:
    import pyarrow

    from .run_reader import RunReader

_ROWS = 1 << 16  # rows in a chunk
_EXACT = 2**53  # up to here every integer is a double
_JSON = {b"tracker": b"json"}


class Columns:
    """Collect rows in columns.

    Each key is a column of the first of these types that holds all its values exactly: bool, int64, uint64, double
    (with integers among floats up to 2^53), string. Other values, such as media, lists, objects and mixed types, are
    strings of JSON in the run log's form, with `tracker: json` in the field's metadata. A row without the key has null;
    NaN is NaN. Raises ImportError without pyarrow.
    """

    def __init__(self) -> None:
        try:
            import pyarrow
        except ImportError:
            raise ImportError("an Arrow table needs pyarrow: pip install 'tracker-runs[arrow]'") from None
        self._arrow = pyarrow
        self._rows = 0
        self._chunks: dict[str, list[_Chunk]] = defaultdict(list)

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        remaining = iter(rows)
        while some := list(islice(remaining, _ROWS)):
            found: dict[str, tuple[list[int], list[Any]]] = {}
            for at, row in enumerate(some):
                for key, value in row.items():
                    if value is not None:
                        positions, values = found.setdefault(key, ([], []))
                        positions.append(at)
                        values.append(value)
                    else:
                        found.setdefault(key, ([], []))
            for key, (positions, values) in found.items():
                self._chunks[key].append(_Chunk(self._arrow, self._rows, len(some), positions, values))
            self._rows += len(some)

    def table(self) -> pyarrow.Table:
        """Return all rows, with the columns in order of first appearance of their keys."""
        columns, fields = [], []
        for name, chunks in self._chunks.items():
            types: set[type] = set().union(*(chunk.types for chunk in chunks))
            low, high = min(chunk.low for chunk in chunks), max(chunk.high for chunk in chunks)
            kind = _narrowest(self._arrow, types, low, high)
            stored = self._arrow.string() if kind is None else kind
            pieces, end = [], 0
            for chunk in chunks:
                pieces += [self._arrow.nulls(chunk.start - end, stored), chunk.of_kind(kind)]
                end = chunk.start + chunk.length
            pieces.append(self._arrow.nulls(self._rows - end, stored))
            columns.append(self._arrow.chunked_array(pieces, stored))
            fields.append(self._arrow.field(name, stored, metadata=_JSON if kind is None else None))
        return self._arrow.Table.from_arrays(columns, schema=self._arrow.schema(fields))


class _Chunk:
    """The exact values of one key in some consecutive rows."""

    def __init__(self, arrow: Any, start: int, length: int, positions: Sequence[int], values: list[Any]) -> None:
        self.start, self.length = start, length
        self._arrow = arrow
        self.types = set(map(type, values))
        numbers = [value for value in values if type(value) is int]
        self.low, self.high = min(numbers, default=0), max(numbers, default=0)
        if len(values) < length:
            sparse: list[Any] = [None] * length
            for at, value in zip(positions, values, strict=True):
                sparse[at] = value
            values = sparse
        self._kind = _narrowest(arrow, self.types, self.low, self.high)
        self._array = _array(arrow, values, self._kind)

    def of_kind(self, kind: Any) -> Any:
        """Return the values as an array of a type that holds all of them."""
        same = kind is None if self._kind is None else kind is not None and kind == self._kind
        return self._array if same else _array(self._arrow, self._array.to_pylist(), kind)


def _array(arrow: Any, values: list[Any], kind: Any) -> Any:
    if kind is None:
        values, kind = [None if v is None else orjson.dumps(jsonable(v)).decode() for v in values], arrow.string()
    elif kind == arrow.float64():
        values = [None if v is None else float(v) for v in values]
    return arrow.array(values, kind)


def _narrowest(arrow: Any, types: set[type], low: int, high: int) -> Any:
    """Return the Arrow type for values of these Python types, integers from `low` to `high`; None if they need JSON."""
    if types == {bool}:
        return arrow.bool_()
    if types == {int} and low >= -(2**63) and high < 2**64 and (low >= 0 or high < 2**63):
        return arrow.int64() if high < 2**63 else arrow.uint64()
    if float in types and types <= {int, float} and low >= -_EXACT and high <= _EXACT:
        return arrow.float64()
    if types == {str}:
        return arrow.string()
    return None if types else arrow.null()


def write_parquet(target: Path, runs: Iterable[RunReader]) -> int:
    """Write the history of runs to one Parquet file and return the number of rows.

    The file appears whole or not at all. Its first column, `_run`, is `entity/project/id` of the run; the others are
    those of `history`. The schema's metadata has a JSON list of the runs with their config and summary under `tracker`.
    Raises ImportError without pyarrow, FileExistsError, and `TrackerError` if a run is given twice.
    """
    columns = Columns()
    import pyarrow.parquet

    if target.exists():
        raise FileExistsError(f"{target} exists already; name another file, or remove it")
    about: list[dict[str, Any]] = []
    for run in runs:
        if any(run.path == other["run"] for other in about):
            raise TrackerError(f"{run.path} is named twice")
        columns.add(_of_run(run))
        members = ("name", "state", "group", "job_type", "tags", "notes", "created", "config", "summary")
        about.append({"run": run.path, **{member: run.info[member] for member in members}})  # type: ignore[literal-required]
    table = columns.table()
    table = table.replace_schema_metadata({b"tracker": orjson.dumps(jsonable(about))})
    with draft_of(target) as draft:
        pyarrow.parquet.write_table(table, draft, compression="zstd")
    return int(table.num_rows)


def _of_run(run: RunReader) -> Iterator[Row]:
    for row in run.scan_history():
        yield {"_run": run.path, **row}
