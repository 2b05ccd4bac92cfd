"""Line charts of runs and groups of runs, as JSON or as a frame of arrays, which browsers read ten times as fast."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker import wire
from tracker.runlog.records import jsonable
from tracker_server import schemas
from tracker_server.services import Services
from tracker_server.storage.interface import Array, Chart

from .dependencies import StorageOf
from .parameters import run_of

MAX_SERIES = 10_000
"""Series in one chart request; each run of a group counts."""

_ROUNDING = 1e-6
"""Numbers of buckets are sent as float32 if that changes none by more than this part of the series' range."""


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the route `/api/charts`."""

    @api.post("/api/charts", response_model=schemas.Charts, summary="Get line charts", responses={200: _FRAME})
    async def charts(storage: StorageOf, request: Request, query: schemas.ChartRequest) -> Response:
        """Return points, or the exact minimum, mean and maximum of each bucket, so that no spike is lost.

        With `Accept: application/x-tracker-frame` the response is a frame: a uint32 header length, the header as JSON
        padded to 8 bytes, then little-endian arrays of float64 (`d`) and float32 (`f`), each padded to 8 bytes. The
        header is `{"series": [{"run" or "group", "key", "points", "x", "mean", "min", "max", "n", "std"}], "grid",
        "lengths": […], "types": "dfd…"}`, where `x` to `std` and `grid` are indices of arrays or null. All series of
        buckets share the x `grid`. Where a run has no point in a bucket, `n` is 0. Numbers of buckets may be rounded
        by up to a millionth of the series' range, `min` down and `max` up.

        Send `groups` instead of `runs` to get one series for each group and key, as a frame.
        """
        wanted = _chart_query(query)
        if wire.FRAME_TYPE in request.headers.get("accept", ""):
            frame = await services.read(lambda: pack(storage.chart(wanted), "groups" in wanted))
            return Response(frame, media_type=wire.FRAME_TYPE)
        if "groups" in wanted:
            raise HTTPException(400, f"charts of groups are only available as frames: send Accept: {wire.FRAME_TYPE}")
        return await services.answer(lambda: {"series": jsonable(storage.series(wanted))})


def _chart_query(query: schemas.ChartRequest) -> wire.ChartQuery:
    if bool(query.runs) == bool(query.groups):
        raise HTTPException(400, "a chart shows either runs or groups: give one of them")
    names = [*query.runs, *(run for group in query.groups for run in group.runs)]
    if len(names) * len(query.keys) > MAX_SERIES:
        raise HTTPException(400, f"these are more than {MAX_SERIES:,} series: request fewer runs or keys at a time")
    for run in names:
        run_of(run)
    wanted = wire.ChartQuery(keys=query.keys, kind=query.kind, x=query.x, buckets=query.buckets)
    if query.groups:
        wanted["groups"] = [wire.ChartGroup(name=group.name, runs=group.runs) for group in query.groups]
    else:
        wanted["runs"] = query.runs
    if query.min is not None:
        wanted["min"] = query.min
    if query.max is not None:
        wanted["max"] = query.max
    return wanted


def pack(chart: Chart, of_groups: bool) -> bytes:
    """Encode a chart as a frame (see `wire.ChartHeader`)."""
    arrays = _Arrays()
    entries: list[wire.FrameSeries] = []
    for line in chart.lines:
        entry = wire.FrameSeries(key=line.key, points=line.points, x=arrays.put(line.x))
        entry["group" if of_groups else "run"] = line.source
        if line.n is None:
            entry["mean"] = entry["min"] = entry["max"] = arrays.put(line.mean)
            entry["n"] = None
        else:
            rounding = _rounding(line.low, line.high)
            entry["mean"] = arrays.put(_as_float32(line.mean, rounding))
            entry["min"] = arrays.put(_as_float32(line.low, rounding, towards=-np.inf))
            entry["max"] = arrays.put(_as_float32(line.high, rounding, towards=np.inf))
            entry["n"] = arrays.put(_as_float32(line.n, 0.0))
        entry["std"] = None if line.std is None else arrays.put(_as_float32(line.std, rounding))
        entries.append(entry)
    grid = None if chart.grid is None else arrays.put(chart.grid)
    return wire.encode_frame(wire.ChartHeader(series=entries, grid=grid), arrays.found)


class _Arrays:
    """The arrays of a frame; equal ones are sent once."""

    def __init__(self) -> None:
        self.found: list[Array] = []
        self._known: dict[tuple[str, bytes], int] = {}

    def put(self, array: Array) -> int:
        """Add the array unless there is an equal one; return its index."""
        key = array.dtype.char, array.tobytes()
        if key not in self._known:
            self._known[key] = len(self.found)
            self.found.append(np.require(array, requirements=["C", "A"]))
        return self._known[key]


def _rounding(low: Array, high: Array) -> float:
    """Return by how much rounding may change the numbers of a series."""
    with np.errstate(over="ignore", invalid="ignore"):
        span = np.fmax.reduce(high) - np.fmin.reduce(low)
    return float(span) * _ROUNDING if np.isfinite(span) else 0.0


def _as_float32(values: Array, rounding: float, towards: float | None = None) -> Array:
    """Return the values as float32 if none changes by more than `rounding`; round only in the direction `towards`."""
    with np.errstate(over="ignore", invalid="ignore"):
        short = values.astype(np.float32)
        if np.fmax.reduce(np.abs(short - values)) > rounding:
            return values
    if towards is not None:
        wrong = short > values if towards < 0 else short < values
        short[wrong] = np.nextafter(short[wrong], np.float32(towards))
    return short


_FRAME: dict[str, Any] = {"content": {wire.FRAME_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
