"""Records of every kind with odd values in every place are stored, set aside or refused; all the rest is read."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest

from tests.depth import depth
from tracker.names import RunKey
from tracker.runlog.records import encode, jsonable, with_checksum
from tracker.wire import run_path
from tracker_server.storage.sql import SqlStorage, open_storage

NESTED = orjson.loads(b'{"a":[' * 45 + b"1" + b"]}" * 45)
TOO_DEEP = orjson.loads(b'{"a":[' * 60 + b"1" + b"]}" * 60)
DIGEST = "ab" * 32
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**53 + 1,
    2**63,
    2**64 - 1,
    -(2**63),
    10**400,
    -(10**400),
    {"_type": "int", "value": "9" * 5000},
    {"_type": "int", "value": None},
    0.0,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    {"_type": "float", "value": {}},
    "",
    "x",
    "a/b.c@mean",
    "\x00\u2028\U0001f600",
    "[*?",
    "x" * 1100,
    "x" * 5_000,
    [],
    [None],
    [1, "a", {}],
    ["x" * 1100, ""],
    {},
    {"": 1},
    {"x" * 1100: 2**64 - 1, "_type": 5},
    {"_type": "image", "digest": DIGEST, "size": 2**64 - 1, "format": "png"},
    {"_type": "table", "digest": DIGEST, "columns": 2**63, "plot": []},
    {"_type": "histogram", "bins": 3, "counts": None},
    {"_type": "list", "items": [{"_type": "list", "items": 5}, None]},
    NESTED,
    TOO_DEEP,
]

RUN = {
    "version": 1, "id": "r", "entity": "me", "project": "odd", "name": "n", "group": "g", "job_type": "j",
    "tags": ["t"],
    "notes": "", "host": "h", "pid": 7, "pid_start": 8, "program": "p", "python": "3.11", "parent": None,
    "forked_from": "me/odd/x?_step=3", "allow_stop": True, "wraps": True, "heartbeat": 15.0,
    "event_file": {"name": "events", "version": 2.0}, "process": {"command": ["a"]},
}  # fmt: skip
ENVIRONMENT = {
    "stream": "history-a.jsonl", "started": 1.7e9, "host": "h", "node": 0, "command": ["a"], "program": "p", "cwd": "/",
    "executable": "e", "python": "3", "variables": {"USER": "u"}, "os": "l", "memory": 5, "cpu": {"cores": 3},
    "gpus": [{"name": "g", "memory": 4}], "git": {"commit": "c", "dirty": True}, "files": ["a"], "left_out": {"a": "b"},
}  # fmt: skip
PAYLOADS: dict[str, dict[str, Any]] = {
    "run": RUN,
    "log": {"loss": 1.0, "acc": 2},
    "system": {"cpu": 1.0},
    "console": {"stream": "stdout", "text": "hello"},
    "points": {"keys": ["p"], "k": [0], "t": [1.7e9], "s": [0], "v": [0.5]},
    "config": {"lr": 1.0, "deep": {"a": 1}},
    "summary": {"best": 1.0},
    "metric": {"name": "lo*", "step_metric": "acc", "summary": "best", "goal": "minimize"},
    "meta": {"name": "n", "group": "g", "job_type": "j", "tags": ["t"], "notes": "n", "color": "#ff0000"},
    "save": {"name": "m", "path": "files/a", "policy": "end", "glob": "/a", "base": "/", "seal": "s"},
    "saved": {"stream": "history-a.jsonl"},
    "file": {"name": "m", "digest": DIGEST, "size": 4, "path": "files/a", "live": True},
    "environment": ENVIRONMENT,
    "code": {"id": "x", "root": "/", "globs": ["*"], "files": 3, "left_out": {"a": "b"}},
    "lost": {"count": 3, "reason": "r"},
    "alert": {"title": "t", "text": "x", "level": "warn"},
    "preempting": {"a": 1},
    "stop": {"a": 1},
    "stopped": {"requested": 5.0},
    "alive": {"a": 1},
    "rebuilt": {"corrupt": 3},
    "suspect": {"stream": "history-a.jsonl", "reason": "r"},
    "session": {"status": "start", "row": 3, "step": 4},
    "event_file": {"path": "/a", "seal": "s", "since": 4.0},
    "followed": {"stream": "s"},
    "source": {"offset": 4},
    "tensorboard": {"a": 1},
    "finish": {"state": "failed", "exit_code": 1, "error": "e", "traceback": "t", "stream": "history-a.jsonl"},
    "kind of the future": {"a": 1},
    "": {"a": 1},
}
STREAMS = {"history": 1, "system": 2, "console": 3, "edits": 4}
NOW = 1.7e9


def _line(kind: str, payload: Any, at: int) -> bytes:
    return encode(kind, jsonable(payload), NOW + at, at if kind == "log" else None)


def _odd_lines(kind: str, shuffled: random.Random) -> list[bytes]:
    """Return lines of the kind with each odd value as the payload, in each member, and under odd names."""
    plain = PAYLOADS[kind]
    payloads: list[Any] = [*ODD, plain]
    few = len(ODD) if len(plain) < 4 else 9  # with many members, each gets only some of the odd values
    payloads += [{**plain, member: value} for member in plain for value in shuffled.sample(ODD, few)]
    payloads += [{**plain, name: 1} for name in ("", "_step", "x" * 1100, "\x00", "a.b/c", "_type", "version ")]
    payloads += [{k: v for k, v in plain.items() if k != left_out} for left_out in plain]
    if kind == "run":  # a newer version is refused as a whole: see below
        payloads = [p for p in payloads if not isinstance(p, dict) or p.get("version", 1) == 1]
    lines = [_line(kind, payload, at) for at, payload in enumerate(payloads)]
    shuffled.shuffle(lines)
    return lines


def _heads() -> list[bytes]:
    """Return lines whose time, step or shape is odd."""
    rows = [
        b'"log":{"a":1}',
        b'"system":{"a":1}',
        b'"console":{"text":"a"}',
        b'"config":{"a":1}',
        b'"finish":{}',
        b'"alive":{}',
    ]
    numbers = [b"0", b"-1", b"1e300", b"-1e300", b"1e999", b"null", b'"a"', b"true", b"[]", b"{}", b"9" * 400,
    b"18446744073709551615",
               b"-9223372036854775808", b"9223372036854775807", b"1.5", b'{"_type":"int","value":"7"}']  # fmt: skip
    made = [b'"t":%b,"s":%b,%b}\n' % (t, s, row) for t in numbers for s in numbers[:14:2] for row in rows]
    made += [b'"t":%b,%b}\n' % (t, row) for t in numbers for row in rows]
    made += [b"}\n", b'"a":}\n', b"[]\n", b'"t":1,"log":{"\xff":1}}\n', b'"t":1,"s":1,"log":{"\\ud800":"\\udfff"}}\n',
             b'"t":1,"config":{"a":"\\ud800"}}\n', b'"t":1,"s":1,"log":{"a":1,"a":2}}\n',
             b'"t":1,"\\ud800":{}}\n']  # fmt: skip
    return [
        *map(with_checksum, made),
        b"{}\n",
        b"null\n",
        b"\xff\xfe\n",
        b'{"c":"00000000","t":1}\n',
        b"{" * 500 + b"\n",
    ]


READ = [
    "/api/projects",
    "/api/projects/me/digits",
    "/api/runs/me/digits?limit=1000",
    "/api/runs/me/digits?order=-config.lr,summary.loss",
    "/api/columns/me/digits",
    "/api/openapi.json",
]
OF_A_RUN = ["", "/streams", "/resumption", "/stop", "/alerts", "/keys", "/keys?kind=system", "/history",
    "/history?kind=system&limit=7",
            "/history?keys=loss&keys=_step", "/console", "/console?start=-3", "/console/search?q=a", "/files",
            "/fold", f"/blobs/{DIGEST}",
            f"/media/{DIGEST}", "/files/m"]  # fmt: skip


def _answered(client: Any, method: str, path: str, **options: Any) -> Any:
    answer = client(method, path, **options)
    assert answer.status_code < 500, f"{method} {path} {str(options)[:200]}: {answer.text[:300]}"
    return answer


def _read_all(client: Any, run: str) -> None:
    for path in OF_A_RUN:
        _answered(client, "GET", run_path("me", "digits", run) + path)
    for path in READ:
        _answered(client, "GET", path)
    name = f"me/digits/{run}"
    keys = [key["key"] for key in client.json(run_path("me", "digits", run) + "/keys")["keys"]]
    for kind in ("history", "system"):
        _answered(client, "POST", "/api/keys", json={"runs": [name], "kind": kind})
    for x in ("_step", "_timestamp", "_runtime", "acc", ""):
        query = {"runs": [name], "keys": ["loss", "cpu", *keys][:200], "x": x, "buckets": 10}
        _answered(client, "POST", "/api/charts", json=query)
        _answered(client, "POST", "/api/charts", json=query, headers={"Accept": "application/x-tracker-frame"})
    columns = [c["name"] for c in client.get("/api/columns/me/digits").json().get("columns", [])][:200]
    some = [
        "name",
        "tags",
        "summary.loss@min",
        "summary.loss@step=3",
        "config.deep.a",
        "environment.git.commit",
        "command",
    ]
    for query in (  # type: ignore[assignment]
        {"columns": some, "sort": [{"column": "summary.loss", "descending": True}]},
        {"columns": columns, "search": "x", "filter": "config.lr > 0 or summary.loss < 3"},
    ):
        _answered(client, "POST", "/api/table/me/digits", json=query)
    _answered(client, "POST", "/api/groups/me/digits", json={"by": ["config.lr", "tags"], "columns": some})


@contextmanager
def _in_memory() -> Iterator[Path]:
    """Return a directory in memory if there is one, since thousands of commits would wait for a disk."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as directory:
        yield Path(directory)


