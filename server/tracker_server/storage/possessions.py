"""Whose files are whose: which runs hold the content of the digests that they name.

Anybody can write a digest into a run of their own. Only a run that *holds* the digest shows its content. A run holds it
if the content was sent through it, or if whoever named it had it already: they have sent it before, or can read it in
another run. Otherwise they are asked to send it, as if nobody had it. So knowing a digest is not enough to read it, nor
to learn whether it is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from .access_schema import file_sizes, possessions
from .database import Prepared
from .interface import By
from .schema import digests, projects, runs

_AT_ONCE = 500
"""Most digests in one statement."""

_MOST_RUNS = 1000
"""Runs that are looked at for one digest. If none of them may be read, the content is sent again."""


class Names:
    """Store the digests that uploads name; part of the writer, since each upload may name some."""

    def __init__(self, engine: sa.Engine) -> None:
        columns = ["run", "digest", "held"]
        yes: sa.ColumnElement[int] = sa.literal_column("1")  # `Prepared` fills only named parameters
        hold = insert(digests).on_conflict_do_update(set_={"held": yes}, where=digests.c.held != yes)
        self._hold = Prepared(engine, hold, columns)
        self._name = Prepared(engine, digests.insert().prefix_with("OR IGNORE"), columns)
        digest: sa.BindParameter[str] = sa.bindparam("digest_")
        entity: sa.BindParameter[int] = sa.bindparam("entity_")
        sent = sa.select(possessions.c.entity).where(possessions.c.entity == entity, possessions.c.digest == digest)
        self._sent = Prepared(engine, sent)
        where = sa.select(projects.c.id, projects.c.entity, projects.c.name)
        where = where.join(runs, runs.c.project == projects.c.id).join(digests, digests.c.run == runs.c.id)
        self._where = Prepared(engine, where.where(digests.c.digest == digest, digests.c.held == yes))

    def by_owner(self, connection: sa.Connection, run: int, named: list[str]) -> None:
        """Store digests that the owner has named in a run; it holds them."""
        self._hold.many(connection, [(run, digest, 1) for digest in named])

    def by_account(self, connection: sa.Connection, run: int, project: int, named: list[str], by: By) -> None:
        """Store digests that an account has named in a run of a project; it holds those that the account has."""
        had = {digest for digest in named if self._had(connection, project, digest, by)}
        self._hold.many(connection, [(run, digest, 1) for digest in named if digest in had])
        self._name.many(connection, [(run, digest, 0) for digest in named if digest not in had])

    def _had(self, connection: sa.Connection, project: int, digest: str, by: By) -> bool:
        """Return whether someone who names a digest in a run of the project has the content.

        Runs of the same project count for everybody who may log there: whoever reads this run can read those.
        """
        if self._sent(connection, entity_=by.id, digest_=digest).fetchone() is not None:
            return True
        others = set()
        for number, entity, name in islice(self._where(connection, digest_=digest), _MOST_RUNS):
            if number == project or by.may_read is None:
                return True
            if number not in others and by.may_read(entity, name):
                return True
            others.add(number)
        return False


def possesses(connection: sa.Connection, entity: int, digest: str) -> bool:
    """Return whether an account or team has sent the content of a digest."""
    where = (possessions.c.entity == entity) & (possessions.c.digest == digest)
    return connection.execute(sa.select(possessions.c.entity).where(where)).first() is not None


def possess(connection: sa.Connection, entity: int | None, run: int | None, digest: str, size: int) -> None:
    """Store that an account or team has sent the content of a digest, through a run, which then holds it."""
    if entity is not None:
        connection.execute(possessions.insert().prefix_with("OR IGNORE"), {"entity": entity, "digest": digest})
    put_sizes(connection, {digest: size})
    if run is not None:
        connection.execute(digests.update().where(digests.c.run == run, digests.c.digest == digest).values(held=1))


def held(connection: sa.Connection, run: int, wanted: Sequence[str]) -> set[str]:
    """Return those of the digests that the run holds."""
    return _found(connection, sa.select(digests.c.digest).where(digests.c.run == run, digests.c.held == 1), wanted)


def in_use(connection: sa.Connection, wanted: Sequence[str]) -> set[str]:
    """Return those of the digests that any run holds."""
    return _found(connection, sa.select(digests.c.digest).where(digests.c.held == 1), wanted)


def _found(connection: sa.Connection, query: Any, wanted: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in (wanted[i : i + _AT_ONCE] for i in range(0, len(wanted), _AT_ONCE)):
        found.update(connection.execute(query.where(digests.c.digest.in_(some))).scalars())
    return found


def forget(connection: sa.Connection, gone: Sequence[str]) -> None:
    """Forget all about the content of digests, which is deleted."""
    for some in (gone[i : i + _AT_ONCE] for i in range(0, len(gone), _AT_ONCE)):
        for table in (possessions, file_sizes):
            connection.execute(table.delete().where(table.c.digest.in_(some)))


def put_sizes(connection: sa.Connection, sizes: dict[str, int]) -> None:
    """Store the sizes of contents."""
    rows = [{"digest": digest, "size": size} for digest, size in sizes.items()]
    if rows:
        connection.execute(file_sizes.insert().prefix_with("OR IGNORE"), rows)


def uses(connection: sa.Connection, entity: str, digest: str) -> bool:
    """Return whether a run of an entity holds the digest."""
    here = _of_entity(entity).where(digests.c.digest == digest).limit(1)
    return connection.execute(here).first() is not None


def usage(connection: sa.Connection, entity: str) -> tuple[int, list[str]]:
    """Return how many bytes of files the runs of an entity hold, and the digests whose size is not stored yet.

    Each content counts once. Files of runs in the trash count until these are deleted.
    """
    here = _of_entity(entity).distinct().subquery()
    size = sa.select(sa.func.sum(file_sizes.c.size)).join(here, here.c.digest == file_sizes.c.digest)
    unknown = sa.select(here.c.digest).outerjoin(file_sizes, file_sizes.c.digest == here.c.digest)
    unknown = unknown.where(file_sizes.c.digest.is_(None))
    return connection.execute(size).scalar_one() or 0, list(connection.execute(unknown).scalars())


def _of_entity(entity: str) -> sa.Select[tuple[str]]:
    named = sa.select(digests.c.digest).join(runs, runs.c.id == digests.c.run)
    named = named.join(projects, projects.c.id == runs.c.project)
    return named.where(projects.c.entity == entity, digests.c.held == 1)
