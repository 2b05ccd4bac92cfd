"""List logged keys: those of one run with count, minimum and maximum, and those of many runs together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from tracker.runlog.metric_definitions import Definitions
from tracker.wire import CommonKey, KeyInfo

from . import run_state
from .columnar import chunks, scan, segments
from .columnar.columns import JSON
from .interface import Kind
from .query_budget import checked
from .schema import keys as table
from .schema import segments as segment_table
from .schema import streams
from .state_blocks import load_head

_MAX_DEFINING_RUNS = 10
"""Runs whose metric definitions are read; those of the others rarely differ."""


def of_run(connection: sa.Connection, run: int, kind: Kind) -> list[KeyInfo]:
    """See `Storage.keys`."""
    query = sa.select(table).where(table.c.run == run, table.c.kind == kind).order_by(table.c.id)
    found = {k.id: k for k in connection.execute(query)}
    merged = {k.id: chunks.Summary(k.n, k.low, k.high, k.types, orjson.loads(k.last)) for k in found.values() if k.n}
    for stream in run_state.streams_of(connection, run, kind):
        for key, (_, values) in scan.pending(connection, run, stream.id, None).items():
            more = chunks.summarise(values)
            merged[key] = merged[key].then(more) if key in merged else more
    return [
        KeyInfo(key=k.name, count=s.n, type=_type(s.types), min=s.low, max=s.high, last=s.last)
        for k in found.values()
        if (s := merged.get(k.id)) is not None
    ]


def of_runs(connection: sa.Connection, runs: Sequence[int], kind: Kind) -> list[CommonKey]:
    """See `Storage.common_keys`; `runs` are the runs' numbers, 0 for an unknown run."""
    place = {run: at for at, run in enumerate(runs) if run}
    found: dict[str, tuple[int, list[int]]] = {}
    ids = list(place)
    for some in (ids[i : i + run_state.MANY] for i in range(0, len(ids), run_state.MANY)):
        query = sa.select(table.c.run, table.c.id, table.c.name, table.c.types).where(
            table.c.run.in_(some), table.c.kind == kind
        )
        rows = connection.execute(query.order_by(table.c.run, table.c.id)).all()
        late = _pending(connection, {(run, id_) for run, id_, _, types in rows if not types & chunks.NUMBER}, kind)
        for run, id_, name, types in rows:
            types |= late.get((run, id_), 0)
            if types:
                known, members = found.get(name, (0, []))
                found[name] = (known | types, members)
                members.append(place[run])
    metrics = Definitions(_definitions(connection, ids) if kind == "history" else ())
    return [
        CommonKey(
            key=name,
            type=_type(types),
            x=metrics.definition_for(name, "step_metric").get("step_metric"),
            runs=None if types & chunks.NUMBER else sorted(members),
        )
        for name, (types, members) in found.items()
    ]


def _definitions(connection: sa.Connection, runs: Sequence[int]) -> list[dict[str, Any]]:
    """Return the metric definitions of the first runs; those of earlier runs take precedence."""
    defined = [load_head(connection, run)["metrics"] or [] for run in runs[:_MAX_DEFINING_RUNS]]
    exact: dict[str, dict[str, Any]] = {}
    for metrics in defined:
        for metric in metrics:
            exact[metric["name"]] = {**metric, **exact.get(metric["name"], {})}
    return list(reversed(exact.values()))


def _pending(connection: sa.Connection, wanted: set[tuple[int, int]], kind: Kind) -> dict[tuple[int, int], int]:
    """Return the kinds of values (`chunks.NUMBER`, …) in segments, by run and key."""
    query = (
        sa.select(segment_table.c.run, segment_table.c.data)
        .join(streams, streams.c.id == segment_table.c.stream)
        .where(segment_table.c.run.in_({run for run, _ in wanted}), streams.c.kind == kind)
    )
    found: dict[tuple[int, int], int] = {}
    for run, data in checked(connection.execute(query)):
        unclear = set()
        for id_, type_ in segments.types(data):
            if (run, id_) not in wanted or found.get((run, id_), 0) & chunks.NUMBER:
                continue
            if type_ == JSON:
                unclear.add(id_)
            else:
                found[run, id_] = chunks.NUMBER
        if unclear:
            for group in segments.decode(data, unclear).groups:
                for id_, values in zip(group.keys, group.values, strict=True):
                    found[run, id_] = found.get((run, id_), 0) | chunks.summarise(values).types
    return found


def _type(types: int) -> Any:
    return "number" if types & chunks.NUMBER else "media" if types & chunks.MEDIA else "other"
