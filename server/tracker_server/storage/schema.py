"""The tables of projects and runs.

A run's rows are numbered for each stream: 0, 1, 2, … in file order. An upload becomes one `segments` row. Later the
segments of a stream are merged into `chunks`, one for each key and about 4,000 values. All primary keys begin with the
run, so that the data of a run lies together and can be moved or deleted as a whole.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

metadata = sa.MetaData()
BIG = sa.BigInteger().with_variant(Integer, "sqlite")

projects = Table(
    "projects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("deletions", Integer, nullable=False),  # grows with each deleted run, to invalidate caches
    Column("visibility", Text, nullable=False, server_default="private"),  # private, internal
    UniqueConstraint("entity", "name"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", BIG, nullable=False),  # grows with each upload, above all others of the project
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("hot", LargeBinary, nullable=False),  # the most changing part of its state: see state_blocks.py
    Column("trashed", Float),  # when it was moved to the trash
    # Copies from the run's state, for queries over many runs.
    Column("state", Text),
    Column("heartbeat", Float),
    Column("stop", Float),  # `RunState.stop_requested`
    Column("user", Integer),  # the account, or team of a service key, that first wrote it; None in personal mode
    UniqueConstraint("project", "name"),
    Index("runs_version", "project", "version"),
    sqlite_autoincrement=True,  # ids of deleted runs are never reused, since caches rely on them
)

parts = Table(
    "parts",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("member", Text, primary_key=True),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

streams = Table(
    "streams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("opened", Float, nullable=False),  # time of the first line, which orders streams
    Column("offset", BIG, nullable=False),
    Column("rows", BIG, nullable=False),  # lines in a console stream
    # During a merge in pieces: keys below `merged_key` of the rows before `merging` are in chunks already.
    Column("merging", BIG),
    Column("merged_key", Integer),
    UniqueConstraint("run", "name"),
    sqlite_autoincrement=True,
)

keys = Table(
    "keys",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    # Statistics of the values in chunks, without those still in segments.
    Column("n", BIG, nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("types", Integer, nullable=False),  # bits: 1 numbers, 2 media, 4 other
    Column("last", LargeBinary),
    UniqueConstraint("run", "kind", "name"),
)

segments = Table(
    "segments",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("row0", BIG, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # bytes before compression
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,  # each upload then writes one page less
)

chunks = Table(
    "chunks",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("row0", BIG, primary_key=True, autoincrement=False),
    Column("row1", BIG, nullable=False),  # the last row
    Column("n", Integer, nullable=False),
    Column("stride", Integer),
    # The axis is the step in history, the time in system streams.
    Column("x0", Float),
    Column("x1", Float),
    Column("ordered", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("blocks", LargeBinary),  # `chunks.BLOCK` records; before the values, which need not be read with them
    Column("rows", LargeBinary),
    Column("data", LargeBinary, nullable=False),
)

console = Table(
    "console",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("row0", BIG, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("errors", Integer),  # number of stderr lines; before the data, which need not be read with it
    Column("data", LargeBinary, nullable=False),
)

digests = Table(
    "digests",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("digest", Text, primary_key=True),
    # 1 if whoever named it in this run has the content or may read it elsewhere; else the run must not show it.
    Column("held", Integer, nullable=False, server_default="1"),
    Index("digests_digest", "digest"),
)

edits = Table(
    "edits",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3, …
    Column("time", Float, nullable=False),
    Column("user", Integer),  # the account, or team of a service key; None in personal mode
    Column("changes", Text, nullable=False),  # JSON: see `wire.Edit`
    sqlite_with_rowid=False,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("project", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("deleted", Float, nullable=False),
    Column("run", Integer),  # the run whose rows are still to be removed
)

views = Table(
    "views",
    metadata,
    Column("project", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("updated", Float, nullable=False),
    Column("view", Text, nullable=False),
    Column("user", Integer),  # who saved it last
)

of_a_run = (parts, streams, keys, segments, chunks, console, edits)
"""The tables whose rows are removed in pieces after a run is deleted."""
