"""`tensorboard`: what reading event files costs, beside TensorBoard's own readers.

All figures are CPU per scalar event, of processes that take turns: reading alone, imports not counted. TensorBoard's
data server (in Rust) is measured as it is by default, which leaves checksums unchecked, and with all of them checked;
both from its start until all points have been read back through its gRPC interface, not counting what the client takes
for that. The tracker checks all of them.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .measure import SUBJECTS, TRACKER, Options, environment, median, scratch
from .report import Line

GROUP = "tensorboard"
ROUNDS = 5
NEEDED = ("google_crc32c", "tensorboard", "tensorboard_data_server", "tracker_tensorboard")
LABELS = {
    "floor": "floor: read, 1 checksum",
    "tracker": "tracker, reader",
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


def run(options: Options) -> Iterator[Line]:
    """Read the same files in each way, by turns, so that the machine's drift cancels."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"tensorboard: {', '.join(missing)} is not installed here; nothing is measured", file=sys.stderr)
        return
    slow = [way for way in SLOW if importlib.util.find_spec(way) or way == "accumulator"]
    for what, (value, runs, tags, steps) in INPUTS.items():
        steps = steps // 20 if options.quick else steps
        with scratch() as directory:
            logdir, small = directory / "logs", directory / "small"
            _make(logdir, value, runs, tags, steps)
            _make(small, value, runs, tags, steps // 10)
            found: dict[str, list[float]] = {}
            for _ in range(options.rounds(ROUNDS)):
                for way in ("floor", "tracker", "rust", "rust-checked"):
                    found.setdefault(way, []).append(_measure(way, logdir, directory, runs * tags * steps))
            for way in slow:
                found[way] = [_measure(way, small, directory, runs * tags * (steps // 10))]
        for way, costs in found.items():
            target = median(found["rust"]) / 2 if way == "tracker" else None
            n = f"{len(costs)} × {runs * tags * (steps // 10 if way in SLOW else steps):,} events"
            ratio = median(costs) / median(found["floor"])
            yield Line(GROUP, LABELS[way], f"CPU an event, {what}", median(costs), "ns", n, ratio, target)


def _make(logdir: Path, value: str, runs: int, tags: int, steps: int) -> None:
    # Imported only here: without the extra this module can still be.
    from .subjects import event_files

    names = [f"train/metric_{number}" if number % 2 else f"val/{'x' * number}loss" for number in range(tags)]
    for number in range(runs):
        path = logdir / f"run{number}" / "events.out.tfevents.1700000000.host"
        event_files.write(path, getattr(event_files, value), names, steps)
    expected = {"runs": [f"run{number}" for number in range(runs)], "series": runs * tags, "last_step": steps - 1}
    (logdir / "expected.json").write_text(json.dumps(expected))


def _measure(way: str, logdir: Path, directory: Path, events: int) -> float:
    """Return the CPU nanoseconds of an event. Raises RuntimeError if they were not all read."""
    done = subprocess.run(
        [sys.executable, str(SUBJECTS / "read_events.py"), way, str(logdir)],
        env=environment(TRACKER, directory),
        capture_output=True,
        text=True,
        check=False,  # what went wrong is told below
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    if not result or (way != "floor" and result["values"] != events):
        raise RuntimeError(f"{way} read {result.get('values')} of {events} events: {done.stderr[-800:]}")
    return 1e9 * float(result["cpu_s"]) / events
