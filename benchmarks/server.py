"""`server`: ingest, charts, disk and memory of the server, through HTTP as clients and browsers use it."""

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
STEPS = 50_000
KEYS = ("train/loss", "train/accuracy", "val/loss", "lr")
BATCH = 250  # rows: a thousand points
QUERIES = 10


def run(options: Options) -> Iterator[Line]:
    """Fill a server with twenty runs that log at the same time, then ask for a chart of all of them."""
    steps = STEPS // 20 if options.quick else STEPS
    points = RUNS * steps * len(KEYS)
    n = f"{points:,} points in batches of {BATCH * len(KEYS):,}"

    def line(what: str, value: float, unit: str, n: str = n, target: float | None = None) -> Line:
        return Line(GROUP, "tracker", what, value, unit, n, None, target)

    with scratch() as directory, served(directory) as server:
        cpu, wall = _fill(server, steps)
        yield line("ingest, server CPU a point", 1e6 * cpu / points, "µs", target=5.0)
        yield line("ingest, points a second of one client", points / wall, "1/s")
        yield line("memory of the server after it", server.resident(), "MiB")
        yield line("disk a point", server.stored() / points, "bytes", target=12.0)
        first, walls, cpus = _charts(server)
        series = f"1 key of {RUNS} runs × {steps:,} steps to 1,000 buckets"
        yield line("first chart, wall", 1000 * first, "ms", series)
        yield line("chart, wall", 1000 * median(walls), "ms", f"{QUERIES} × {series}", target=200.0)
        yield line("chart, server CPU", 1000 * sum(cpus) / QUERIES, "ms", f"{QUERIES} × {series}")
        yield line("memory of the server after it", server.resident(), "MiB", series)


def _fill(server: Served, steps: int) -> tuple[float, float]:
    """Upload rows of all runs by turns; return the server's CPU seconds and the wall seconds."""
    offsets = dict.fromkeys(range(RUNS), 0)
    cpu, wall = 0.0, 0.0
    for first in range(0, steps, BATCH):
        bodies = {number: _lines(number, first, min(BATCH, steps - first)) for number in range(RUNS)}
        before, began = server.cpu(), time.perf_counter()
        for number, body in bodies.items():
            key = ("bench", "bench", f"run{number}")
            offsets[number] = server.client.send(key, "history.jsonl", offsets[number], body)["offset"]
        cpu += server.cpu() - before
        wall += time.perf_counter() - began
    return cpu, wall


def _lines(number: int, first: int, count: int) -> bytes:
    generator = random.Random(number * STEPS + first)
    start = 1.7e9 + number
    lines = []
    if first == 0:
        run = {"version": 1, "id": f"run{number}", "entity": "bench", "project": "bench", "name": f"run {number}"}
        lines.append(encode("run", run, start))
    for step in range(first, first + count):
        loss = 2.5 / (1 + step / 5000) * generator.uniform(0.95, 1.05)
        row = dict(zip(KEYS, (loss, 1 - loss / 3, loss * 1.1, 0.001 * (1 - step / STEPS)), strict=True))
        lines.append(encode("log", row, start + 0.1 * step, step))
    return b"".join(lines)


def _charts(server: Served) -> tuple[float, list[float], list[float]]:
    """Return the wall seconds of the first query, and wall and CPU seconds of those after it."""
    query = {"runs": [f"bench/bench/run{number}" for number in range(RUNS)], "keys": [KEYS[0]], "buckets": 1000}
    walls, cpus = [], []
    for _ in range(QUERIES + 1):
        before, began = server.cpu(), time.perf_counter()
        header, _arrays = server.client.frame("/api/charts", query)
        walls.append(time.perf_counter() - began)
        cpus.append(server.cpu() - before)
        if len(header["series"]) != RUNS:
            raise RuntimeError(f"the chart has {len(header['series'])} series instead of {RUNS}")
    return walls[0], walls[1:], cpus[1:]
