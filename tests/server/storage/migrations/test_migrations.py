from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracker.runlog.records import encode
from tracker_server import embedded
from tracker_server.storage.database_file import SCHEMA_VERSION, UnusableDatabase
from tracker_server.storage.interface import RunDeleted
from tracker_server.storage.sql import open_storage

from . import version_1


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A directory with a database of version 1."""
    version_1.restore(tmp_path / "old")
    return tmp_path / "old"


def _schema(path: Path) -> dict[str, Any]:
    """Return the columns and indices of each table, and how the table is made, apart from white space."""
    found: dict[str, Any] = {}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            indices = {}
            for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})").fetchall():
                columns = connection.execute(f"PRAGMA index_xinfo({index})").fetchall()
                indices[index] = [unique, origin, partial, columns]
            (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            found[table] = {
                "columns": connection.execute(f"PRAGMA table_xinfo({table})").fetchall(),
                "indices": indices,
                "options": ["AUTOINCREMENT" in made, made.rstrip().endswith("WITHOUT ROWID")],
            }
    return found


def _version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _contents(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def _includes(now: Any, before: Any, where: str = "") -> None:
    """Check that all that was there is still there; objects may have more members."""
    if isinstance(before, dict):
        for name, value in before.items():
            _includes(now.get(name), value, f"{where}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (new, old) in enumerate(zip(now, before, strict=True)):
            _includes(new, old, f"{where}[{number}]")
    else:
        assert now == before, where


def _readable() -> Any:
    """Return all that one could read from the old database, except for notes of projects: they are reports now."""
    found = json.loads(version_1.READABLE.read_text())
    for one in found["project"].values():
        del one["project"]["notes"]
    return found


def test_all_of_a_database_of_version_1_can_be_read_as_before(old: Path) -> None:
    before = _readable()
    for _ in range(2):  # as it is migrated, and later
        storage = open_storage(old)
        _includes(version_1.everything(storage), before)
        storage.close()
    assert _version(old / "tracker.db") == SCHEMA_VERSION


def test_notes_of_projects_are_their_first_reports(old: Path) -> None:
    storage = open_storage(old)
    (report,) = storage.reports("ada", "digits", "", 10, None).items
    assert (report["title"], report["state"], report["version"], report["author"]) == ("Notes", "published", 1, None)
    (block,) = storage.report("ada", "digits", report["id"])["blocks"]
    assert (block["kind"], block["text"]) == ("markdown", "# Notes\nfrom before")
    assert storage.reports("Überlab", "träume", "", 10, None).items == []
    content: Any = {"title": "Notes", "state": "published", "blocks": [block], "message": None}
    assert storage.save_report("ada", "digits", report["id"], 1, content)["version"] == 2
    storage.close()


def test_files_of_runs_that_exist_are_held_by_them(old: Path) -> None:
    open_storage(old).close()
    with contextlib.closing(sqlite3.connect(old / "tracker.db")) as connection:
        assert connection.execute("SELECT held, count(*) FROM digests GROUP BY held").fetchall() == [(1, 3)]


def test_runs_go_on_and_deleted_ones_stay_deleted(old: Path) -> None:
    storage = open_storage(old)
    long = version_1.RUNS[0]
    offset = storage.offsets(long)["history-300.jsonl"]
    rows = len(storage.rows(long, "history", ["loss"], 10_000, None)["columns"]["loss"]["values"])
    storage.append(long, "history-300.jsonl", offset, encode("log", {"loss": 0.5}, version_1.T0 + 7000, 400))
    assert len(storage.rows(long, "history", ["loss"], 10_000, None)["columns"]["loss"]["values"]) == rows + 1
    with pytest.raises(RunDeleted):
        storage.append(version_1.DELETED, "history-a.jsonl", 0, encode("log", {"loss": 1}, version_1.T0, 0))
    while storage.do_deferred_work():
        pass
    storage.close()


def test_a_migrated_database_has_the_schema_of_a_new_one(old: Path, tmp_path: Path) -> None:
    open_storage(old).close()
    open_storage(tmp_path / "new").close()
    migrated, new = _schema(old / "tracker.db"), _schema(tmp_path / "new" / "tracker.db")
    # After a change of the tables: python tools/migration.py
    assert migrated.keys() == new.keys()
    for table in new:
        assert migrated[table] == new[table], table


@pytest.mark.parametrize("who", ["storage", "server"])
def test_a_database_that_an_older_server_uses_is_not_changed(old: Path, who: str) -> None:
    before = _contents(old / "tracker.db")
    with (old / "server.lock").open("w+") as file:
        file.write("4321\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        if who == "storage":
            with pytest.raises(UnusableDatabase, match=r"process 4321.*stop that server.*nothing was changed"):
                open_storage(old)
        else:
            with pytest.raises(RuntimeError, match="process 4321"), embedded.serve(old):
                pass
    assert _contents(old / "tracker.db") == before
    assert _version(old / "tracker.db") == 1


def test_a_server_migrates_its_database_when_it_starts(old: Path) -> None:
    with embedded.serve(old):
        assert _version(old / "tracker.db") == SCHEMA_VERSION
        open_storage(old).close()  # another process need not change it, and may use it


def test_a_database_whose_tables_were_never_made_becomes_a_new_one(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "tracker.db", isolation_level=None)) as connection:
        connection.executescript("".join(version_1.SQL.read_text().splitlines(keepends=True)[:3]))
        connection.execute("PRAGMA journal_mode = WAL")
    open_storage(tmp_path).close()
    open_storage(tmp_path / "new").close()
    assert _schema(tmp_path / "tracker.db") == _schema(tmp_path / "new" / "tracker.db")
    assert _version(tmp_path / "tracker.db") == SCHEMA_VERSION


_KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import sqlalchemy as sa
from tracker_server.storage import database, migrations
import alembic.operations, alembic.script

source, target = map(Path, sys.argv[1:])
left = 0

@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def count(*_args):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

number = 0
while True:
    number += 1
    folder = target / str(number)
    shutil.copytree(source, folder)
    child = os.fork()
    if child == 0:
        left = number
        database.connect(f"sqlite:///{folder / 'tracker.db'}").dispose()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        break
    assert os.WIFSIGNALED(status), status
print(number)
"""


