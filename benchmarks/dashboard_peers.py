"""Measure the dashboards of peers with the same runs: first paint, a chart's request, memory."""

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
"""Numbers of runs, metrics and steps."""
CHARTED = 20
QUERIES = 5
ROUNDS = 3
PATIENCE = 60.0
"""Seconds to wait for a chart."""
_PATIENCE = 180.0
_PROJECT = "first"

Ask = Callable[[requests.Session, str, list[str]], requests.Response]


class Peer(NamedTuple):
    """How to serve and request a peer's dashboard."""

    serve: list[str]
    """The arguments for its Python; {port} and {home} are replaced."""
    pages: dict[str, str]
    """What each page shows, and its path; {runs} is replaced by ids. The first page is the one that users open; if it
    shows no chart in time, the next one is tried."""
    ask: Ask
    """Requests the chart of a metric for some runs, as the page does."""
    asked: str
    """What the request asks for."""


def _ask_tensorboard(session: requests.Session, url: str, runs: list[str]) -> requests.Response:
    form = {"tag": curves.keys(1)[0], "runs": runs}
    return session.post(f"{url}/data/plugin/scalars/scalars_multirun", data=form)


def _ask_trackio(session: requests.Session, url: str, runs: list[str]) -> requests.Response:
    asked = [{"run": f"run {run.removeprefix('run')}", "run_id": run} for run in runs]
    return session.post(f"{url}/api/get_logs_batch", json={"project": _PROJECT, "runs": asked, "scalar_only": True})


def _ask_mlflow(session: requests.Session, url: str, runs: list[str]) -> requests.Response:
    query = {"run_ids": runs, "metric_key": curves.keys(1)[0], "max_results": 320}
    return session.get(f"{url}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", params=query)


PEERS = {
    "tensorboard": Peer(
        ["-m", "tensorboard.main", "--logdir", "{home}/runs", "--host", "127.0.0.1", "--port", "{port}"],
        {"all runs": "/#timeseries"},
        _ask_tensorboard,
        "1 key",
    ),
    "trackio": Peer(
        ["-m", "trackio.cli", "show", "--project", _PROJECT],
        {
            "all runs": f"/?project={_PROJECT}",
            f"{CHARTED} runs, named in its address": f"/?project={_PROJECT}&run_ids={{runs}}",
        },
        _ask_trackio,
        "all keys (it asks for no less)",
    ),
    "mlflow": Peer(
        ["-m", "mlflow", "server", "--backend-store-uri", "sqlite:///{home}/mlflow.db", "--port", "{port}"],
        {"10 runs, its charts chosen in its address": "/#/experiments/1/runs?compareRunsMode=CHART"},
        _ask_mlflow,
        "1 key, 320 points a run",
    ),
}


def run(options: Options) -> Iterator[Line]:
    """Measure each installed peer; leave out one that fails, and say so on stderr."""
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
    """Put runs into the peer's store, and return their ids."""
    counts = map(str, (runs, metrics, steps))
    command = [subject.python, str(SUBJECTS / "load_peer.py"), subject.name, str(home), *counts]
    done = subprocess.run(command, env=environment(subject, home), check=True, capture_output=True, text=True)
    ids = json.loads(done.stdout.splitlines()[-1])
    return [str(run_id) for run_id in ids]


def _measure(subject: Subject, home: Path, ids: list[str], options: Options, n: str) -> Iterator[Line]:
    peer, chosen = PEERS[subject.name], ids[:CHARTED]

    def line(what: str, value: float, unit: str, n: str = n) -> Line:
        return Line(GROUP, subject.label, what, value, unit, n)

    with _served(subject, peer, home) as (url, process):
        with requests.Session() as session:
            _wait(lambda: peer.ask(session, url, chosen), chosen)
        _settle(process)
        for shown, path in peer.pages.items():
            times = _first(process, url + path.format(runs=",".join(chosen)), options)
            if times:
                how = f"{len(times)} × {n}, it shows {shown}"
                yield line("first useful paint, cold", median([time for time, _ in times]), "ms", how)
                yield line("first useful paint, server CPU", median([cpu for _, cpu in times]), "ms", how)
                break
            yield line("first useful paint, cold: none within", PATIENCE, "s", f"{n}, it shows {shown}")
        _settle(process)
        walls, sizes, before = [], [], _cpu(process)
        with requests.Session() as session:
            session.stream = True
            session.headers["accept-encoding"] = "gzip, deflate, br, zstd"  # as browsers do
            for _ in range(QUERIES):
                began = time.perf_counter()
                with peer.ask(session, url, chosen) as answer:
                    answer.raise_for_status()
                    sizes.append(len(answer.raw.read(decode_content=False)) / 1000)
                walls.append(1000 * (time.perf_counter() - began))
        cpu = 1000 * (_cpu(process) - before) / QUERIES
        how = f"{QUERIES} × {peer.asked} of {CHARTED} runs of {n}"
        yield line("chart request", median(walls), "ms", how)
        yield line("chart request, server CPU", cpu, "ms", how)
        yield line("chart request, answer", median(sizes), "kB", how)
        family = [process, *process.children(recursive=True)]
        memory = sum(member.memory_full_info().pss for member in family) / 2**20
        yield line("memory of the server after it", memory, "MiB", f"{len(family)} processes, {n}")


def _first(process: psutil.Process, address: str, options: Options) -> list[tuple[float, float]]:
    """Return the ms until a chart's line appeared, and the server's CPU in ms, for each try that succeeded."""
    from playwright.sync_api import Error

    times = []
    try:
        with chromium() as browser:
            for _ in range(options.rounds(ROUNDS)):
                before = _cpu(process)
                with browser.page() as page:
                    page.goto(address, wait_until="commit")
                    page.evaluate("void bench.firstLine().then((time) => (window.first = time))")
                    # Unlike evaluate(), this ends even if the page's scripts do not.
                    first = page.wait_for_function("window.first", timeout=1000 * PATIENCE).json_value()
                    times.append((first, 1000 * (_cpu(process) - before)))
    except Error as error:
        print(f"{GROUP}: {address}: {error}", file=sys.stderr)
    return times


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
    """Repeat a request until its response is complete. Raises RuntimeError if that takes too long."""
    deadline, last = time.monotonic() + _PATIENCE, "nothing"
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            answer = get()
            if answer.ok and all(part in answer.text for part in contained or []):
                return
            last = f"{answer.status_code} {answer.text[:200]}"
        time.sleep(0.3)
    raise RuntimeError(f"it did not answer as expected in {_PATIENCE:.0f} s, but {last}")


def _settle(process: psutil.Process) -> None:
    """Wait until a server is idle, after it has read runs and started workers. Raises RuntimeError if it never is."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        before = _cpu(process)
        time.sleep(2)
        if _cpu(process) - before < 0.1:
            return
    raise RuntimeError(f"it was still busy after {_PATIENCE:.0f} s")


def _cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and its living descendants."""
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times: Any = member.cpu_times()
            total += times.user + times.system
    return total
