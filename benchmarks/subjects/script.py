"""Start a run with a subject, log rows, finish, and print the cost as JSON.

    python script.py SUBJECT DIRECTORY --calls N [--rows random|training] [--new-keys] [--timers] [--spread SECONDS]

It runs in the subject's own environment, so it imports only the standard library and the subject.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import struct
import sys
import time
from itertools import cycle, islice

WARM_UP = 100  # calls before measuring


class Floor:
    """The floor: encode a row and write it."""

    module = "orjson"

    def start(self, directory: str) -> None:
        import orjson

        self._fd = os.open(os.path.join(directory, "rows.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        fd, write, dumps = self._fd, os.write, orjson.dumps
        self.log = lambda row, _step: write(fd, dumps(row) + b"\n")

    def finish(self) -> None:
        os.close(self._fd)


class Tracker:
    module = "tracker"

    def start(self, directory: str) -> None:
        import tracker

        mode = os.environ.get("TRACKER_MODE", "offline")
        run = self._run = tracker.init(project="bench", dir=directory, mode=mode, settings={"silent": True})
        self.log = lambda row, _step: run.log(row)

    def finish(self) -> None:
        self._run.finish()


class Wandb:
    module = "wandb"

    def start(self, directory: str) -> None:
        import wandb

        run = self._run = wandb.init(project="bench", dir=directory, mode="offline")
        self.log = lambda row, _step: run.log(row)

    def finish(self) -> None:
        self._run.finish()


class Trackio:
    module = "trackio"

    def start(self, directory: str) -> None:  # noqa: ARG002
        import trackio

        trackio.init(project="bench")
        self._finish = trackio.finish
        self.log = lambda row, _step: trackio.log(row)

    def finish(self) -> None:
        self._finish()


class TensorboardX:
    module = "tensorboardX"

    def start(self, directory: str) -> None:
        import tensorboardX

        writer = self._writer = tensorboardX.SummaryWriter(directory)

        def log(row: dict[str, float], step: int) -> None:
            for key, value in row.items():
                writer.add_scalar(key, value, step)

        self.log = log

    def finish(self) -> None:
        self._writer.close()


class Mlflow:
    module = "mlflow"

    def start(self, directory: str) -> None:
        os.chdir(directory)  # its default store is in the working directory
        import mlflow

        mlflow.set_experiment("bench")
        mlflow.start_run()
        self._finish = mlflow.end_run
        self.log = lambda row, step: mlflow.log_metrics(row, step=step)

    def finish(self) -> None:
        self._finish()


class Aim:
    module = "aim"

    def start(self, directory: str) -> None:
        import aim

        run = self._run = aim.Run(repo=directory, experiment="bench")
        self.log = lambda row, step: run.track(row, step=step)

    def finish(self) -> None:
        self._run.close()


SUBJECTS = {"floor": Floor, "tracker": Tracker, "wandb": Wandb, "trackio": Trackio}
SUBJECTS |= {"tensorboardX": TensorboardX, "mlflow": Mlflow, "aim": Aim}


def random_row(number: int) -> dict[str, float]:
    """Return ten doubles with all digits, which compress worst."""
    generator = random.Random(number)
    return {f"m{i}": generator.random() for i in range(10)}


def training_row(number: int) -> dict[str, float]:
    """Return ten values as in a training loop: losses that were float32, a rate and a few counts."""
    generator = random.Random(number)

    def single(value: float) -> float:
        return float(struct.unpack("f", struct.pack("f", value * generator.uniform(0.95, 1.05)))[0])

    loss = 2.5 / (1 + number / 500)
    return {
        "train/loss": single(loss),
        "train/accuracy": single(1 - loss / 3),
        "train/grad_norm": single(0.5 + loss),
        "train/perplexity": single(2.0**loss),
        "val/loss": single(loss * 1.1),
        "val/accuracy": single(1 - loss / 2.8),
        "lr": 0.001 * (1 - (number % 1000) / 1000),
        "epoch": number // 100,
        "samples": number * 256,
        "throughput": single(1800.0),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("directory")
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--rows", choices=["random", "training"], default="random")
    parser.add_argument("--timers", action="store_true", help="time each call")
    parser.add_argument("--new-keys", action="store_true", help="log a key of its own with each call")
    parser.add_argument(
        "--spread", type=float, default=0.0, metavar="SECONDS", help="pause now and then to last so long"
    )
    options = parser.parse_args()

    make = random_row if options.rows == "random" else training_row
    rows = [make(number) for number in range(1000)]
    subject = SUBJECTS[options.subject]()
    # Before the imports, since some libraries read these at import.
    os.environ.update(TRACKIO_DIR=options.directory, WANDB_DIR=options.directory, WANDB_SILENT="true")
    importlib.import_module(subject.module)
    began = time.perf_counter()
    subject.start(options.directory)
    started = time.perf_counter()
    for step, row in enumerate(rows[: min(WARM_UP, options.calls)]):
        subject.log(row, step)

    measure = with_timers if options.timers else without_timers
    cpu, wall, at = time.process_time(), time.perf_counter(), time.monotonic()
    logged = ({f"key{n}": 1.0} for n in range(options.calls)) if options.new_keys else cycle(rows)
    result = measure(subject.log, spread(islice(logged, options.calls), options.calls, options.spread))
    result["loop_cpu_s"], result["loop_s"] = time.process_time() - cpu, time.perf_counter() - wall
    ended = time.perf_counter()
    subject.finish()
    result["finish_s"] = time.perf_counter() - ended
    result["loop_at"], result["finished_at"] = at, time.monotonic()  # a clock that all processes share
    result["cpu_s"] = time.process_time() - cpu
    result["start_s"] = started - began
    result["process_cpu_s"] = time.process_time()
    sys.stdout.write("\n" + json.dumps(result) + "\n")
    sys.stdout.flush()


def spread(rows, calls: int, seconds: float):
    """Return the rows; if `seconds` is not 0, in a hundred bursts with pauses."""
    return rows if not seconds else _with_pauses(rows, max(1, calls // 100), seconds / 100)


def _with_pauses(rows, burst: int, pause: float):
    for number, row in enumerate(rows):
        if number % burst == 0:
            time.sleep(pause)
        yield row


def without_timers(log, rows) -> dict[str, float]:
    for step, row in enumerate(rows, WARM_UP):
        log(row, step)
    return {}


def with_timers(log, rows) -> dict[str, float]:
    clock, times = time.perf_counter_ns, []
    for step, row in enumerate(rows, WARM_UP):
        before = clock()
        log(row, step)
        times.append(clock() - before)
    times.sort()
    count = len(times)
    shares = {f"p{share}_us": times[min(count - 1, count * share // 100)] / 1000 for share in (50, 99)}
    return shares | {"mean_us": sum(times) / count / 1000, "max_us": times[-1] / 1000}


if __name__ == "__main__":
    main()
