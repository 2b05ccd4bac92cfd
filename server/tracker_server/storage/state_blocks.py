"""The fold of a run in parts, so that an upload writes what it touched and not all that the run has.

What grows with a run (`MEMBERS`) is cut into blocks of entries in the order of their first sight. The first blocks of
what changes with each upload are in the row of the run (`runs.hot`); those of the others are with all that does not
grow in one row of `parts` (`SAID`), and all further blocks have a row there each.
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

SAID = ""
"""The member under which all that does not grow is kept."""

_HOT = ("stats", "streams")
_CALM = ("config", "explicit_summary", "files")
MEMBERS = (*_HOT, *_CALM)
_HEAD = ("header", "meta", "metrics", "environment", "alerts", "stop")

_ENTRIES = 256
_BYTES = 64 * 1024
"""A block takes no more entries once it has so many, or they had so many bytes when they came."""

_MANY = 500

_OF_RUNS = (
    sa.select(parts.c.run, parts.c.member, parts.c.data)
    .where(parts.c.run.in_(sa.bindparam("runs_", expanding=True)))
    .order_by(parts.c.run, parts.c.member, parts.c.block)
)
_HOT_OF = sa.select(runs.c.id, runs.c.hot, runs.c.updated).where(runs.c.id == sa.bindparam("run_"))
_SAID_OF = sa.select(parts.c.data).where(parts.c.run == sa.bindparam("run_"), parts.c.member == SAID)


class Parts:
    """Which entry of a run's fold is in which block."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, int]] = {member: {} for member in MEMBERS}
        self._blocks: dict[str, list[list[str]]] = {member: [[]] for member in MEMBERS}
        self._sizes = dict.fromkeys(MEMBERS, 0)

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return sum(map(len, self._places.values()))

    def add(self, member: str, block: int, entries: Iterable[str]) -> None:
        """Take in that a block has these entries."""
        blocks = self._blocks[member]
        while len(blocks) <= block:
            blocks.append([])
        names = list(entries)
        blocks[block] += names
        self._places[member].update(dict.fromkeys(names, block))

    def pack(
        self, fold: RunState, touched: Mapping[str, Iterable[str]], said: bool
    ) -> tuple[bytes, list[tuple[Any, ...]]]:
        """Return what `runs.hot` becomes, and (member, block, data) of the rows of `parts` to write. `touched`: the
        entries that have changed or are new, by member; `said`: whether anything that does not grow has.
        """
        stale: dict[str, set[int]] = {}
        for member, names in touched.items():
            places = self._places[member]
            stale[member] = {places[name] if name in places else self._placed(fold, member, name) for name in names}
        rows: list[tuple[Any, ...]] = []
        if said or any(0 in stale.get(member, ()) for member in _CALM):
            head = {member: jsonable(getattr(fold, member)) for member in _HEAD}
            head |= {member: self._block(fold, member, 0) for member in _CALM}
            rows.append((SAID, 0, codec.pack_json(head)))
        for member, blocks in stale.items():
            rows += [(member, at, codec.pack_json(self._block(fold, member, at))) for at in sorted(blocks) if at]
        return codec.pack_json({member: self._block(fold, member, 0) for member in _HOT}), rows

    def _placed(self, fold: RunState, member: str, name: str) -> int:
        """Find a place for a new entry."""
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


def fold_of(connection: sa.Connection, run: int) -> tuple[RunState, Parts]:
    """Return what the records of a run add up to, and where that is kept."""
    row = connection.execute(_HOT_OF, {"run_": run}).one()
    ((_, fold, places, _),) = folds(connection, [row])
    return fold, places


def said_of(connection: sa.Connection, run: int) -> dict[str, Any]:
    """Return what does not grow of the fold, as in `RunState.to_json`."""
    data = connection.execute(_SAID_OF, {"run_": run}).scalar_one_or_none()
    return dict.fromkeys(_HEAD) if data is None else codec.unpack_json(data)


def folds(connection: sa.Connection, rows: Sequence[Any]) -> Iterable[tuple[Any, RunState, Parts, int]]:
    """Give out rows of `runs` (id, hot and updated at least), each with its fold, the places of that, and how many
    bytes of JSON it has.
    """
    for some in (rows[i : i + _MANY] for i in range(0, len(rows), _MANY)):
        found: dict[int, list[Any]] = {row.id: [] for row in some}
        for part in connection.execute(_OF_RUNS, {"runs_": list(found)}):
            found[part.run].append(part)
        for row in some:
            yield row, *_assembled(row, found[row.id])


def _assembled(row: Any, found: list[Any]) -> tuple[RunState, Parts, int]:
    data: dict[str, Any] = {"updated": row.updated, "metrics": []}
    places, size = Parts(), 0
    for member, packed in ((SAID, row.hot), *((part.member, part.data) for part in found)):
        if not packed:
            continue
        text = codec.unpack(packed)
        size += len(text)
        content = orjson.loads(text)
        if member != SAID:
            places.add(member, len(places._blocks[member]), content)
            data[member].update(content)
            continue
        for name in MEMBERS:
            if name in content:
                places.add(name, 0, content[name])
        data.update(content)
    data.setdefault("stats", {})
    return RunState.from_json(data), places, size
