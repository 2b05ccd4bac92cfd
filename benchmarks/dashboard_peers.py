"""The dashboards of peers, with as many runs in them: first paint, a chart's request, memory."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests

from .browser import chromium
from .measure import SUBJECTS, Options, Subject, environment, median, scratch
from .report import Line
from .subjects import curves

GROUP = "dashboard"
LOAD = (200, 20, 1000)
"""Runs, metrics and steps."""
CHARTED = 20
QUERIES = 5
ROUNDS = 3
_PATIENCE = 180.0
_PROJECT = "first"

Ask = Callable[[requests.Session, str, list[str]], requests.Response]


class Peer(NamedTuple):
    """How a peer's dashboard is served and asked."""

    serve: list[str]
    """The command behind its Python; {port} and {home} stand for what they say."""
    page: str
    """The path of the page that shows charts."""
    ask: Ask
    """The chart of a metric for some runs, as its page asks for it."""


def _ask_tensorboard(session: requests.Session, url: str, runs: list[str]) -> requests.Response:
    form = {"tag": curves.keys(1)[0], "runs": runs}
    return session.post(f"{url}/data/plugin/scalars/scalars_multirun", data=form)


def _ask_trackio(session: requests.Session, url: str, runs: list[str]) -> requests.Response:
    asked = [{"run": f"run {run.removeprefix('run')}", "run_id": run} for run in runs]
    return session.post(f"{url}/api/get_logs_batch", json={"project": _PROJECT, "runs": asked, "scalar_only": True})


def _ask_mlflow(session: requests.Session, url: str, runs: list[str]) -> requests.Response:
    query = {"run_ids": runs, "metric_key": curves.keys(1)[0], "max_results": 320}
    return session.get(f"{url}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", params=query)


TENSORBOARD = Peer(
    ["-m", "tensorboard.main", "--logdir", "{home}/runs", "--host", "127.0.0.1", "--port", "{port}"],
    "/#timeseries",
    _ask_tensorboard,
)
PEERS = {
    "trackio": Peer(["-m", "trackio.cli", "show", "--project", _PROJECT], f"/?project={_PROJECT}", _ask_trackio),
    "mlflow": Peer(
        ["-m", "mlflow", "server", "--backend-store-uri", "sqlite:///{home}/mlflow.db", "--port", "{port}"],
        "/#/experiments/1/runs?compareRunsMode=CHART",
        _ask_mlflow,
    ),
}


def run(options: Options) -> Iterator[Line]:
    """Measure each peer that is there; one that fails is left out, aloud."""
    from playwright.sync_api import Error

    if not options.peers:
        return
    runs, metrics, steps = LOAD
    steps = steps // 20 if options.quick else steps
    subjects = [subject for subject in options.peers if subject.name in PEERS]
    if importlib.util.find_spec("tensorboard") is not None:
        subjects.insert(0, Subject("tensorboard", sys.executable, f"tensorboard {version('tensorboard')}"))
    for subject in subjects:
        try:
            with scratch() as home:
                ids = _load(subject, home, runs, metrics, steps)
                yield from _measure(subject, home, ids, options, f"{runs} runs × {metrics} metrics × {steps:,} steps")
        except (subprocess.CalledProcessError, requests.RequestException, Error, RuntimeError) as error:
            print(f"{GROUP}: {subject.label} is left out: {error}", file=sys.stderr)


def _load(subject: Subject, home: Path, runs: int, metrics: int, steps: int) -> list[str]:
    """Return the ids of the runs that were put into the peer's store."""
    if subject.name == "tensorboard":
        from .subjects.event_files import torch_value, write

        ids = [f"run{number}" for number in range(runs)]
        for run_id in ids:
            file = home / "runs" / run_id / f"events.out.tfevents.{int(curves.START)}.{run_id}"
            write(file, torch_value, curves.keys(metrics), steps)
        return ids
    counts = map(str, (runs, metrics, steps))
    command = [subject.python, str(SUBJECTS / "load_peer.py"), subject.name, str(home), *counts]
    done = subprocess.run(command, env=environment(subject, home), check=True, capture_output=True, text=True)
    ids = json.loads(done.stdout.splitlines()[-1])
    return [str(run_id) for run_id in ids]


def _measure(subject: Subject, home: Path, ids: list[str], options: Options, n: str) -> Iterator[Line]:
    peer = TENSORBOARD if subject.name == "tensorboard" else PEERS[subject.name]

    def line(what: str, value: float, unit: str, n: str = n) -> Line:
        return Line(GROUP, subject.label, what, value, unit, n)

    with _served(subject, peer, home) as (url, process), requests.Session() as session, chromium() as browser:
        chosen = ids[:CHARTED]
        _wait(lambda: peer.ask(session, url, chosen), chosen)
        times = []
        for _ in range(options.rounds(ROUNDS)):
            before = _cpu(process)
            with browser.page() as page:
                page.goto(url + peer.page, wait_until="commit")
                times.append((page.evaluate("bench.firstLine()"), 1000 * (_cpu(process) - before)))
        yield line("first useful paint, cold", median([time for time, _ in times]), "ms", f"{len(times)} × {n}")
        yield line("first useful paint, server CPU", median([cpu for _, cpu in times]), "ms", f"{len(times)} × {n}")
        walls, sizes, before = [], [], _cpu(process)
        for _ in range(QUERIES):
            began = time.perf_counter()
            answer = peer.ask(session, url, chosen)
            walls.append(1000 * (time.perf_counter() - began))
            answer.raise_for_status()
            sizes.append(int(answer.headers.get("content-length", len(answer.content))) / 1000)
        cpu = 1000 * (_cpu(process) - before) / QUERIES
        how = f"{QUERIES} × 1 key of {CHARTED} runs of {n}"
        yield line("chart request", median(walls), "ms", how)
        yield line("chart request, server CPU", cpu, "ms", how)
        yield line("chart request, answer", median(sizes), "kB", how)
        family = [process, *process.children(recursive=True)]
        memory = sum(member.memory_info().rss for member in family) / 2**20
        yield line("memory of the server after it", memory, "MiB", f"{len(family)} processes, {n}")


@contextmanager
def _served(subject: Subject, peer: Peer, home: Path) -> Iterator[tuple[str, psutil.Process]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [part.format(port=port, home=home) for part in peer.serve]
    variables = environment(subject, home, TRACKIO_DIR=str(home), GRADIO_SERVER_PORT=str(port), BROWSER="true")
    with (home / "server.log").open("wb") as log:
        started = subprocess.Popen(
            [subject.python, *command], cwd=home, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    process = psutil.Process(started.pid)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(lambda: requests.get(url, timeout=5))
        yield url, process
    finally:
        family = [process, *process.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.terminate()
        _, alive = psutil.wait_procs(family, 10)
        for member in alive:
            member.kill()


def _wait(get: Callable[[], requests.Response], contained: list[str] | None = None) -> None:
    """Ask until there is an answer, and one that has all that shall be in it; RuntimeError if there is none."""
    deadline, last = time.monotonic() + _PATIENCE, "nothing"
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            answer = get()
            if answer.ok and all(part in answer.text for part in contained or []):
                return
            last = f"{answer.status_code} {answer.text[:200]}"
        time.sleep(0.3)
    raise RuntimeError(f"it did not answer as expected in {_PATIENCE:.0f} s, but {last}")


def _cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and all that it started and still has."""
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times: Any = member.cpu_times()
            total += times.user + times.system
    return total
