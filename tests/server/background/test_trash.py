"""Old runs in the trash, and files that no run names, are deleted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually
from tracker.names import RunKey
from tracker_server.access.access import Access
from tracker_server.access.database import AccessDatabase
from tracker_server.background import trash
from tracker_server.blobs import open_blobs
from tracker_server.deletion import deleting_unnamed
from tracker_server.services import Services
from tracker_server.settings import Settings
from tracker_server.storage.interface import NoSuchRun
from tracker_server.storage.sql import open_storage
from tracker_server.workers import Workers


def services_of(storage: Any, blobs: Any) -> Services:
    workers = Workers()
    access = Access(AccessDatabase(storage.engine), workers)
    return Services(access, Settings(token="some-token"), workers, deleting_unnamed(storage, blobs, workers))


def test_old_runs_in_the_trash_are_deleted_with_their_files(tmp_path: Path, lines: Any) -> None:
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()

    async def run() -> None:
        storage, blobs = open_storage(tmp_path), open_blobs(tmp_path / "blobs")
        services = services_of(storage, blobs)
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
        assert await trash.delete_expired_runs(services, storage, 1000.0 + trash.KEEP_SECONDS) == 0
        assert await blobs.has([digest]) == {digest}
        assert await trash.delete_expired_runs(services, storage, 1000.5 + trash.KEEP_SECONDS) == 1
        assert await blobs.has([digest]) == set()
        assert storage.run(RunKey("me", "digits", "new"))["trashed"] == 1001.0
        with pytest.raises(NoSuchRun):
            storage.run(RunKey("me", "digits", "old"))
        services.workers.close()
        storage.close()

    asyncio.run(run())


def test_starting_the_server_empties_the_trash(tmp_path: Path, run_server: Any, lines: Any) -> None:
    storage = open_storage(tmp_path)
    storage.append(RunKey("me", "digits", "old"), "history.jsonl", 0, lines("old"))
    storage.trash([RunKey("me", "digits", "old")], 1000.0)
    storage.close()
    with run_server(tmp_path) as client:
        eventually(lambda: client.get("/api/runs/me/digits/old").status_code == 404)


def test_files_that_no_record_names_are_deleted_after_a_day(tmp_path: Path, lines: Any) -> None:
    storage, blobs = open_storage(tmp_path), open_blobs(tmp_path / "blobs")
    services = services_of(storage, blobs)

    async def scenario() -> None:
        digests = []
        for text in (b"named", b"unnamed", b"just come"):
            digests.append(hashlib.sha256(text).hexdigest())

            async def content(text: bytes = text) -> Any:
                yield text

            await blobs.put(digests[-1], content())
        file = {"name": "m", "digest": digests[0], "size": 5}
        storage.append(RunKey("me", "digits", "r"), "history.jsonl", 0, lines("r", more=[("file", file)]))
        long_ago = time.time() - trash.GRACE - 60
        for digest in digests[:2]:
            os.utime(tmp_path / "blobs" / digest[:2] / digest[2:], (long_ago, long_ago))
        assert await trash.delete_unnamed_files(services, blobs, time.time()) == 1
        assert await blobs.has(digests) == {digests[0], digests[2]}

    asyncio.run(scenario())
    services.workers.close()
    storage.close()
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
