"""`tensorboard`: the cost of reading and importing event files, next to TensorBoard's own readers.

All figures are for one scalar event, from processes that run in turn.

Reading: CPU without imports. TensorBoard's data server (in Rust) is measured with its default, which skips checksums,
and with all checksums. Both run from its start until all points are read back through its gRPC interface, without the
client's own time. The tracker always checks checksums.

Importing: `tracker tensorboard-import` from start to end, with the start of Python and all imports, and the CPU of all
its processes. It imports to run directories, and to a server until that has committed everything. The data server's
time is from its start to the last response.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .measure import ROOT, SUBJECTS, TRACKER, Options, environment, median, scratch
from .report import Line
from .serving import served

GROUP = "tensorboard"
ROUNDS = 3
NEEDED = ("google_crc32c", "tensorboard", "tensorboard_data_server", "tracker_tensorboard")
LABELS = {
    "floor": "floor: read, 1 checksum",
    "tracker": "tracker, reader",
    "import": "tracker, import",
    "server": "tracker, import to the server",
    "rust": "TensorBoard, Rust server",
    "rust-checked": "TensorBoard, Rust, checked",
    "accumulator": "EventAccumulator",
    "tbparse": "tbparse",
}
SLOW = ("accumulator", "tbparse")
"""Measured once, on a tenth of the steps."""
INPUTS = {
    "1 file × 20 tags × 100,000 steps": ("torch_value", 1, 20, 100_000),
    "200 files × 10 tags × 1,000 steps": ("torch_value", 200, 10, 1_000),
    "1 file of TensorFlow 2 × 20 tags × 50,000 steps": ("tensorflow_value", 1, 20, 50_000),
}


class Cost(NamedTuple):
    """Nanoseconds per event: CPU, and wall from start to end."""

    cpu: float
    wall: float


def run(options: Options) -> Iterator[Line]:
    """Read the same files in each way, in alternating rounds, so that drift of the machine cancels."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"tensorboard: {', '.join(missing)} is not installed here; nothing is measured", file=sys.stderr)
        return
    for what, (value, runs, tags, steps) in INPUTS.items():
        steps = steps // 20 if options.quick else steps
        with scratch() as directory:
            _make(directory / "logs", value, runs, tags, steps)
            _make(directory / "small", value, runs, tags, steps // 10)
            yield from _lines(what, _measure_all(directory, runs * tags * steps, options.rounds(ROUNDS)))


def _measure_all(directory: Path, events: int, rounds: int) -> dict[str, list[Cost]]:
    found: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(rounds):
        for way in ("floor", "tracker", "rust", "rust-checked"):
            found[way].append(_read(way, directory / "logs", directory, events))
        for way in ("import", "server"):
            found[way].append(_import(way, directory / "logs", directory, events))
    for way in SLOW:
        if way == "accumulator" or importlib.util.find_spec(way):
            found[way] = [_read(way, directory / "small", directory, events // 10)]
    return found


def _lines(what: str, found: dict[str, list[Cost]]) -> Iterator[Line]:
    cpu = {way: median([cost.cpu for cost in costs]) for way, costs in found.items()}
    wall = {way: median([cost.wall for cost in costs]) for way, costs in found.items()}
    for way, costs in found.items():
        target = cpu["rust"] / 2 if way == "tracker" else None
        n, ratio = f"{len(costs)}", cpu[way] / cpu["floor"]
        yield Line(GROUP, LABELS[way], f"CPU an event, {what}", cpu[way], "ns", n, ratio, target)
    for way in ("import", "rust", "rust-checked", "server"):
        target = wall["rust"] if way == "import" else None
        yield Line(GROUP, LABELS[way], f"wall an event, {what}", wall[way], "ns", f"{len(found[way])}", None, target)


def _make(logdir: Path, value: str, runs: int, tags: int, steps: int) -> None:
    # Imported here, so that this module can be imported without the extra.
    from .subjects import event_files

    names = [f"train/metric_{number}" if number % 2 else f"val/{'x' * number}loss" for number in range(tags)]
    for number in range(runs):
        path = logdir / f"run{number}" / "events.out.tfevents.1700000000.host"
        event_files.write(path, getattr(event_files, value), names, steps)
    expected = {"runs": [f"run{number}" for number in range(runs)], "series": runs * tags, "last_step": steps - 1}
    (logdir / "expected.json").write_text(json.dumps(expected))


def _read(way: str, logdir: Path, directory: Path, events: int) -> Cost:
    """Read files in one way. Raises RuntimeError if events are missing."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, str(SUBJECTS / "read_events.py"), way, str(logdir)],
        env=environment(TRACKER, directory, PYTHONPATH=paths),
        capture_output=True,
        text=True,
        check=False,  # the error is raised below
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    if not result or (way != "floor" and result["values"] != events):
        raise RuntimeError(f"{way} read {result.get('values')} of {events} events: {done.stderr[-800:]}")
    return Cost(1e9 * float(result["cpu_s"]) / events, 1e9 * float(result["wall_s"]) / events)


def _import(way: str, logdir: Path, directory: Path, events: int) -> Cost:
    """Import files into an empty directory, and perhaps to an empty server, whose CPU then counts too."""
    with scratch() as empty:
        if way == "import":
            return _command(logdir, directory, empty, events, TRACKER_MODE="offline")
        with served(empty) as server:
            before = server.cpu()
            cost = _command(logdir, directory, empty, events, TRACKER_BASE_URL=server.url, TRACKER_API_KEY=server.token)
            found = server.client.json("GET", "/api/runs/bench/bench", params={"limit": 1000})["runs"]
            rows = sum(run["rows"] for run in found)
            if rows != events:
                raise RuntimeError(f"the server has {rows} of {events} events")
            return cost._replace(cpu=cost.cpu + 1e9 * (server.cpu() - before) / events)


def _command(logdir: Path, home: Path, work: Path, events: int, **variables: str) -> Cost:
    """Run `tracker tensorboard-import`. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker.cli.main", "tensorboard-import", str(logdir)],
        env=environment(TRACKER, home, TRACKER_ENTITY="bench", TRACKER_PROJECT="bench", **variables),
        cwd=work,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"tensorboard-import ended with {process.returncode}")
    return Cost(1e9 * (usage.ru_utime + usage.ru_stime) / events, 1e9 * wall / events)