def test_a_migration_that_is_killed_leaves_the_old_database_or_the_new_one(old: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, old, tmp_path / "killed"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    number = int(done.stdout)
    assert number > 40  # one for each statement
    before = _contents(old / "tracker.db")
    open_storage(old).close()
    after = _contents(old / "tracker.db")
    versions = []
    for folder in (tmp_path / "killed" / str(i) for i in range(1, number + 1)):
        version = _version(folder / "tracker.db")
        assert _contents(folder / "tracker.db") == (before if version == 1 else after), folder.name
        versions.append(version)
        if version == 1 and len(versions) % 10 == 0:  # it can be migrated afterwards
            open_storage(folder).close()
            assert _contents(folder / "tracker.db") == after
    assert versions == sorted(versions)
    assert set(versions) == {1, SCHEMA_VERSION}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("locked", [False, True])
def test_a_full_disk_leaves_the_database_as_it_was(old: Path, small_disk: Path, locked: bool) -> None:
    path = small_disk / "data" / "tracker.db"
    shutil.copytree(old, small_disk / "data")
    before = _contents(path)  # also makes the files that SQLite needs to read
    with contextlib.closing(sqlite3.connect(path)) as reader:  # keeps those files there
        reader.execute("SELECT count(*) FROM runs").fetchone()
        with contextlib.suppress(OSError), (small_disk / "rest").open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(UnusableDatabase, match=r"free some space; nothing was changed"):
            open_storage(small_disk / "data", locked)
    (small_disk / "rest").unlink()
    assert _contents(path) == before
    assert _version(path) == 1
    storage = open_storage(small_disk / "data")
    _includes(version_1.everything(storage), _readable())
    storage.close()


def test_alembic_is_imported_only_for_a_migration(old: Path) -> None:
    code = (
        "import sys, pathlib\nfrom tracker_server.storage.sql import open_storage\n"
        "open_storage(pathlib.Path(sys.argv[1])).close()\nprint('alembic' in sys.modules)"
    )
    seen = [
        subprocess.run([sys.executable, "-c", code, where], capture_output=True, text=True, check=True).stdout.strip()
        for where in (old / "new", old, old)
    ]
    assert seen == ["False", "True", "False"]
