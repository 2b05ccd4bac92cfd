"""`dashboard`: how soon people see something in a browser, next to the dashboards of peers with the same runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import quote

import requests

from tracker.names import RunKey
from tracker.runlog.records import encode

from . import dashboard_peers, server, table
from .browser import UNPACED, Chromium, chromium, left_out
from .measure import SUBJECTS, TRACKER, Options, environment, median, scratch
from .report import Line
from .serving import Served, served
from .subjects import curves

GROUP = "dashboard"
RUNS, METRICS, STEPS = dashboard_peers.LOAD
ROUNDS = 5
FRAMES = 60
WALL = (1920, 1300)
"""A screen that shows 24 panels at once."""
IDLE = 20.0  # seconds
POINTS = 5
_ASKED = {"columns": [f"config.p{i}" for i in range(8)], "title": "parallel"}


def run(options: Options) -> Iterator[Line]:
    """Fill a server with the runs of all measurements and measure its pages; then do the same with each peer."""
    if left_out(GROUP):
        return
    with scratch() as directory:
        scale = 20 if options.quick else 1
        table.fill(directory / "server", table.RUNS // scale)
        with served(directory) as own:
            _fill(own, "first", RUNS, METRICS, STEPS // scale)
            _fill(own, "wall", 20, 24, 500)
            _fill(own, "many", 100, 1, 1000)
            yield from _first(own, options)
            yield from _table(own, options, table.RUNS // scale)
            yield from _charts(own, options)
            yield from _parallel(own, options, table.RUNS // scale)
            yield from _live(own, directory)
            yield from _api(own, server.CHART_STEPS // scale)
    yield from dashboard_peers.run(options)


def line(what: str, value: float, unit: str, n: str, target: float | None = None) -> Line:
    """Return a figure of this library."""
    return Line(GROUP, TRACKER.label, what, value, unit, n, None, target)


def _first(own: Served, options: Options) -> Iterator[Line]:
    """Measure the time from the navigation to the first line of a chart, with an empty cache, and the bytes loaded."""
    times, loaded = [], {}
    with chromium() as browser:
        for _ in range(options.rounds(ROUNDS)):
            before = own.cpu()
            with browser.page(sign_in=_sign_in(own)) as page:
                page.goto(_address(own, "first"), wait_until="commit")
                times.append((page.evaluate("bench.firstLine()"), 1000 * (own.cpu() - before)))
                loaded["a project"] = _assets(page)
        with browser.page(sign_in=_sign_in(own)) as page:
            page.goto(own.url)
            page.get_by_text("first").first.wait_for()
            loaded["home"] = _assets(page)
            yield from _idle(own, browser, page)
    with chromium() as browser, browser.page() as page:
        page.goto("about:blank")
        page.wait_for_timeout(3000)
        cpu = _idle_cpu(own, browser, page)
        yield line("idle empty page, CPU of renderer and server", cpu["renderer"] + cpu["server"], "%", f"{IDLE:g} s")
    n = f"{len(times)} × {RUNS} runs × {METRICS} metrics"
    yield line("first useful paint, cold", median([time for time, _ in times]), "ms", n, 1500.0)
    yield line("first useful paint, server CPU", median([cpu for _, cpu in times]), "ms", n)
    yield line("memory of the server after it", own.resident(), "MiB", n)
    for page_name in ("home", "a project"):
        size = sum(_gzipped(own, path) for path in loaded[page_name]) / 1000
        n = f"{len(loaded[page_name])} files"
        yield line(
            f"scripts and styles that {page_name} loads, gzip", size, "kB", n, 350.0 if page_name == "home" else None
        )


def _idle(own: Served, browser: Chromium, page: Any) -> Iterator[Line]:
    """Measure the cost of an idle page with charts, and that of an empty page."""
    page.goto(_address(own, "first"), wait_until="commit")
    page.evaluate("bench.firstLine()")
    page.wait_for_timeout(3000)
    cpu = _idle_cpu(own, browser, page)
    n = f"{IDLE:g} s, {RUNS} runs × {METRICS} metrics"
    yield line("idle open page, CPU of renderer and server", cpu["renderer"] + cpu["server"], "%", n, 1.0)
    yield line("idle open page, CPU of the whole browser and server", cpu["all"] + cpu["server"], "%", n)


def _idle_cpu(own: Served, browser: Chromium, page: Any) -> dict[str, float]:
    """Return % of a CPU over `IDLE` seconds: for the two figures of `Chromium.cpu`, and for the server."""
    server_before, before, began = own.cpu(), browser.cpu(), time.monotonic()
    page.wait_for_timeout(1000 * IDLE)
    spent, now = time.monotonic() - began, browser.cpu()
    cpu = {name: 100 * (now[name] - before[name]) / spent for name in now}
    return cpu | {"server": 100 * (own.cpu() - server_before) / spent}


def _table(own: Served, options: Options, runs: int) -> Iterator[Line]:
    """Scroll and sort the runs table, alone and next to charts."""
    n = f"{runs:,} runs × {len(table.COLUMNS)} columns"
    with chromium(*UNPACED) as browser:
        for layout, beside in (("table", ""), ("both", ", charts beside")):
            with browser.page(sign_in=_sign_in(own)) as page:
                page.goto(_address(own, "bench", layout=layout))
                page.locator("[role=grid][aria-busy=false]").wait_for()
                page.wait_for_timeout(1500)
                for way, move in (("down", "0, 100"), ("down fast", "0, 1500"), ("sideways", "60, 0")):
                    what = f"table: scroll {way}{beside}"
                    yield from _frames(browser, page, what, f"scroll({move})", n, None if beside else 25.0)
                page.reload()
                page.locator("[role=grid][aria-busy=false]").wait_for()
                page.wait_for_timeout(1500)
                times, before = [], own.cpu()
                for number in range(2 * options.rounds(ROUNDS)):
                    page.evaluate("void (window.sorting = bench.sorted('/api/table/'))")
                    page.get_by_role("columnheader").nth(4 + number // 2).click(position={"x": 12, "y": 20})
                    times.append(page.evaluate("window.sorting"))
                cpu = 1000 * (own.cpu() - before) / len(times)
                how = f"{len(times)} × {n}"
                yield line(
                    f"table: sort, click to repaint{beside}",
                    median([all for all, _ in times]),
                    "ms",
                    how,
                    None if beside else 60.0,
                )
                yield line(
                    f"table: sort, of that the request{beside}", median([asked for _, asked in times]), "ms", how
                )
                yield line(f"table: sort, server CPU{beside}", cpu, "ms", how)


def _charts(own: Served, options: Options) -> Iterator[Line]:
    """Move over a wall of panels, and draw one chart of many runs."""
    with chromium(*UNPACED) as browser:
        with browser.page(WALL, _sign_in(own)) as page:
            page.goto(_address(own, "wall", layout="charts", charts={"limit": 20, "columns": 6}))
            page.evaluate("bench.until(() => bench.plots() >= 24)")
            page.wait_for_timeout(1000)
            n = f"{page.evaluate('bench.plots()')} panels × 20 runs × 500 steps"
            for way, target in (("hover", 15.0), ("pan", 35.0), ("zoom", 35.0)):
                yield from _frames(browser, page, f"charts: {way}", f"{way}()", n, target)
                page.evaluate("bench.release()")
                page.wait_for_timeout(1000)
        times = []
        with browser.page(sign_in=_sign_in(own)) as page:
            for _ in range(options.rounds(ROUNDS)):
                page.goto(
                    _address(own, "many", layout="charts", charts={"limit": 100, "columns": 1}), wait_until="commit"
                )
                times.append(page.evaluate("bench.drawnAfter('/api/charts')"))
        n = f"{len(times)} × 100 runs × 1,000 steps in one chart"
        yield line("charts: drawn after its data has arrived", median(times), "ms", n, 60.0)


def _parallel(own: Served, options: Options, runs: int) -> Iterator[Line]:
    panel = {"id": "parallel", "section": "all", "kind": "parallel", **_ASKED}
    address = _address(own, "bench", layout="charts", charts={"panels": [panel], "search": "^parallel$"})
    times = []
    with chromium(*UNPACED) as browser, browser.page(sign_in=_sign_in(own)) as page:
        for _ in range(options.rounds(ROUNDS)):
            page.goto("about:blank")
            page.goto(address, wait_until="commit")
            times.append(page.evaluate("bench.drawnAfter('/api/table/')"))
    n = f"{len(times)} × {runs:,} runs × 8 axes"
    yield line("parallel coordinates: drawn after its data has arrived", median(times), "ms", n, 250.0)


def _live(own: Served, directory: Path) -> Iterator[Line]:
    """Measure the time from `log()` in a training process, through its agent and the server, to the chart."""
    variables = {"TRACKER_MODE": "online", "TRACKER_BASE_URL": own.url, "TRACKER_API_KEY": own.token}
    variables |= {"TRACKER_ENTITY": "bench"}
    home = directory / "live"
    home.mkdir()
    command = [sys.executable, str(SUBJECTS / "live.py")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": home}
    delays = []
    with (
        chromium() as browser,
        subprocess.Popen(command, env=environment(TRACKER, home, **variables), **pipes) as training,
    ):

        def log() -> float:
            training.stdin.write("\n")
            training.stdin.flush()
            return float(training.stdout.readline())

        log()
        log()
        with browser.page(sign_in=_sign_in(own)) as page:
            _wait_for_run(own)
            page.goto(_address(own, "live"), wait_until="commit")
            page.evaluate("bench.says('all 2 points')")
            for number in range(3, 3 + POINTS):
                page.wait_for_timeout(2000 + 170 * number)
                logged = log()
                delays.append(page.evaluate(f"bench.says('all {number} points')") - logged)
        training.stdin.close()
    yield line("a new point is in the chart after log()", median(delays), "s", f"{POINTS} points", 2.0)
    yield line("a new point is in the chart after log(), the slowest", max(delays), "s", f"{POINTS} points", 2.0)


def _wait_for_run(own: Served) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = own.client.json("GET", "/api/runs/bench/live")
        if answer["runs"] and answer["runs"][0]["rows"] >= 2:
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not get the run in 30 s")


def _api(own: Served, steps: int) -> Iterator[Line]:
    """Measure the page's request for the chart of one key of 20 runs."""
    server.fill(own, "chart", ("loss",), steps)
    runs = [f"bench/bench/chart{number}" for number in range(server.RUNS)]
    headers = {"authorization": f"Bearer {own.token}", "accept": "application/x-tracker-frame"}
    walls, sizes = [], []
    with requests.Session() as session:
        for _ in range(server.QUERIES + 1):
            if len(walls) == 1:
                before = own.cpu()
            query = {"runs": runs, "keys": ["loss"], "buckets": 500}
            began = time.perf_counter()
            with session.post(f"{own.url}/api/charts", json=query, headers=headers, stream=True) as answer:
                answer.raise_for_status()
                sizes.append(len(answer.raw.read(decode_content=False)) / 1000)
            walls.append(1000 * (time.perf_counter() - began))
    n = f"{server.QUERIES} × 1 key of {server.RUNS} runs × {steps:,} steps to 500 buckets"
    yield line("chart request", median(walls[1:]), "ms", n)
    yield line("chart request, server CPU", 1000 * (own.cpu() - before) / server.QUERIES, "ms", n, 50.0)
    yield line("chart request, answer", median(sizes), "kB", n, 200.0)


