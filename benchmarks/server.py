"""`server`: ingest, charts, disk and memory of the server, over HTTP."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tracker.runlog.records import encode

from .measure import Options, median, scratch
from .report import Line
from .serving import Served, served

GROUP = "server"
RUNS = 20
ROW_STEPS, CHART_STEPS = 20_000, 50_000
KEYS = tuple(f"m{i}" for i in range(10))
BATCH = 1_000  # points
QUERIES = 10


def run(options: Options) -> Iterator[Line]:
    """Fill a server with twenty runs that log at the same time, then request a chart of one key of all runs."""
    row_steps, chart_steps = (n // 20 if options.quick else n for n in (ROW_STEPS, CHART_STEPS))
    points = RUNS * row_steps * len(KEYS)
    n = f"{points:,} points in batches of {BATCH:,}, 10 keys"

    def line(what: str, value: float, unit: str, n: str = n, target: float | None = None) -> Line:
        return Line(GROUP, "tracker", what, value, unit, n, None, target)

    with scratch() as directory, served(directory) as server:
        cpu, wall = fill(server, "rows", KEYS, row_steps)
        yield line("ingest, server CPU a point", 1e6 * cpu / points, "µs", target=1.0)
        yield line("ingest, points a second of one client", points / wall, "1/s")
        yield line("memory of the server after it", server.resident(), "MiB", target=150.0)
        yield line("disk a point", server.stored() / points, "bytes")
        fill(server, "chart", ("loss",), chart_steps)
        first, walls, cpus = _charts(server)
        series = f"1 key of {RUNS} runs × {chart_steps:,} steps to 1,000 buckets"
        yield line("first chart, wall", 1000 * first, "ms", series)
        yield line("chart, wall", 1000 * median(walls), "ms", f"{QUERIES} × {series}")
        yield line("chart, server CPU", 1000 * sum(cpus) / QUERIES, "ms", f"{QUERIES} × {series}")
        yield line("memory of the server after it", server.resident(), "MiB", series, target=150.0)


def fill(server: Served, name: str, keys: tuple[str, ...], steps: int) -> tuple[float, float]:
    """Upload rows of all runs in turn; return the server's CPU seconds and the wall seconds."""
    offsets = dict.fromkeys(range(RUNS), 0)
    rows = BATCH // len(keys)
    cpu, wall = 0.0, 0.0
    for first in range(0, steps, rows):
        bodies = {number: _lines(f"{name}{number}", keys, first, min(rows, steps - first)) for number in range(RUNS)}
        before, began = server.cpu(), time.perf_counter()
        for number, body in bodies.items():
            key = ("bench", "bench", f"{name}{number}")
            offsets[number] = server.client.send(key, "history.jsonl", offsets[number], body)["offset"]
        cpu += server.cpu() - before
        wall += time.perf_counter() - began
    return cpu, wall


def _lines(run_id: str, keys: tuple[str, ...], first: int, count: int) -> bytes:
    generator = random.Random(f"{run_id}/{first}")
    start = 1.7e9
    lines = []
    if first == 0:
        run = {"version": 1, "id": run_id, "entity": "bench", "project": "bench", "name": run_id}
        lines.append(encode("run", run, start))
    for step in range(first, first + count):
        loss = 2.5 / (1 + step / 5000)
        row = {key: loss * generator.uniform(0.95, 1.05) for key in keys}
        lines.append(encode("log", row, start + 0.1 * step, step))
    return b"".join(lines)


def _charts(server: Served) -> tuple[float, list[float], list[float]]:
    """Return the wall seconds of the first query, and wall and CPU seconds of later ones."""
    query = {"runs": [f"bench/bench/chart{number}" for number in range(RUNS)], "keys": ["loss"], "buckets": 1000}
    walls, cpus = [], []
    for _ in range(QUERIES + 1):
        before, began = server.cpu(), time.perf_counter()
        header, _arrays = server.client.frame("/api/charts", query)
        walls.append(time.perf_counter() - began)
        cpus.append(server.cpu() - before)
        if len(header["series"]) != RUNS:
            raise RuntimeError(f"the chart has {len(header['series'])} series instead of {RUNS}")
    return walls[0], walls[1:], cpus[1:]
