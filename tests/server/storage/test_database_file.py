from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.database_file import APPLICATION_ID, SCHEMA_VERSION, UnusableDatabase
from tracker_server.storage.interface import StorageFull
from tracker_server.storage.sql import open_storage

KEY = RunKey("me", "digits", "r1")


def _modes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in directory.glob("tracker.db*")}


def test_only_its_owner_can_read_the_database_even_in_a_shared_directory(store: Any) -> None:
    store.directory.chmod(0o755)
    store.stream().log(0, {"a": 1}).send()
    modes = _modes(store.directory)
    assert {"tracker.db", "tracker.db-wal", "tracker.db-shm"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    for name in modes:
        (store.directory / name).chmod(0o644)
    store.reopen()
    store.stream("history-b.jsonl").log(0, {"a": 1}).send()
    assert set(_modes(store.directory).values()) == {0o600}


def test_an_sqlite_that_is_too_old_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(UnusableDatabase, match=r"the server needs 3\.35 or newer"):
        open_storage(tmp_path)
    assert list(tmp_path.glob("tracker.db")) == []


def test_a_database_has_our_application_id_and_incremental_vacuum(store: Any) -> None:
    with sqlite3.connect(store.directory / "tracker.db") as connection:
        values = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "auto_vacuum")
        ]
    connection.close()
    assert values == [APPLICATION_ID, SCHEMA_VERSION, 2]


@pytest.mark.parametrize("what", ["newer", "newer in its log", "foreign", "text", "directory", "torn"])
def test_a_foreign_or_newer_database_is_refused_and_not_changed(tmp_path: Path, what: str) -> None:
    path = tmp_path / "tracker.db"
    connection = None
    if what.startswith("newer") or what == "torn":
        open_storage(tmp_path).close()
    if what == "foreign" or what.startswith("newer"):
        connection = sqlite3.connect(path, isolation_level=None)
        if what == "newer in its log":
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        else:
            connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("CREATE TABLE theirs (a)")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1 if what.startswith('newer') else 0}")
    if what == "text":
        path.write_text("These are my notes, and they are longer than the head of a database. " * 3)
    if what == "directory":
        path.mkdir()
    if what == "torn":
        path.write_bytes(path.read_bytes()[:100] + b"\xff" * 20_000)
        for rest in tmp_path.glob("tracker.db-*"):
            rest.unlink()
    before = None if path.is_dir() else path.read_bytes()
    with pytest.raises(UnusableDatabase, match=r"newer|is no|cannot"):
        open_storage(tmp_path)
    if connection is not None:
        connection.close()
    assert before is None or what == "newer in its log" or path.read_bytes() == before


def test_the_space_of_a_deleted_run_is_freed_in_pieces(store: Any) -> None:
    kept = store.stream(key=RunKey("me", "digits", "kept")).log(0, {"a": 7.0}).send()
    stream = store.stream()
    rng = random.Random(3)
    for step in range(3000):
        stream.log(step, {f"key{i}": rng.random() for i in range(20)})
    stream.send(500)
    store.stream("console-a.jsonl").add("console", {"stream": "stdout", "text": "x" * 100_000}).send()
    store.reopen()
    database = store.directory / "tracker.db"
    large = database.stat().st_size
    store.storage.delete(KEY)
    store.reopen()  # deferred work is remembered
    pieces = 1
    while store.storage.do_deferred_work():
        pieces += 1
    store.reopen()
    assert pieces > 3
    assert database.stat().st_size < large - 300_000
    assert store.read(key=kept.key) == [(0, 1000.125, {"a": 7.0})]
    with sqlite3.connect(database) as connection:
        for table in ("chunks", "segments", "keys", "streams", "parts", "console"):
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE run != 1").fetchone() == (0,), table
    connection.close()


def test_a_run_that_is_readmitted_before_its_rows_are_gone_starts_empty(store: Any) -> None:
    store.stream().log(0, {"a": 1.0}).send()
    store.storage.delete(KEY)
    store.storage.readmit(KEY)
    store.stream().log(5, {"b": 2.0}).send()
    while store.storage.do_deferred_work():
        pass
    assert store.read() == [(5, 1000.125, {"b": 2.0})]
    store.storage.delete(KEY)
    store.storage.readmit(KEY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_runs_can_be_deleted_and_trashed_on_a_full_disk_which_frees_space(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], check=True)
    try:
        storage, rng = open_storage(disk), random.Random(5)
        full = False
        for number in range(1000):
            key = RunKey("me", "digits", f"r{number % 3}")
            at = storage.offsets(key).get("history-a.jsonl", 0)
            rows = [{f"key{i}": rng.random() for i in range(100)} for _ in range(100)]
            lines = b"".join(encode("log", row, 1.7e9, step) for step, row in enumerate(rows))
            try:
                storage.append(key, "history-a.jsonl", at, lines)
            except StorageFull:
                full = True
                break
        assert full
        with contextlib.suppress(OSError), (disk / "rest").open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        gone, kept = RunKey("me", "digits", "r0"), RunKey("me", "digits", "r1")
        rows = storage.run(kept)["rows"]  # type: ignore[assignment]
        assert storage.trash([RunKey("me", "digits", "r2")], 1.0) == 1
        storage.delete(gone)
        while storage.do_deferred_work():
            pass
        assert shutil.disk_usage(disk).free > 4_000_000
        assert storage.run(kept)["rows"] == rows  # type: ignore[comparison-overlap]
        storage.append(kept, "history-b.jsonl", 0, encode("log", {"after": 1.0}, 1.7e9, 0))
        storage.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
