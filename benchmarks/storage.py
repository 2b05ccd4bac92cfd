"""Measure the server's storage: CPU and disk of an uploaded point, and CPU of a chart of 20 runs.

    python benchmarks/storage.py --points 4000000

Time is CPU time of this process, parsing, merging and fsync calls included. Lines are encoded before the clock starts.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tracker.names import RunKey
from tracker.runlog.records import encode, encode_points
from tracker_server.storage.sql import SqlStorage, open_storage

KEYS = [f"train/metric_{k}" for k in range(10)]


def values(what: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows × keys of typical values."""
    shape = (rows, len(KEYS))
    if what == "random":
        return rng.random(shape, dtype=np.float32).astype(float)
    if what == "random64":
        return rng.random(shape)
    return np.cumsum(rng.normal(size=shape), axis=0).astype(np.float32).astype(float)


def batches(run: str, what: str, rows: int, batch: int, rng: np.random.Generator) -> Iterator[bytes]:
    table = values(what, rows, rng)
    clock = 1.7e9 + np.cumsum(rng.random(rows) * 0.02 + 0.09)
    for start in range(0, rows, batch):
        lines = [
            encode("log", dict(zip(KEYS, table[i].tolist(), strict=True)), clock[i], i)
            for i in range(start, min(start + batch, rows))
        ]
        if start == 0:
            lines.insert(0, encode("run", {"version": 1, "id": run, "pid": 1}, 1.7e9))
            lines.append(encode("config", {f"parameter_{i}": i / 7 for i in range(30)}, 1.7e9))
        yield b"".join(lines)


def fill(storage: SqlStorage, run: str, what: str, rows: int, batch: int, rng: np.random.Generator) -> float:
    """Upload one run; return CPU seconds."""
    key, offset, spent = RunKey("me", "bench", run), 0, 0.0
    for data in batches(run, what, rows, batch, rng):
        start = time.process_time()
        offset, *_ = storage.append(key, "history-a.jsonl", offset, data)
        spent += time.process_time() - start
    return spent


def point_batches(points: int, keys: int, line: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield uploads of about a megabyte as importers make them: `points` lines of float32 values, keys in turn."""
    names = [f"train/metric_{k}" for k in range(keys)]
    at = np.arange(points)
    times = 1.7e9 + np.cumsum(rng.random(points) * 0.002)
    numbers = np.cumsum(rng.normal(size=points)).astype(np.float32)
    lines = [encode("run", {"version": 1, "id": "p"}, 1.7e9)]
    for start in range(0, points, line):
        some = slice(start, start + line)
        lines.append(encode_points(names, at[some] % keys, times[some], at[some] // keys, numbers[some]))
        if sum(map(len, lines)) > 900_000:
            yield b"".join(lines)
            lines = []
    yield b"".join(lines)


def take_points(storage: SqlStorage, points: int, keys: int, line: int, rng: np.random.Generator) -> float:
    """Upload points; return CPU seconds."""
    offset, spent = 0, 0.0
    for data in point_batches(points, keys, line, rng):
        start = time.process_time()
        offset, *_ = storage.append(RunKey("me", "bench", "p"), "history-a.jsonl", offset, data)
        spent += time.process_time() - start
    return spent


def size(directory: Path) -> int:
    return sum(p.stat().st_size for p in directory.iterdir() if not p.name.endswith("-reserve"))


def rss() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def chart(storage: SqlStorage, runs: list[str], **query: object) -> float:
    """Return the CPU milliseconds of a chart with warm caches."""
    best = 1e9
    for _ in range(7):
        start = time.process_time()
        storage.chart({"runs": runs, "keys": KEYS[:1], "buckets": 1000, **query})  # type: ignore[typeddict-item]
        best = min(best, time.process_time() - start)
    return best * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000, help="points in each upload measurement")
    parser.add_argument("--directory", type=Path, help="where the databases go (default: the system's place)")
    arguments = parser.parse_args()
    rows = arguments.points // len(KEYS)
    rng = np.random.default_rng(7)

    print(f"{'upload':34}{'µs/point':>10}{'bytes/point':>13}{'MiB RSS':>9}")
    for what, batch in [("walk", 100), ("walk", 500), ("random", 100), ("random64", 100)]:
        with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
            storage = open_storage(Path(directory))
            spent = fill(storage, "r0", what, rows, batch, rng)
            storage.close()
            name = f"{what}, {batch * len(KEYS):,} points a batch"
            per_point = size(Path(directory)) / arguments.points
            print(f"{name:34}{spent / arguments.points * 1e6:10.3f}{per_point:13.2f}{rss():9.0f}")

    for keys, line in [(20, 1000), (20, 4096), (1, 4096), (500, 4096)]:
        with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
            storage = open_storage(Path(directory))
            spent = take_points(storage, arguments.points, keys, line, rng)
            storage.close()
            name = f"{line:,} points a line, {keys} keys"
            per_point = size(Path(directory)) / arguments.points
            print(f"{name:34}{spent / arguments.points * 1e6:10.3f}{per_point:13.2f}{rss():9.0f}")

    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        storage = open_storage(Path(directory))
        names = [f"r{i}" for i in range(20)]
        for name in names:
            fill(storage, name, "walk", 50_000, 5000, rng)
        paths = [f"me/bench/{name}" for name in names]
        print(f"\n{'chart of 20 runs × 50k steps':34}{'CPU ms':>10}")
        print(f"{'x = _step':34}{chart(storage, paths):10.1f}")
        print(f"{'x = _timestamp':34}{chart(storage, paths, x='_timestamp'):10.1f}")
        print(f"{'x = another key':34}{chart(storage, paths, x=KEYS[1]):10.1f}")
        print(f"{'steps 20,000 to 21,000':34}{chart(storage, paths, min=20_000, max=21_000):10.1f}")
        start = time.process_time()
        page = storage.rows(RunKey("me", "bench", "r0"), "history", None, 1000, None)
        print(f"{'page of 1,000 rows, 10 keys':34}{(time.process_time() - start) * 1000:10.1f}")
        start = time.process_time()
        storage.rows(RunKey("me", "bench", "r0"), "history", None, 1000, page["cursor"])
        print(f"{'the page after':34}{(time.process_time() - start) * 1000:10.1f}")
        print(f"{'RSS, MiB':34}{rss():10.0f}")
        storage.close()


if __name__ == "__main__":
    main()
