"""Ask the server about earlier runs for `tracker.init`, which runs this in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from tracker.client import Client, connect
from tracker.errors import ServerError, TrackerError
from tracker.runlog.long_records import files
from tracker.runlog.parent_rows import beginning
from tracker.runlog.records import DIGEST, encode, jsonable
from tracker.settings import Settings
from tracker.wire import Resumption, run_path

from .remote import RemoteRun, from_answer
from .restarts import AXES
from .validate_response import checked


def main() -> None:
    """Do what the command line asks for, and print {"found": …} (null: no such run) or {"error": …} as JSON.

    `resumption RUN`: `found` is a `wire.Resumption`.
    `fork_from RUN STEP HEADER FILE`: write `parent_rows.beginning` and the rows of the run up to the step to the file,
    and their media to `files/` beside it; `found` is {"rows": how many}.
    """
    try:
        answer: dict[str, Any] = {"found": _TASKS[sys.argv[1]](*sys.argv[2:])}
    except ServerError as error:
        answer = {"found": None} if error.status == 404 else {"error": str(error)}
    except (TrackerError, OSError) as error:
        answer = {"error": str(error)}
    sys.stdout.buffer.write(orjson.dumps(answer))


def _resumption(run: str) -> dict[str, Any]:
    return dict(checked(connect(Settings()).json("GET", _path(run) + "/resumption"), Resumption))


def _fork_from(run: str, step: str, header: str, file: str) -> dict[str, Any]:
    client = connect(Settings())
    parent = RemoteRun(client, from_answer(client.json("GET", _path(run))))
    part, until, rows = Path(file), int(step), 0
    with part.open("wb") as out:
        out.write(
            beginning(orjson.loads(header), parent.info["created"], parent.info["config"], parent.info["metrics"])
        )
        for value in files(parent.info["config"]):
            _download(client, run, value["digest"], part.parent / "files" / value["digest"])
        for row in parent.scan_history(restarts="all"):
            if row["_step"] <= until:
                values = {key: value for key, value in row.items() if key not in AXES}
                out.write(encode("log", jsonable(values), row["_timestamp"], row["_step"]))
                rows += 1
                for digest in _digests(values.values()):
                    _download(client, run, digest, part.parent / "files" / digest)
        out.write(encode("finish", {"state": "finished"}, time.time()))
    return {"rows": rows}


def _digests(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            digest = value.get("digest")
            if isinstance(digest, str) and DIGEST.fullmatch(digest):  # it becomes the name of a file
                yield digest
            yield from _digests(value.values())
        elif isinstance(value, list):
            yield from _digests(value)


def _download(client: Client, run: str, digest: str, target: Path) -> None:
    if not target.exists():
        try:
            client.download(f"{_path(run)}/blobs/{digest}", target, digest)
        except ServerError as error:
            if error.status != 404:  # the content has not arrived there yet
                raise


def _path(run: str) -> str:
    entity, project, run_id = run.split("/")
    return run_path(entity, project, run_id)


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {"resumption": _resumption, "fork_from": _fork_from}
