from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.records import encode, encode_points, jsonable
from tracker_server.access.database import AccessDatabase
from tracker_server.access.entities import add
from tracker_server.storage.access_schema import entities
from tracker_server.storage.database import connect
from tracker_server.storage.sql import SqlStorage, open_storage

KEY = RunKey("me", "digits", "r1")


class Stream:
    """Writes the lines of one stream and uploads them."""

    def __init__(self, storage: SqlStorage, file: str, key: RunKey, opened: float, **header: Any) -> None:
        self.storage, self.name, self.key = storage, file, key
        self.time = opened
        self.lines = [encode("run", {"version": 1, "id": key.id, **header}, opened)]
        self.offset = 0
        self.rows: list[tuple[int | None, float, dict[str, Any]]] = []

    def add(self, kind: str, payload: Any, time: float | None = None) -> Stream:
        self.time = round(self.time + 0.125, 3) if time is None else time
        self.lines.append(encode(kind, jsonable(payload), self.time))
        return self

    def log(self, step: int, row: dict[str, Any], time: float | None = None) -> Stream:
        self.time = round(self.time + 0.125, 3) if time is None else time
        self.lines.append(encode("log", jsonable(row), self.time, step))
        self.rows.append((step, self.time, row))
        return self

    def points(self, rows: list[tuple[int, float, dict[str, Any]]]) -> Stream:
        """Log rows of one number each, in one line."""
        keys = sorted({key for _, _, row in rows for key in row})
        which = [keys.index(key) for _, _, row in rows for key in row]
        values = [value for _, _, row in rows for value in row.values()]
        steps, times, _ = map(list, zip(*rows, strict=True))
        self.lines.append(encode_points(keys, which, times, steps, values))
        self.rows += rows
        return self

    def sample(self, row: dict[str, Any]) -> Stream:
        self.rows.append((None, round(self.time + 0.125, 3), row))
        return self.add("system", row)

    def send(self, lines: int | None = None) -> Stream:
        """Upload what is not uploaded yet, `lines` at a time."""
        while self.lines:
            some, self.lines = self.lines[:lines], self.lines[lines:] if lines else []
            self.offset, *_ = self.storage.append(self.key, self.name, self.offset, b"".join(some))
        return self


class Store:
    """A storage, and helpers that fill it and read it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.storage = open_storage(directory)

    def reopen(self) -> None:
        self.storage.close()
        self.storage = open_storage(self.directory)

    def stream(self, file: str = "history-a.jsonl", key: RunKey = KEY, opened: float = 1000.0, **header: Any) -> Stream:
        return Stream(self.storage, file, key, opened, **header)

    def run(
        self, id: str, config: dict[str, Any] | None = None, summary: dict[str, Any] | None = None, **header: Any
    ) -> None:
        stream = self.stream(key=RunKey("me", "digits", id), **header)
        stream.add("config", config or {}).add("summary", summary or {}).send()

    def read(
        self, kind: Any = "history", keys: list[str] | None = None, limit: int = 10_000, key: RunKey = KEY
    ) -> list[tuple[Any, float, dict[str, Any]]]:
        """Read all rows, page by page: step, time, values."""
        found: list[tuple[Any, float, dict[str, Any]]] = []
        cursor = None
        while True:
            page = self.storage.rows(key, kind, keys, limit, cursor)
            assert page["count"] <= limit
            columns = page["columns"]
            steps = columns["_step"]["values"] if "_step" in columns else [None] * page["count"]
            rows: list[dict[str, Any]] = [{} for _ in range(page["count"])]
            for name, column in columns.items():
                if not name.startswith("_"):
                    at = range(page["count"]) if column["rows"] is None else column["rows"]
                    assert len(at) == len(column["values"])
                    for i, value in zip(at, column["values"], strict=True):
                        rows[i][name] = value
            found += zip(steps, columns["_timestamp"]["values"], rows, strict=True)
            cursor = page["cursor"]
            if cursor is None:
                return found

    def chart(self, keys: list[str], runs: list[str] | None = None, **query: Any) -> list[Any]:
        return self.storage.series({"runs": runs or ["me/digits/r1"], "keys": keys, **query})  # type: ignore[typeddict-item]


class Accounts:
    """Changes accounts in the database, as a command beside a running server would."""

    def __init__(self, directory: Path) -> None:
        self._engine = connect(f"sqlite:///{directory / 'tracker.db'}")
        self._database = AccessDatabase(self._engine)

    def add(self, name: str) -> int:
        with self._database.changing() as connection:
            return add(connection, name, "account").id

    def change(self, number: int, **values: str) -> None:
        with self._database.changing() as connection:
            connection.execute(entities.update().where(entities.c.id == number).values(values))

    def remove_all(self) -> None:
        with self._database.changing() as connection:
            connection.execute(entities.delete())

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.storage.close()


@pytest.fixture
def accounts(store: Store) -> Iterator[Accounts]:
    made = Accounts(store.directory)
    yield made
    made.close()
