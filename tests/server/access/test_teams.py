from __future__ import annotations

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, api_keys, audit_log, teams
from tracker_server.access.audit_log import COMMAND_LINE, Actor
from tracker_server.access.errors import Conflict, Missing, Refused
from tracker_server.access.paging import Part
from tracker_server.storage.schema import projects

ADA = Actor("ada", "192.0.2.7", 1)


@pytest.fixture
def lab(connection: sa.Connection) -> teams.Team:
    accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash")
    for name in ("bob", "eve"):
        accounts.add(connection, ADA, name, password="hash")
    return teams.add(connection, ADA, "lab")


def roles(connection: sa.Connection, team: str = "lab") -> dict[str, str]:
    return {one.account: one.role for one in teams.members_of(connection, team, Part()).rows}


def test_a_personal_server_has_no_teams(connection: sa.Connection) -> None:
    with pytest.raises(Conflict, match="no accounts yet"):
        teams.add(connection, COMMAND_LINE, "lab")


def test_members_and_their_roles(connection: sa.Connection, lab: teams.Team) -> None:
    assert lab.members == 0
    made = teams.set_member(connection, ADA, "LAB", "Bob", "viewer")
    assert (made.account, made.role, made.source, made.state) == ("bob", "viewer", "manual", "active")
    teams.set_member(connection, ADA, "lab", "bob", "member")
    teams.set_member(connection, ADA, "lab", "eve", "admin")
    assert roles(connection) == {"bob": "member", "eve": "admin"}
    assert teams.get(connection, "lab").members == 2
    teams.remove_member(connection, ADA, "lab", "bob")
    assert roles(connection) == {"eve": "admin"}
    with pytest.raises(Missing, match="no member"):
        teams.remove_member(connection, ADA, "lab", "bob")


@pytest.mark.parametrize(
    ("team", "account", "role", "raised"),
    [("lab", "bob", "boss", Refused), ("lab", "nobody1", "viewer", Missing), ("bob", "eve", "viewer", Missing)],
)
def test_what_cannot_be_a_membership(
    connection: sa.Connection, lab: teams.Team, team: str, account: str, role: str, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        teams.set_member(connection, ADA, team, account, role)


def test_who_has_seen_another_role_is_told(connection: sa.Connection, lab: teams.Team) -> None:
    teams.set_member(connection, ADA, "lab", "bob", "viewer", was=None)
    teams.set_member(connection, ADA, "lab", "bob", "member", was="viewer")
    with pytest.raises(Conflict, match="is member by now"):
        teams.set_member(connection, ADA, "lab", "bob", "admin", was="viewer")
    with pytest.raises(Conflict, match="is member by now"):
        teams.remove_member(connection, ADA, "lab", "bob", was="viewer")
    teams.remove_member(connection, ADA, "lab", "bob", was="member")
    with pytest.raises(Conflict, match="no member any more"):  # else this would add somebody who was removed
        teams.set_member(connection, ADA, "lab", "bob", "admin", was="member")
    assert roles(connection) == {}


def test_the_last_admin_of_a_team_stays(connection: sa.Connection, lab: teams.Team) -> None:
    teams.set_member(connection, ADA, "lab", "bob", "admin")
    teams.set_member(connection, ADA, "lab", "eve", "member")
    with pytest.raises(Conflict, match="last admin"):
        teams.remove_member(connection, ADA, "lab", "bob")
    with pytest.raises(Conflict, match="last admin"):
        teams.set_member(connection, ADA, "lab", "bob", "viewer")
    teams.set_member(connection, ADA, "lab", "eve", "admin")
    teams.remove_member(connection, ADA, "lab", "bob")


def test_a_team_is_removed_without_projects_only(connection: sa.Connection, lab: teams.Team) -> None:
    teams.set_member(connection, ADA, "lab", "bob", "admin")
    api_keys.add(connection, ADA, "lab", "cluster", "log")
    values = {"entity": "lab", "name": "digits", "created": 0, "deletions": 0}
    connection.execute(projects.insert().values(values))
    with pytest.raises(Conflict, match="1 projects"):
        teams.remove(connection, ADA, "lab")
    connection.execute(projects.delete())
    teams.remove(connection, ADA, "lab")
    assert teams.listed(connection, Part()).total == api_keys.listed(connection, Part()).total == 0
    with pytest.raises(Missing):
        teams.get(connection, "lab")
    with pytest.raises(Conflict):
        teams.add(connection, ADA, "lab")


def test_a_renamed_team_is_found_by_its_former_name(connection: sa.Connection, lab: teams.Team) -> None:
    teams.set_member(connection, ADA, "lab", "bob", "admin")
    assert teams.rename(connection, ADA, "lab", "vision").id == lab.id
    assert roles(connection, "Lab") == {"bob": "admin"}
    entries = audit_log.listed(connection, Part(), entities=["vision"]).rows  # its admins still see what was before
    assert [entry.action for entry in entries] == ["team renamed", "member added", "team added"]


def test_teams_are_searched_and_counted(connection: sa.Connection, lab: teams.Team) -> None:
    for n in range(30):
        teams.add(connection, ADA, f"group {n:02}")
    page = teams.listed(connection, Part(search="GROUP", limit=20))
    assert (page.total, len(page.rows)) == (30, 20)
    rest = teams.listed(connection, Part(search="GROUP", limit=20, cursor=page.cursor))
    assert [team.name for team in page.rows + rest.rows] == [f"group {n:02}" for n in range(30)]
    assert rest.cursor is None
    assert teams.listed(connection, Part(search="%")).total == 0
    assert [team.name for team in teams.listed(connection, Part(), among=["lab"]).rows] == ["lab"]
