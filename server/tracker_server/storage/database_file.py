"""Create and check the SQLite database file before anything is written to it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

APPLICATION_ID = 0x74726B72
"""`PRAGMA application_id` of our databases: "trkr"."""

SCHEMA_VERSION = 2
"""`PRAGMA user_version` of databases of this program. It grows with each release that changes the schema."""

OLDEST_SQLITE = 3, 35
"""The first with `RETURNING` and `DROP COLUMN`."""

_MAGIC = b"SQLite format 3\x00"


class UnusableDatabase(Exception):
    """The file is not a database that this program can use; it was not changed."""


def prepare(path: Path) -> int:
    """Create the database if needed, readable only by its owner; return its version. Raises `UnusableDatabase`."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise UnusableDatabase(
            f"this Python has SQLite {sqlite3.sqlite_version}, and the server needs "
            f"{OLDEST_SQLITE[0]}.{OLDEST_SQLITE[1]} or newer: use another Python"
        )
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        head = b""
    except OSError as error:
        raise UnusableDatabase(f"cannot read the database {path}: {error.strerror}") from error
    if head:
        _check(path, head)
    _protect(path)
    if not head:
        _make(path)
    return _check_version(path)


def _check(path: Path, head: bytes) -> None:
    """Check the head of the file without opening it in SQLite, which would write to it."""
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise UnusableDatabase(f"{path} is not a database: move it away, or choose another directory with --dir")
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise UnusableDatabase(
            f"{path} is not a database of tracker server (or one of an unreleased version): move it away, or choose "
            "another directory with --dir"
        )
    _refuse_newer(path, int.from_bytes(head[60:64], "big"))


def _refuse_newer(path: Path, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise UnusableDatabase(
            f"{path} was written by a newer tracker server (schema {version}; this version supports "
            f"{SCHEMA_VERSION}): install that version again; nothing was changed"
        )


def _make(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # possible without a rewrite only in an empty database
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")


def _check_version(path: Path) -> int:
    """Return the version, checked again in SQLite: after a crash the file's head may lag behind the write-ahead log."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise UnusableDatabase(f"the database {path} cannot be read ({error}): restore it from a backup") from error
    _refuse_newer(path, version)
    return int(version)


def _protect(path: Path) -> None:
    """Make the files readable only by their owner; SQLite gives its other files the rights of the database."""
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-reserve"))):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            one.chmod(0o600)
