"""Compute the statistics of a batch for each key."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tracker.runlog.records import decode_special
from tracker.runlog.stats import Stats
from tracker_server.storage.interface import Array

from . import columns
from .columns import FLOAT, INT, MIXED, Batch, Group, Values


def stats(batch: Batch) -> dict[str, Stats]:
    """Return the statistics of each key, equal to those of `Stats.add` over the rows up to rounding of sums."""
    found: dict[str, Stats] = {}
    last_row: dict[str, int] = {}
    for group, sums in zip(batch.groups, _stats_of_groups(batch.groups), strict=True):
        until = len(batch.times) - 1 if group.rows is None else int(group.rows[-1])
        for key, more in zip(group.keys, sums, strict=True):
            have = found.get(key)
            if have is None:
                found[key] = more
            elif until > last_row[key]:
                have.merge(more)
            else:
                more.merge(have)
                found[key] = more
            last_row[key] = max(until, last_row.get(key, 0))
    return found


def _stats_of_groups(groups: list[Group]) -> list[Sequence[Stats]]:
    lone = [len(g.keys) == 1 and g.values[0].type == FLOAT for g in groups]
    pieces = [np.asarray(g.values[0].numbers) for g, alone in zip(groups, lone, strict=True) if alone]
    sums = _piecewise_stats(pieces) if pieces else iter(())
    return [[next(sums)] if alone else _group_stats(g.values) for g, alone in zip(groups, lone, strict=True)]


def _piecewise_stats(pieces: Sequence[Array]) -> Iterator[Stats]:
    """Yield the statistics of columns of different lengths, computed in one pass."""
    together = np.concatenate(pieces)
    lengths = np.array([len(piece) for piece in pieces])
    ends = np.cumsum(lengths)
    starts = ends - lengths
    finite = np.isfinite(together)
    with np.errstate(over="ignore", invalid="ignore"):
        n = np.add.reduceat(finite, starts, dtype=np.int64)
        low = np.minimum.reduceat(np.where(finite, together, math.inf), starts)
        high = np.maximum.reduceat(np.where(finite, together, -math.inf), starts)
        total = np.add.reduceat(np.where(finite, together, 0.0), starts)
    return map(Stats, n.tolist(), low.tolist(), high.tolist(), total.tolist(), together[ends - 1].tolist())


def _group_stats(group: list[Values]) -> Sequence[Stats]:
    floats = [v.numbers for v in group if v.type == FLOAT]
    if len(floats) == len(group):
        return _float_stats(np.array(floats))
    return [_column_stats(v) for v in group]


def _float_stats(matrix: Array) -> list[Stats]:
    """Return the statistics of each row of `matrix` (keys × rows)."""
    finite = np.isfinite(matrix)
    with np.errstate(over="ignore", invalid="ignore"):
        if finite.all():
            n = [matrix.shape[1]] * len(matrix)
            low, high, total = matrix.min(axis=1), matrix.max(axis=1), matrix.sum(axis=1)
        else:
            n = finite.sum(axis=1).tolist()
            low = np.where(finite, matrix, math.inf).min(axis=1)
            high = np.where(finite, matrix, -math.inf).max(axis=1)
            total = np.where(finite, matrix, 0.0).sum(axis=1)
    return list(map(Stats, n, low.tolist(), high.tolist(), total.tolist(), matrix[:, -1].tolist()))


def _column_stats(values: Values) -> Stats:
    if values.type in (FLOAT, MIXED) and values.numbers is not None:
        (result,) = _float_stats(values.numbers[None, :])
        result.last = decode_special(columns.plain(columns.select(values, slice(len(values) - 1, None)))[0])
        return result
    if values.type == INT and values.numbers is not None:
        numbers = values.numbers
        return Stats(
            len(numbers), int(numbers.min()), int(numbers.max()), float(numbers.sum(dtype=np.float64)), int(numbers[-1])
        )
    result = Stats()
    for item in values.items or ():
        result.add(decode_special(item))
    return result
