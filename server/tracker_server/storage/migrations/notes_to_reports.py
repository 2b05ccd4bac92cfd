"""Make the notes of each project its first report, in databases of version 1.

The statements name the tables as they are in version 2, whatever they become later.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import orjson
import sqlalchemy as sa
import zstandard


class Notes(NamedTuple):
    """The notes of one project: its number, and when it was made."""

    project: int
    created: float
    text: str


def take(connection: sa.Connection) -> list[Notes]:
    """Return the notes that have text, before their columns go."""
    found = connection.exec_driver_sql("SELECT id, created, notes FROM projects WHERE notes <> '' ORDER BY id")
    return [Notes(*row) for row in found]


def put(connection: sa.Connection, notes: list[Notes]) -> None:
    """Store them as published reports without an author. Their panels stay in the text.

    When they were changed is not known, so the reports are as old as their projects.
    """
    for one in notes:
        report = hashlib.sha256(f"notes of {one.project}, {one.created!r}".encode()).hexdigest()[:12]
        blocks = zstandard.compress(orjson.dumps([{"id": "notes", "kind": "markdown", "text": one.text}]))
        connection.exec_driver_sql(
            "INSERT INTO reports (id, project, created, version, title, state, updated) "
            "VALUES (?, ?, ?, 1, 'Notes', 'published', ?)",
            (report, one.project, one.created, one.created),
        )
        connection.exec_driver_sql(
            "INSERT INTO report_versions (report, version, title, state, saved, blocks) "
            "VALUES (?, 1, 'Notes', 'published', ?, ?)",
            (report, one.created, blocks),
        )