@pytest.fixture
def storage() -> Iterator[SqlStorage]:
    with _in_memory() as directory:
        opened = open_storage(directory)
        yield opened
        opened.close()


HOMES = {"system": "system", "console": "console"}
"""Kinds of rows, and their streams; all others are read in any."""


@depth("share", brief=0.2, slow=1.0)
@pytest.mark.parametrize("kind", PAYLOADS, ids=lambda kind: kind or "empty")
def test_each_odd_record_alone_in_its_run_is_stored_and_read(storage: SqlStorage, kind: str, share: float) -> None:
    """In one run a later odd value could hide an earlier one, so each has a run of its own."""
    shuffled = random.Random(kind)
    lines = [*_odd_lines(kind, shuffled), *(_heads() if kind == "" else [])]
    lines = shuffled.sample(lines, round(share * len(lines)))
    for number, line in enumerate(lines):
        key, stream = RunKey("me", "odd", f"r{number}"), HOMES.get(kind, "system" if number % 3 == 0 else "history")
        storage.append(key, f"{stream}-a.jsonl", 0, line)
        _dumps(storage.run(key))
        _dumps(storage.keys(key, "history"), storage.keys(key, "system"), storage.files(key), storage.folded(key))
        _dumps(storage.rows(key, "history", None, 10, None), storage.rows(key, "system", None, 10, None))
        _dumps(storage.console(key, 10).items, storage.common_keys([key], "history"))
    names = [f"me/odd/r{number}" for number in range(len(lines))][:900]
    for x in ("_step", "_timestamp", "_runtime"):
        query: Any = {"runs": names, "keys": ["loss", "p"], "x": x, "buckets": 3}
        _dumps(jsonable(storage.series(query)))
        storage.chart(query)
    _dumps(storage.runs("me", "odd", {}, "-created", 1000, None).items)
    columns = ["name", "tags", "summary.loss", "summary.loss@min", "config.lr", "user", "command", "duration", "rows"]
    _dumps(storage.table("me", "odd", {"columns": columns, "sort": [{"column": "updated"}]}))
    _dumps(storage.groups("me", "odd", {"by": ["tags"], "columns": columns}))
    _dumps(storage.projects())


