from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from tracker_server.blobs import open_blobs
from tracker_server.routes import trash
from tracker_server.services import Services, Settings
from tracker_server.storage.interface import NoSuchRun, RunKey
from tracker_server.storage.sql import open_storage


def test_runs_go_to_the_trash_and_come_back(tmp_path: Path, run_server: Any, lines: Any) -> None:
    with run_server(tmp_path) as client:
        for run in ("one", "two"):
            client.append(run, lines(run))
        body = {"runs": ["me/digits/one", "me/digits/none"]}
        assert client("POST", "/api/trash", json=body).json() == {"changed": 1}
        assert client("POST", "/api/trash", json=body).json() == {"changed": 0}
        assert [run["id"] for run in client.json("/api/runs/me/digits")["runs"]] == ["two"]
        assert client.json("/api/runs/me/digits/one")["trashed"] == pytest.approx(time.time(), abs=60)
        shown = client("POST", "/api/table/me/digits", json={"trashed": True}).json()
        assert shown["runs"] == ["one"]
        assert client.append("one", lines("one"), stream="history-b.jsonl").status_code == 200
        assert client("POST", "/api/table/me/digits", json={}).json()["runs"] == ["two"]
        assert client("POST", "/api/trash/restore", json=body).json() == {"changed": 1}
        assert client.json("/api/runs/me/digits")["total"] == 2
        assert client("POST", "/api/trash", json={"runs": ["nonsense"]}).status_code == 400


def test_the_trash_is_emptied_of_what_is_old_with_its_content(tmp_path: Path, lines: Any) -> None:
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()

    async def run() -> None:
        storage, blobs = open_storage(tmp_path), open_blobs(tmp_path / "blobs")
        services = Services(storage, blobs, Settings(token="some-token"))
        for id_ in ("old", "new"):
            file = (
                [("file", {"name": "a", "digest": digest, "size": len(content), "path": "a"})] if id_ == "old" else []
            )
            storage.append(RunKey("me", "digits", id_), "history.jsonl", 0, lines(id_, more=file))

        async def piece() -> Any:
            yield content

        await blobs.put(digest, piece())
        storage.trash([RunKey("me", "digits", "old")], 1000.0)
        storage.trash([RunKey("me", "digits", "new")], 1001.0)
        assert await trash.empty(services, 1000.0 + trash.KEPT) == 0
        assert await blobs.has([digest]) == {digest}
        assert await trash.empty(services, 1000.5 + trash.KEPT) == 1
        assert await blobs.has([digest]) == set()
        assert storage.run(RunKey("me", "digits", "new"))["trashed"] == 1001.0
        with pytest.raises(NoSuchRun):
            storage.run(RunKey("me", "digits", "old"))
        services.workers.close()
        storage.close()

    asyncio.run(run())


def test_a_server_that_starts_empties_the_trash(tmp_path: Path, run_server: Any, wait_until: Any, lines: Any) -> None:
    storage = open_storage(tmp_path)
    storage.append(RunKey("me", "digits", "old"), "history.jsonl", 0, lines("old"))
    storage.trash([RunKey("me", "digits", "old")], 1000.0)
    storage.close()
    with run_server(tmp_path) as client:
        wait_until(lambda: client.get("/api/runs/me/digits/old").status_code == 404, "the old run is deleted")
