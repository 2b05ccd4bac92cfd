"""A database of schema version 1, as the code that had it wrote it, and all that one can read from it.

`version_1.sql` and `version_1.json` are made once, with the sources of that version (git b425fa2), by

    git archive b425fa2 core server | tar x -C OLD
    PYTHONPATH=OLD/core:OLD/server python tests/server/storage/migrations/version_1.py

and never again: they are the proof that databases of that version can still be read.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

from tracker.names import RunKey
from tracker.runlog.records import encode, jsonable
from tracker_server.storage.sql import SqlStorage, open_storage

HERE = Path(__file__).parent
SQL, READABLE = HERE / "version_1.sql", HERE / "version_1.json"

T0 = 1_700_000_000.0
DIGESTS = ["a" * 64, "b" * 64, "c" * 64]
RUNS = [
    RunKey("ada", "digits", "long"),
    RunKey("ada", "digits", "files"),
    RunKey("ada", "digits", "binned"),
    RunKey("Überlab", "träume", "n1"),
]
DELETED = RunKey("ada", "digits", "gone")


def restore(directory: Path) -> Path:
    """Make the database in a directory; return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "tracker.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SQL.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def everything(storage: SqlStorage) -> dict[str, Any]:
    """Return all that can be read, as JSON."""
    found: dict[str, Any] = {"projects": storage.projects(), "runs": {}, "project": {}}
    for entity, project in sorted({(run.entity, run.project) for run in RUNS}):
        read = storage.project(entity, project)
        found["project"][f"{entity}/{project}"] = {
            "project": read,
            "views": {name: storage.view(entity, project, name) for name in _names(read["views"])},
            "table": storage.table(entity, project, {"columns": ["summary.loss", "config.lr"]}),
            "trash": storage.table(entity, project, {"trashed": True}),
            "columns": storage.columns(entity, project),
            "runs": storage.runs(entity, project, {}, "created", 100, None),
        }
    for run in RUNS:
        kinds: tuple[Any, ...] = ("history", "system")
        found["runs"]["/".join(run)] = {
            "run": storage.run(run),
            "offsets": storage.offsets(run),
            "digests": sorted(storage.digests(run)),
            "folded": storage.folded(run),
            "files": storage.files(run),
            "keys": [storage.keys(run, kind) for kind in kinds],
            "rows": [storage.rows(run, kind, None, 10_000, None) for kind in kinds],
            "chart": storage.series({"runs": ["/".join(run)], "keys": ["loss"], "buckets": 50}),
            "console": storage.console(run, 1000),
            "alerts": storage.alerts(run),
        }
    found["in use"] = sorted(storage.digests_in_use(DIGESTS))
    made: dict[str, Any] = json.loads(json.dumps(jsonable(_plain(found)), default=str))
    return made


def _names(views: Any) -> list[str]:
    return sorted(view if isinstance(view, str) else view["name"] for view in views)


def _plain(value: Any) -> Any:
    """Return the value without arrays, tuples and numbers that JSON lacks."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):  # the version of a table is that of its copy in memory
        return {str(name): _plain(item) for name, item in value.items() if name != "version"}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _fill(storage: SqlStorage) -> None:
    def send(run: RunKey, stream: str, *records: tuple[Any, ...]) -> None:
        head = encode("run", {"version": 1, **run._asdict(), "host": "old", "tags": ["first"], "started": T0}, T0)
        lines = head + b"".join(encode(kind, jsonable(what), T0 + at, *step) for at, kind, what, *step in records)
        storage.append(run, stream, 0, lines)

    long, files, binned, other = RUNS
    for start in range(0, 400, 100):  # chunks of the first two, and segments
        rows: list[tuple[Any, ...]] = [
            (i + 1, "log", {"loss": 1 / (i + 1), "acc": i % 7}, i) for i in range(start, start + 100)
        ]
        end = [(start + 101, "finish", {"stream": f"history-{start}.jsonl", "state": "finished"})]
        send(long, f"history-{start}.jsonl", *rows, *(end if start < 200 else []))
    send(long, "system-a.jsonl", *[(i, "system", {"cpu": i * 1.5}) for i in range(20)])
    send(long, "console-a.jsonl", *[(i, "console", {"stream": "stdout", "text": f"line {i} ✓\n"}) for i in range(50)])
    send(long, "edits-a.jsonl", (6000, "meta", {"name": "the long one", "notes": "kept", "tags": ["best"]}))
    saved = [{"name": f"model/{i}.bin", "digest": d, "size": i + 1} for i, d in enumerate(DIGESTS[:2])]
    send(
        files,
        "history-a.jsonl",
        (1, "config", {"lr": 0.1, "nested": {"depth": 3}, "text": "ä\u2028"}),
        *[(2, "file", one) for one in saved],
        (3, "log", {"picture": {"_type": "image", "digest": DIGESTS[2], "size": 3}, "loss": math.nan}, 0),
        (4, "summary", {"best": 0.5}),
        (5, "alert", {"title": "look", "text": "here", "level": "warn"}),
        (6, "finish", {"stream": "history-a.jsonl", "state": "finished", "exit_code": 0}),
    )
    send(binned, "history-a.jsonl", (1, "log", {"loss": 2.0}, 0), (2, "finish", {"state": "failed"}))
    send(other, "history-a.jsonl", (1, "log", {"loss": 3.0, "schön": "ja"}, 0))
    send(DELETED, "history-a.jsonl", *[(i, "log", {"loss": i}, i) for i in range(10)])
    storage.trash([binned], T0 + 9000)
    storage.delete(DELETED)
    storage.put_notes(  # type: ignore[attr-defined]  # only that version has it
        "ada", "digits", {"text": "# Notes\nfrom before", "version": 0}
    )
    storage.put_view("ada", "digits", "mine", {"columns": ["loss"], "dark": True})
    storage.put_view("Überlab", "träume", "théirs", {"x": 1})


def _make() -> None:
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(Path(folder))
        _fill(storage)
        READABLE.write_text(
            json.dumps(everything(storage), sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
        )
        storage.close()
        with contextlib.closing(sqlite3.connect(Path(folder, "tracker.db"))) as connection:
            head = [
                f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};\n"
                for name in ("auto_vacuum", "application_id", "user_version")
            ]
            SQL.write_text("".join(head) + "\n".join(connection.iterdump()) + "\n")


if __name__ == "__main__":
    sys.exit(_make())  # type: ignore[func-returns-value]
