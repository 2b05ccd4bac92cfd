"""Store the state of a run in blocks, so that an upload writes only what it has changed.

The members that grow with a run (`MEMBERS`) are split into blocks of entries, in the order of their first occurrence.
The first blocks of members that change with each upload are in the row of the run (`runs.hot`). The first blocks of the
other members share one row of `parts` (`HEAD`) with all that does not grow. Each further block has a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from tracker.runlog.fold import RunState
from tracker.runlog.records import jsonable

from .columnar import codec
from .schema import parts, runs

HEAD = ""
"""The member name of the row with all that does not grow."""

_HOT = ("stats", "streams")
_CALM = ("config", "explicit_summary", "files")
MEMBERS = (*_HOT, *_CALM)
_FIXED = ("header", "meta", "metrics", "environment", "alerts", "stop")

_ENTRIES = 256
_BYTES = 64 * 1024
"""A block is full once it has so many entries, or entries of so many bytes as they were when added."""

_MANY = 500

_OF_RUNS = (
    sa.select(parts.c.run, parts.c.member, parts.c.data)
    .where(parts.c.run.in_(sa.bindparam("runs_", expanding=True)))
    .order_by(parts.c.run, parts.c.member, parts.c.block)
)
_HOT_OF = sa.select(runs.c.id, runs.c.hot, runs.c.updated).where(runs.c.id == sa.bindparam("run_"))
_HEAD_OF = sa.select(parts.c.data).where(parts.c.run == sa.bindparam("run_"), parts.c.member == HEAD)


class StateBlocks:
    """Knows which entry of a run's state is in which block."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, int]] = {member: {} for member in MEMBERS}
        self._blocks: dict[str, list[list[str]]] = {member: [[]] for member in MEMBERS}
        self._sizes = dict.fromkeys(MEMBERS, 0)

    @property
    def entries(self) -> int:
        """How many entries there are in all blocks."""
        return sum(map(len, self._places.values()))

    def add(self, member: str, block: int, entries: Iterable[str]) -> None:
        """Add entries that a stored block has."""
        blocks = self._blocks[member]
        while len(blocks) <= block:
            blocks.append([])
        names = list(entries)
        blocks[block] += names
        self._places[member].update(dict.fromkeys(names, block))

    def pack(
        self, fold: RunState, touched: Mapping[str, Iterable[str]], head_changed: bool
    ) -> tuple[bytes, list[tuple[Any, ...]]]:
        """Return the new `runs.hot`, and (member, block, data) of each row of `parts` to write.

        `touched` holds the new and changed entries by member; `head_changed` says whether anything else may have.
        """
        stale: dict[str, set[int]] = {}
        for member, names in touched.items():
            places = self._places[member]
            stale[member] = {places[name] if name in places else self._placed(fold, member, name) for name in names}
        rows: list[tuple[Any, ...]] = []
        if head_changed or any(0 in stale.get(member, ()) for member in _CALM):
            head = {member: jsonable(getattr(fold, member)) for member in _FIXED}
            head |= {member: self._block(fold, member, 0) for member in _CALM}
            rows.append((HEAD, 0, codec.pack_json(head)))
        for member, blocks in stale.items():
            rows += [(member, at, codec.pack_json(self._block(fold, member, at))) for at in sorted(blocks) if at]
        return codec.pack_json({member: self._block(fold, member, 0) for member in _HOT}), rows

    def _placed(self, fold: RunState, member: str, name: str) -> int:
        """Assign a new entry to a block; return the block's number."""
        blocks = self._blocks[member]
        if len(blocks[-1]) >= _ENTRIES or self._sizes[member] > _BYTES:
            blocks.append([])
            self._sizes[member] = 0
        if member in _CALM:
            self._sizes[member] += len(orjson.dumps(_entry(fold, member, name)))
        blocks[-1].append(name)
        at = self._places[member][name] = len(blocks) - 1
        return at

    def _block(self, fold: RunState, member: str, at: int) -> dict[str, Any]:
        return {name: _entry(fold, member, name) for name in self._blocks[member][at]}


def _entry(fold: RunState, member: str, name: str) -> Any:
    value = getattr(fold, member)[name]
    return value.to_json() if member == "stats" else jsonable(value.to_json() if member == "streams" else value)


def load_state(connection: sa.Connection, run: int) -> tuple[RunState, StateBlocks]:
    """Return the state of a run, and in which blocks it is stored."""
    row = connection.execute(_HOT_OF, {"run_": run}).one()
    ((_, fold, places, _),) = load_states(connection, [row])
    return fold, places


def load_head(connection: sa.Connection, run: int) -> dict[str, Any]:
    """Return the members of a run's state that do not grow, as in `RunState.to_json`."""
    data = connection.execute(_HEAD_OF, {"run_": run}).scalar_one_or_none()
    return dict.fromkeys(_FIXED) if data is None else codec.unpack_json(data)


def load_states(connection: sa.Connection, rows: Sequence[Any]) -> Iterable[tuple[Any, RunState, StateBlocks, int]]:
    """Yield the given rows of `runs` (with id, hot and updated at least), each with state, blocks and bytes of JSON."""
    for some in (rows[i : i + _MANY] for i in range(0, len(rows), _MANY)):
        found: dict[int, list[Any]] = {row.id: [] for row in some}
        for part in connection.execute(_OF_RUNS, {"runs_": list(found)}):
            found[part.run].append(part)
        for row in some:
            yield row, *_assembled(row, found[row.id])


def _assembled(row: Any, found: list[Any]) -> tuple[RunState, StateBlocks, int]:
    data: dict[str, Any] = {"updated": row.updated, "metrics": []}
    places, size = StateBlocks(), 0
    for member, packed in ((HEAD, row.hot), *((part.member, part.data) for part in found)):
        if not packed:
            continue
        text = codec.unpack(packed)
        size += len(text)
        content = orjson.loads(text)
        if member != HEAD:
            places.add(member, len(places._blocks[member]), content)
            data[member].update(content)
            continue
        for name in MEMBERS:
            if name in content:
                places.add(name, 0, content[name])
        data.update(content)
    data.setdefault("stats", {})
    return RunState.from_json(data), places, size