def _frames(browser: Chromium, page: Any, what: str, act: str, n: str, target: float | None) -> Iterator[Line]:
    before = browser.cpu()["all"]
    times = page.evaluate(f"bench.frames({FRAMES}, bench.{act})")
    cpu = browser.cpu()["all"] - before
    n = f"{len(times)} frames, {n}"
    yield line(f"{what}, a frame, median", median(times), "ms", n, target)
    yield line(f"{what}, a frame, p95", quantiles(times, n=20)[-1], "ms", n, target)
    yield line(f"{what}, CPU of the browser a frame", 1000 * cpu / len(times), "ms", n)


def _address(own: Served, project: str, **view: Any) -> str:
    """Return the address of a project's workspace, with the settings that differ from its default view."""
    return f"{own.url}/projects/bench/{project}" + (f"?v={quote(json.dumps(view))}" if view else "")


def _sign_in(own: Served) -> str:
    return f"{own.url}/?token={own.token}"


def _assets(page: Any) -> list[str]:
    paths = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    return sorted({path for path in paths if path.startswith("/assets/")})


def _gzipped(own: Served, path: str) -> int:
    headers = {"authorization": f"Bearer {own.token}", "accept-encoding": "gzip"}
    with requests.get(own.url + path, headers=headers, stream=True, timeout=30) as answer:
        answer.raise_for_status()
        return len(answer.raw.read(decode_content=False))


def _fill(own: Served, project: str, runs: int, metrics: int, steps: int) -> None:
    """Upload finished runs."""
    keys = curves.keys(metrics)
    for number in range(runs):
        run_id = f"{project}{number:03}"
        head = {"version": 1, "id": run_id, "entity": "bench", "project": project, "name": f"run {number}"}
        lines = [encode("run", head, curves.START + 60 * number)]
        for step, (now, values) in enumerate(curves.rows(number, metrics, steps)):
            lines.append(encode("log", dict(zip(keys, values, strict=True)), now, step))
        lines.append(encode("finish", {"state": "finished"}, now + 1))
        offset = 0
        for first in range(0, len(lines), 500):
            data = b"".join(lines[first : first + 500])
            offset = own.client.send(RunKey("bench", project, run_id), "history.jsonl", offset, data)["offset"]
