"""`lightning`: the time that a logger adds to a training step of PyTorch Lightning."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .measure import SUBJECTS, TRACKER, Options, environment, median, scratch
from .report import Line

GROUP = "lightning"
STEPS = 2000
ROUNDS = 5
ADDED = "added to a training step that logs 3 values"
MORE = "… more than a logger that does nothing adds"
CPU = "… of that, CPU of the training process"
LABELS = {"nothing": "no-op logger", "tracker": "tracker", "csv": "CSVLogger", "tensorboard": "TensorBoardLogger"}

Rounds = list[dict[str, tuple[float, float]]]


def run(options: Options) -> Iterator[Line]:
    """Compare loggers in alternating rounds of one process; a peer runs in a process with its packages."""
    if importlib.util.find_spec("lightning") is None or importlib.util.find_spec("tracker_lightning") is None:
        print("lightning is left out: it is not installed", file=sys.stderr)
        return
    steps, rounds = (200 if options.quick else STEPS), options.rounds(ROUNDS)
    loggers = [name for name in LABELS if name != "tensorboard" or importlib.util.find_spec("tensorboard")]
    n = f"{rounds} × {steps:,} steps"
    found = _fit(loggers, steps, rounds)
    yield Line(GROUP, LABELS["nothing"], ADDED, _over(found, "nothing", "none"), "µs", n)
    for name in loggers[1:]:
        yield from _lines(found, name, LABELS[name], n)
    for peer in options.peers:
        if peer.name in ("wandb", "mlflow"):
            (site,) = Path(peer.python).parents[1].glob("lib/python*/site-packages")
            found = _fit(["nothing", peer.name], max(200, int(steps * peer.scale)), rounds, site)
            yield from _lines(found, peer.name, peer.label, n)


def _lines(found: Rounds, name: str, label: str, n: str) -> Iterator[Line]:
    target = 50.0 if name == "tracker" else None
    yield Line(GROUP, label, ADDED, _over(found, name, "none"), "µs", n)
    yield Line(GROUP, label, MORE, _over(found, name, "nothing"), "µs", n, None, target)
    yield Line(GROUP, label, CPU, _over(found, name, "nothing", 1), "µs", n)


def _over(rounds: Rounds, name: str, base: str, which: int = 0) -> float:
    return median([times[name][which] - times[base][which] for times in rounds])


def _fit(loggers: list[str], steps: int, rounds: int, site: Path | None = None) -> Rounds:
    """Return the mean µs of a step with each logger and with none, wall and CPU, for each round."""
    with scratch() as directory:
        more = [] if site is None else ["--site", str(site)]
        script = [sys.executable, str(SUBJECTS / "fit.py"), *loggers, *more]
        done = subprocess.run(
            [*script, "--steps", str(steps), "--rounds", str(rounds)],
            env=environment(TRACKER, directory, TRACKER_MODE="offline", WANDB_SILENT="true"),
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,  # the error is raised below
        )
        if done.returncode:
            raise RuntimeError(f"training with {', '.join(loggers)} ended with {done.returncode}: {done.stderr[-800:]}")
        result: Rounds = json.loads(done.stdout.splitlines()[-1])
        return result
