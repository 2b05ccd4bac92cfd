"""Measure the memory of importing a large log directory: `python -m benchmarks.tensorboard_memory [GIGABYTES]`.

It writes event files of scalars, half of the bytes in one file and the rest in files of about 100 MB, and one file of
images. It imports them to run directories, then to a server, and prints the peak of the resident memory of all
processes of the command together, sampled 50 times a second; shared memory counts for each process.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
from tensorboard.compat.proto import event_pb2

from .measure import TRACKER, environment, scratch
from .serving import served
from .subjects import event_files

_TAGS = [f"train/metric_{number}" for number in range(20)]


def main() -> None:
    wanted = float(sys.argv[1]) * 1e9 if len(sys.argv) > 1 else 1e9
    with scratch() as directory:
        size, events = make(directory / "logs", wanted)
        print(f"{size / 1e9:.2f} GB in {len(list((directory / 'logs').iterdir()))} runs, {events:,} scalars")
        tell("to run directories", directory, events, TRACKER_MODE="offline")
        with served(directory) as server:
            tell("to a server", directory, events, TRACKER_BASE_URL=server.url, TRACKER_API_KEY=server.token)


def make(logdir: Path, wanted: float) -> tuple[int, int]:
    """Create a log directory of at least this many bytes; return its size and its number of scalars."""
    first = logdir / "run0" / "events.out.tfevents.1700000000.host"
    event_files.write(first, event_files.torch_value, _TAGS, 93_000)
    part = first.read_bytes()
    files = max(1, round(wanted / 2 / len(part)))
    for number in range(1, files):
        path = logdir / f"run{number}" / first.name
        path.parent.mkdir()
        path.write_bytes(part)
    long = logdir / "one" / first.name
    long.parent.mkdir()
    with long.open("wb") as file:
        for _ in range(files):
            file.write(part)
    images = logdir / "images" / first.name
    images.parent.mkdir()
    with images.open("wb") as file:
        for step in range(200):
            event = event_pb2.Event(wall_time=event_files.START + step, step=step)
            picture = event.summary.value.add(tag="picture").image
            picture.encoded_image_string = b"\x89PNG\r\n\x1a\n" + step.to_bytes(8, "big") * 125_000
            file.write(event_files.record(event.SerializeToString()))
    return sum(path.stat().st_size for path in logdir.rglob("*tfevents*")), 2 * files * len(_TAGS) * 93_000


def tell(how: str, directory: Path, events: int, **variables: str) -> None:
    """Import, and print the peak memory."""
    with scratch() as work:
        began = time.perf_counter()
        command = [sys.executable, "-m", "tracker.cli.main", "tensorboard-import", str(directory / "logs")]
        env = environment(TRACKER, work, TRACKER_ENTITY="bench", TRACKER_PROJECT="bench", **variables)
        process = psutil.Popen(command, cwd=work, env=env, stdout=subprocess.DEVNULL)
        most, processes = 0, 0
        while process.poll() is None:
            family = [process, *process.children(recursive=True)]
            most = max(most, sum(map(_resident, family)))
            processes = max(processes, len(family))
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(f"tensorboard-import ended with {process.returncode}")
        print(f"{how}: {most / 1e6:.0f} MB at most in {processes} processes; {events / seconds:,.0f} scalars a second")


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0  # the process has ended


if __name__ == "__main__":
    main()
