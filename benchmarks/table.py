"""`table`: the dashboard's requests for the runs table of a project of 10,000 runs × 60 columns, over HTTP."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.sql import open_storage

from .measure import Options, median, scratch
from .report import Line
from .serving import Served, served

GROUP = "table"
RUNS = 10_000
QUERIES = 10
LIVE = 50
IDLE = 5.0  # seconds
COLUMNS = [
    "name", "state", "created", "tags", "config.lr", "config.seed", "config.opt.name", "config.opt.wd",
    *(f"config.p{i}" for i in range(22)), "summary.loss", *(f"summary.train/m{i}" for i in range(29)),
]  # fmt: skip

ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("page of 100 rows", "table", {}),
    ("sort by a number", "table", {"sort": [{"column": "summary.loss"}]}),
    ("sort by text, then a minimum", "table", {"sort": [{"column": "name"}, {"column": "summary.loss@min"}]}),
    ("filter", "table", {"filter": 'config.lr < 1e-3 and summary.loss > .5 and tags has "base"'}),
    ("filter by a pattern", "table", {"filter": 'name ~ "^a.*9$"'}),
    ("search", "table", {"search": "run-77"}),
    ("group by 2 columns", "groups", {"by": ["config.opt.name", "config.seed"]}),
    ("group by all of the config but the seed", "groups", {"except": ["config.seed"]}),
]


def run(options: Options) -> Iterator[Line]:
    """Fill a server with runs, then request its table repeatedly."""
    count = RUNS // 20 if options.quick else RUNS
    n = f"{count:,} runs × {len(COLUMNS)} columns"

    def line(what: str, value: float, unit: str, how: str = n, target: float | None = None) -> Line:
        return Line(GROUP, "tracker", what, value, unit, how, None, target)

    with scratch() as directory:
        offsets = fill(directory / "server", count)
        with served(directory) as server:
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {server.token}"
                empty = server.resident()
                for what, path, query in ASKED[:1]:
                    yield line(f"{what}, the first request", 1000 * _ask(server, session, path, query), "ms")
                catalog = _ask(server, session, "columns", None)
                yield line("list of columns, the first request", 1000 * catalog, "ms")
                for what, path, query in ASKED:
                    _ask(server, session, path, query)
                    before = server.cpu()
                    walls = [_ask(server, session, path, query) for _ in range(QUERIES)]
                    cpu = (server.cpu() - before) / QUERIES
                    yield line(what, 1000 * median(walls), "ms", f"{QUERIES} × {n}", 60.0)
                    yield line(f"{what}, server CPU", 1000 * cpu, "ms", f"{QUERIES} × {n}")
                yield line("memory for the runs", server.resident() - empty, "MiB")
                changed = []
                for turn in range(QUERIES):
                    _log(server, offsets, turn)
                    changed.append(_ask(server, session, "table", {"sort": [{"column": "summary.loss"}]}))
                how = f"{QUERIES} × {n}, {LIVE} of them changed since"
                yield line("sort while runs go on", 1000 * median(changed), "ms", how, 60.0)
            before = server.cpu()
            time.sleep(IDLE)
            yield line("idle, server CPU", 100 * (server.cpu() - before) / IDLE, "%", f"{IDLE:g} s")


def fill(directory: Path, count: int) -> dict[str, int]:
    """Store runs as uploads do; return the offsets of the runs that go on."""
    storage = open_storage(directory)
    rng = random.Random(3)
    offsets = {}
    for number in range(count):
        key = RunKey("bench", "bench", f"r{number:06}")
        start = 1.79e9 - 50 * number
        chosen = random.Random(number // 10)  # ten seeds of each choice
        config: dict[str, Any] = {f"p{i}": chosen.random() for i in range(22)}
        config |= {"lr": 10 ** chosen.uniform(-5, -1), "seed": number % 10}
        config["opt"] = {"name": chosen.choice(["adam", "sgd", "lion"]), "wd": chosen.choice([0, 0.1, 0.01])}
        head = {"version": 1, "id": key.id, "name": f"{rng.choice('abcdef')}-run-{number}", "tags": ["base"]}
        lines = [encode("run", head, start), encode("config", config, start)]
        for step in range(2):
            row = {"loss": rng.random(), **{f"train/m{i}": rng.random() for i in range(29)}}
            lines.append(encode("log", row, start + step, step))
        if number >= LIVE:
            lines.append(encode("finish", {"state": "finished"}, start + 30))
        data = b"".join(lines)
        storage.append(key, "history.jsonl", 0, data)
        if number < LIVE:
            offsets[key.id] = len(data)
    storage.close()
    return offsets


def _ask(server: Served, session: requests.Session, path: str, query: dict[str, Any] | None) -> float:
    """Return the wall seconds of a request, with reading and decoding the response."""
    began = time.perf_counter()
    url = f"{server.url}/api/{path}/bench/bench"
    answer = session.get(url) if query is None else session.post(url, json={"columns": COLUMNS, **query})
    answer.raise_for_status()
    json.loads(answer.content)
    return time.perf_counter() - began


def _log(server: Served, offsets: dict[str, int], turn: int) -> None:
    for run_id, offset in offsets.items():
        data = encode("log", {"loss": random.random()}, 1.79e9 + turn, 10 + turn)
        key = ("bench", "bench", run_id)
        offsets[run_id] = server.client.send(key, "history.jsonl", offset, data)["offset"]
