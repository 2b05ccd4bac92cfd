"""`delivery`: from `log()` in a training process to rows that the server has committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .measure import TRACKER, Options, median, run_subject, scratch
from .report import Line
from .serving import Served, served
from .subjects.script import WARM_UP

GROUP = "delivery"
CALLS = 100_000  # of ten scalars: a million points
ROUNDS = 3
_POLL = 0.1
_PATIENCE = 300.0


def run(options: Options) -> Iterator[Line]:
    """Log as fast as one process can, and measure until the server has every row."""
    calls, rounds = options.calls(TRACKER, CALLS), options.rounds(ROUNDS)
    found = [_deliver(calls) for _ in range(rounds)]
    watched = _deliver(calls, watch_memory=True)
    points, n = 10 * calls, f"{rounds} × {10 * calls:,} points"

    def line(what: str, value: float, unit: str, n: str = n, target: float | None = None) -> Line:
        return Line(GROUP, TRACKER.label, what, value, unit, n, None, target)

    yield line("points a second from log() to the server", points / median([f["delivered_s"] for f in found]), "1/s")
    yield line("the last row is there after it was logged", median([f["lag_s"] for f in found]), "s")
    yield line("server CPU a point", 1e6 * median([f["server_cpu_s"] for f in found]) / points, "µs")
    yield line("agent CPU a point", 1e6 * median([f["helpers_cpu_s"] for f in found]) / points, "µs")
    yield line("finish while the agent uploads, wall", 1000 * median([f["finish_s"] for f in found]), "ms")
    once = f"1 × {points:,} points"
    yield line("peak memory of the training process", watched["rss_mib"], "MiB", once)
    yield line("peak memory of its agent", watched["others_rss_mib"], "MiB", once, target=60.0)
    yield line("memory of the server at the end", watched["server_mib"], "MiB", once)


def _deliver(calls: int, watch_memory: bool = False) -> dict[str, Any]:
    with scratch() as directory, served(directory) as server, ThreadPoolExecutor(1) as thread:
        before = server.cpu()
        variables = {"TRACKER_MODE": "online", "TRACKER_BASE_URL": server.url, "TRACKER_API_KEY": server.token}
        variables |= {
            "TRACKER_ENTITY": "bench",
            "TRACKER_FINISH_TIMEOUT": "0",
        }  # as outside of containers
        client = directory / "client"
        client.mkdir()
        training = thread.submit(_run, client, calls, watch_memory, variables)
        seen = _wait(server, calls + WARM_UP)
        cpu = server.cpu() - before
        result = training.result()
        _check(server, calls + WARM_UP)
        result["delivered_s"] = seen - result["loop_at"]
        result["lag_s"] = seen - result["loop_at"] - result["loop_s"]
        result["server_cpu_s"], result["server_mib"] = cpu, server.resident()
        return result


def _run(directory: Path, calls: int, watch_memory: bool, variables: dict[str, str]) -> dict[str, Any]:
    return run_subject(TRACKER, directory, calls, watch_memory=watch_memory, **variables)


def _check(server: Served, rows: int) -> None:
    """Raise RuntimeError unless every key has all its points, since a fast loss is worthless."""
    run = server.client.json("GET", "/api/runs/bench/bench")["runs"][0]
    keys = server.client.json("GET", f"/api/runs/bench/bench/{run['id']}/keys")["keys"]
    if [key["count"] for key in keys] != [rows] * 10:
        raise RuntimeError(f"the server has {keys} instead of ten keys of {rows:,} points")


def _wait(server: Served, rows: int) -> float:
    """Return the time (of `time.monotonic`) at which the server has all rows, to a tenth of a second."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        runs = server.client.json("GET", "/api/runs/bench/bench")["runs"]
        if runs and runs[0]["rows"] >= rows:
            return time.monotonic()
        time.sleep(_POLL)
    raise RuntimeError(f"the server did not get {rows:,} rows in {_PATIENCE:.0f} s")