def _dumps(*answers: Any) -> None:
    for answer in answers:
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


@pytest.fixture(scope="module")
def odd(run_server: Any) -> Iterator[Any]:
    with _in_memory() as directory, run_server(directory) as client:
        yield client


@pytest.mark.parametrize("kind", PAYLOADS, ids=lambda kind: kind or "empty")
def test_odd_values_do_not_affect_other_records(odd: Any, kind: str) -> None:
    run = "k" + (kind.replace(" ", "_") or "empty")
    shuffled = random.Random(kind)
    for stream in STREAMS:
        head = encode("run", {"version": 1, "id": run}, NOW)
        last = encode("config", {"last": stream}, NOW + 9000)
        data = b"".join([head, *_odd_lines(kind, shuffled), last])
        answer = odd.append(run, data, stream=f"{stream}-a.jsonl")
        assert (answer.status_code, answer.json().get("offset")) == (200, len(data)), answer.text[:300]
    _read_all(odd, run)
    assert odd.json(run_path("me", "digits", run))["config"]["last"] in STREAMS


@pytest.mark.parametrize("stream", STREAMS)
def test_lines_with_odd_heads_are_set_aside(odd: Any, stream: str) -> None:
    run = f"heads-{stream}"
    lines = _heads()
    random.Random(stream).shuffle(lines)
    last = encode("config", {"last": stream}, NOW)
    answer = odd.append(run, b"".join([*lines, last]), stream=f"{stream}-a.jsonl")
    assert answer.status_code == 200, answer.text
    _read_all(odd, run)
    info = odd.json(run_path("me", "digits", run))
    assert info["corrupt"] > 10
    assert info["config"]["last"] == stream


