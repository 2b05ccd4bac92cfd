from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tracker_server.access.database import AccessDatabase
from tracker_server.storage.database import connect


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = connect(f"sqlite:///{tmp_path / 'tracker.db'}")
    yield made
    made.dispose()


@pytest.fixture
def database(engine: sa.Engine) -> AccessDatabase:
    return AccessDatabase(engine)


@pytest.fixture
def connection(database: AccessDatabase) -> Iterator[sa.Connection]:
    """A connection that changes, in one transaction for the whole test."""
    with database.changing() as made:
        yield made
