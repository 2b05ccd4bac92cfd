"""The tables of reports and comments."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, Table, Text

from .schema import metadata

reports = Table(
    "reports",
    metadata,
    Column("id", Text, primary_key=True),  # random, in the report's address
    Column("project", Integer, nullable=False),
    Column("author", Integer),  # the entity of the account that created it; None in personal mode
    Column("created", Float, nullable=False),
    # Copies from the current version, for lists.
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),  # draft, published
    Column("editor", Integer),
    Column("updated", Float, nullable=False),
    Index("reports_project", "project", "updated"),
)

report_versions = Table(
    "report_versions",
    metadata,
    Column("report", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("author", Integer),
    Column("saved", Float, nullable=False),
    Column("message", Text),
    Column("blocks", LargeBinary, nullable=False),  # JSON, compressed with zstd
)

comments = Table(
    "comments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Integer),  # exactly one of run and report is set
    Column("report", Text),
    Column("author", Integer),
    Column("text", Text, nullable=False),  # empty once it is deleted
    Column("mentions", Text, nullable=False),  # JSON: the ids of accounts
    Column("created", Float, nullable=False),
    Column("edited", Float),
    Column("deleted", Float),
    Index("comments_run", "run"),
    Index("comments_report", "report"),
    sqlite_autoincrement=True,  # an address of a deleted comment never leads to another one
)
