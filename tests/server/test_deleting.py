"""What deleting and the trash mean for runs that go on, and for files that nobody names."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path
from typing import Any

from tracker.runlog.records import encode
from tracker.wire import run_path
from tracker_server.blobs import open_blobs
from tracker_server.routes import trash
from tracker_server.services import Services, Settings
from tracker_server.storage.interface import RunKey
from tracker_server.storage.sql import open_storage

ROW = encode("log", {"loss": 1.0}, 1_700_000_100.0, 9)


def test_a_run_deleted_while_it_goes_on_stays_deleted_until_it_is_readmitted(client: Any, lines: Any) -> None:
    data, run = lines("live"), run_path("me", "digits", "live")
    client.append("live", data)
    assert client("DELETE", run).status_code == 204
    for answer in (client.append("live", ROW, len(data)), client.append("live", data), client.get(run + "/streams")):
        assert answer.status_code == 410
        assert "me/digits/live was deleted" in answer.json()["error"]
    assert client.get(run).status_code == 404
    assert client("DELETE", run + "?readmit=true").status_code == 204
    assert client("DELETE", run + "?readmit=true").status_code == 404
    assert client.append("live", data).status_code == 200
    assert client.json(run)["rows"] == 3


def test_a_run_in_the_trash_takes_lines_says_so_and_loses_nothing(client: Any, lines: Any) -> None:
    data, run = lines("binned"), run_path("me", "digits", "binned")
    assert client.append("binned", data).json()["trashed"] is False
    client("POST", "/api/trash", json={"runs": ["me/digits/binned"]})
    answer = client.append("binned", ROW, len(data))
    assert (answer.status_code, answer.json()["trashed"]) == (200, True)
    client("POST", "/api/trash/restore", json={"runs": ["me/digits/binned"]})
    assert client.append("binned", ROW, len(data) + len(ROW)).json()["trashed"] is False
    assert client.json(run)["rows"] == 5


def test_files_that_no_record_names_are_collected_after_a_day(tmp_path: Path, lines: Any) -> None:
    storage, blobs = open_storage(tmp_path), open_blobs(tmp_path / "blobs")
    services = Services(storage, blobs, Settings(token="t" * 20))

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
        assert await trash.collect(services, time.time()) == 1
        assert await blobs.has(digests) == {digests[0], digests[2]}

    asyncio.run(scenario())
    services.workers.close()
    storage.close()
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