@pytest.mark.parametrize("stream", STREAMS)
def test_a_damaged_first_upload_and_later_ones_are_accepted(odd: Any, stream: str) -> None:
    run, name = f"damaged-{stream}", f"{stream}-a.jsonl"
    first, second = (
        b"damage\n{}\n",
        b"".join([encode("run", {"version": 1, "id": run}, NOW), encode("config", {"a": 1}, NOW)]),
    )
    assert odd.append(run, first, stream=name).json()["offset"] == len(first)
    _read_all(odd, run)
    assert odd.append(run, second, len(first), stream=name).json()["offset"] == len(first + second)
    info = odd.json(run_path("me", "digits", run))
    assert (info["corrupt"], info["config"]) == (2, {"a": 1})


BODIES = {
    "/api/edits": {"runs": ["me/digits/r"], "set": {"name": "n", "tags": ["a"]}},
    "/api/trash": {"runs": ["me/digits/r"]},
    "/api/trash/restore": {"runs": ["me/digits/r"]},
    "/api/keys": {"runs": ["me/digits/r"], "kind": "history"},
    "/api/charts": {"runs": ["me/digits/r"], "keys": ["loss"], "x": "_step", "buckets": 10, "min": 0.0},
    "/api/table/me/digits": {"columns": ["name"], "filter": "", "search": "", "sort": [{"column": "name"}], "limit": 3},
    "/api/groups/me/digits": {"by": ["config.lr"], "columns": ["name"], "limit": 3},
    "/api/projects/me/digits/views/v": {"view": {"a": 1}},
    "/api/projects/me/digits/reports": {
        "title": "t",
        "blocks": [{"id": "a", "kind": "panel", "panel": {"kind": "line", "keys": ["loss"]}, "view": {"x": "_step"}}],
        "message": "m",
    },
    "/api/comments?run=me/digits/r": {"text": "t"},
}


@pytest.mark.parametrize("path", BODIES)
def test_odd_bodies_never_cause_a_server_error(odd: Any, lines: Any, path: str) -> None:
    odd.append("r", lines("r"))
    method = "PUT" if "/views/" in path else "POST"
    plain = BODIES[path]
    bodies = [
        b"",
        b"[",
        b"null",
        b"[]",
        b"\xff",
        b"{" * 300,
        b"[" * 250 + b"]" * 250,
        b'{"view":' * 253 + b"1" + b"}" * 253,
    ]
    pieces = [b'"\\ud800"', b'["\\ud800"]', b'{"\\ud800":1}', b"NaN", b"1e999", b"9" * 400, b"-9223372036854775809",
    b"null", b"true",
              b"[[]]", b"{}", b'"' + b"x" * 1100 + b'"', b'["' + b"x" * 1100 + b'"]', b'[""]', b'""', b'"\\u0000"',
              b"[" * 120 + b"]" * 120,
              b"[" * 95 + b"]" * 95, b'["summary.a@step=999999999999999999"]', b'["config."]',
              b'[{"column":"\\ud800"}]']  # fmt: skip
    for member in plain:  # type: ignore[attr-defined]
        rest = orjson.dumps({k: v for k, v in plain.items() if k != member})[1:-1]  # type: ignore[attr-defined]
        bodies += [b'{"%b":%b%b}' % (member.encode(), piece, b"," + rest if rest else b"") for piece in pieces]
    for body in bodies:
        answer = odd(method, path, data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, f"{body[:100]!r}: {answer.text[:300]}"
    _read_all(odd, "r")
    assert odd(method, path, data=b'{"a":"\\ud800"}', headers={"Content-Type": "application/json"}).status_code == 400


def test_a_view_nested_too_deep_is_refused_with_a_reason(odd: Any, lines: Any) -> None:
    odd.append("r", lines("r"))
    answer = odd(
        "PUT", "/api/projects/me/digits/views/deep", data=b'{"view":' + b"[" * 253 + b"]" * 253 + b"}",
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert "100 levels deep" in answer.json()["error"]
