from __future__ import annotations

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, audit_log, share_links
from tracker_server.access.audit_log import COMMAND_LINE, Actor
from tracker_server.access.errors import Conflict, Missing, Refused
from tracker_server.access.paging import Part
from tracker_server.access.principal import Shared
from tracker_server.storage import access_schema as tables
from tracker_server.storage.schema import projects, runs, views


@pytest.fixture
def ada(connection: sa.Connection) -> Actor:
    for name in ("digits", "words"):
        connection.execute(projects.insert().values(entity="ada", name=name, created=0, deletions=0))
    run = {"project": 1, "name": "run1", "version": 1, "created": 0, "updated": 0, "seen": 0, "hot": b""}
    connection.execute(runs.insert().values(run))
    connection.execute(runs.insert().values({**run, "name": "trashed", "trashed": 1.0}))
    connection.execute(views.insert().values(project=1, name="best", updated=0, view="{}"))
    made = accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash")
    return Actor("ada", "192.0.2.7", made.id)


def test_links_to_a_project_a_run_and_a_view(connection: sa.Connection, ada: Actor) -> None:
    first = share_links.add(connection, ada, "ada", "digits")
    share_links.add(connection, ada, "ada", "digits", "run", "run1")
    share_links.add(connection, COMMAND_LINE, "ada", "digits", "view", "best", expires_days=1)
    assert len(first.token) == 43  # 256 bits
    view, run, project = share_links.listed(connection, Part()).rows
    assert (project.id, project.shared, project.creator) == (first.id, Shared("ada", "digits", "project"), "ada")
    assert run.shared == Shared("ada", "digits", "run", "run1")
    assert view.creator is None
    assert view.expires == pytest.approx(view.created + 86400)
    assert share_links.listed(connection, Part(search="RUN1"), "ada", "digits").rows == [run]
    assert share_links.listed(connection, Part(), "ada", "words").total == 0
    (stored,) = connection.execute(
        sa.select(tables.share_links.c.digest).where(tables.share_links.c.id == first.id)
    ).scalars()
    assert share_links.digest(first.token) == stored
    assert not any(first.token in str(entry) for entry in audit_log.listed(connection, Part()).rows)


@pytest.mark.parametrize(
    ("kind", "target", "raised"),
    [
        ("table", None, Refused),
        ("project", "run1", Refused),
        ("run", None, Refused),
        ("run", "run2", Missing),
        ("run", "trashed", Missing),
        ("view", "worst", Missing),
        ("report", "r1", Missing),
    ],
)
def test_links_to_nothing(
    connection: sa.Connection, ada: Actor, kind: str, target: str | None, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        share_links.add(connection, ada, "ada", "digits", kind, target)
    with pytest.raises(Missing):
        share_links.add(connection, ada, "ada", "nothing")


def test_a_personal_server_has_no_links(connection: sa.Connection) -> None:
    connection.execute(projects.insert().values(entity="ada", name="digits", created=0, deletions=0))
    with pytest.raises(Conflict, match="no accounts yet"):
        share_links.add(connection, COMMAND_LINE, "ada", "digits")


def test_a_link_is_revoked_in_its_project_alone(connection: sa.Connection, ada: Actor) -> None:
    id = share_links.add(connection, ada, "ada", "digits").id
    with pytest.raises(Missing):
        share_links.revoke(connection, ada, id, "ada", "words")
    link = share_links.revoke(connection, ada, id, "ada", "digits")
    assert link.revoked is not None
    assert share_links.revoke(connection, ada, id) == link
    with pytest.raises(Missing):
        share_links.revoke(connection, ada, "00000000")


def test_openings_are_counted(connection: sa.Connection, ada: Actor) -> None:
    id = share_links.add(connection, ada, "ada", "digits").id
    share_links.note_opened(connection, {id: (2, 100.0)})
    share_links.note_opened(connection, {id: (3, 200.0)})
    (link,) = share_links.listed(connection, Part()).rows
    assert (link.opened, link.last_opened) == (5, 200.0)


def test_a_link_follows_its_project(connection: sa.Connection, ada: Actor) -> None:
    share_links.add(connection, ada, "ada", "digits")
    accounts.rename(connection, ada, "ada", "countess")
    assert share_links.listed(connection, Part(), "countess").rows[0].shared.entity == "countess"
