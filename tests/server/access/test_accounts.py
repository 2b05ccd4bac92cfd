from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, api_keys, entities, take_over, teams
from tracker_server.access.audit_log import COMMAND_LINE, Actor
from tracker_server.access.database import AccessDatabase
from tracker_server.access.errors import Conflict, Missing, Refused
from tracker_server.access.paging import Part
from tracker_server.storage.schema import projects

ADA = Actor("ada", "192.0.2.7", 1)


def project(connection: sa.Connection, entity: str, name: str = "digits") -> int:
    values: dict[str, Any] = {"entity": entity, "name": name, "created": time.time(), "deletions": 0}
    return int(connection.execute(projects.insert().values(values).returning(projects.c.id)).scalar_one())


def places(connection: sa.Connection) -> set[str]:
    return {f"{entity}/{name}" for entity, name in connection.execute(sa.select(projects.c.entity, projects.c.name))}


@pytest.fixture
def ada(connection: sa.Connection) -> accounts.Account:
    return accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash")


def test_an_account_without_a_password_is_invited(connection: sa.Connection, ada: accounts.Account) -> None:
    bob = accounts.add(connection, ADA, "bob", email="bob@example.org")
    assert (bob.state, bob.is_admin, bob.has_password, bob.email) == ("invited", False, False, "bob@example.org")
    assert (ada.state, ada.is_admin, ada.has_password) == ("active", True, True)
    bob = accounts.set_password(connection, ADA, "bob", "hash")
    assert (bob.state, bob.has_password) == ("active", True)


def test_the_first_account_must_be_a_server_admin(connection: sa.Connection) -> None:
    with pytest.raises(Refused, match="--admin"):
        accounts.add(connection, COMMAND_LINE, "ada")


def test_names_are_taken_whatever_their_case_and_looks(connection: sa.Connection, ada: accounts.Account) -> None:
    for name in ("ADA", "Ada"):
        with pytest.raises(Conflict, match="is taken"):
            accounts.add(connection, ADA, name)
        with pytest.raises(Conflict, match="is taken"):
            teams.add(connection, ADA, name)
    teams.add(connection, ADA, "Lion")
    with pytest.raises(Conflict, match="looks like"):
        accounts.add(connection, ADA, "Iion")
    assert accounts.get(connection, "ADA").name == "ada"


def test_the_first_account_takes_over_the_entities_that_have_projects(connection: sa.Connection) -> None:
    for entity in ("ada", "lab", "admin", "Ada2", "ada2"):
        project(connection, entity)
    before = places(connection)
    ada = accounts.add(connection, COMMAND_LINE, "ada", admin=True)
    assert places(connection) == before
    listed = teams.listed(connection, Part()).rows
    assert {(team.name, team.members) for team in listed} == {("lab", 1), ("admin", 1), ("Ada2", 1), ("ada2", 1)}
    for team in listed:
        assert teams.role_of(connection, team.id, ada.id) == "admin"
        assert entities.get(connection, team.name).id == team.id


def test_the_first_account_takes_the_name_that_its_projects_have(connection: sa.Connection) -> None:
    project(connection, "Ada")
    assert accounts.add(connection, COMMAND_LINE, "ada", admin=True).name == "Ada"
    assert teams.listed(connection, Part()).rows == []


def test_back_to_a_personal_server_and_on_to_a_team_again(connection: sa.Connection, ada: accounts.Account) -> None:
    bob = accounts.add(connection, ADA, "bob")
    teams.add(connection, ADA, "lab")
    api_keys.add(connection, ADA, "bob", "laptop", "log")
    project(connection, "ada")
    project(connection, "lab")
    before = places(connection)
    assert take_over.remove_all(connection, COMMAND_LINE) == 2
    assert not accounts.any_exists(connection)
    assert places(connection) == before
    assert api_keys.listed(connection, Part()).total == teams.listed(connection, Part()).total == 0
    former = entities.by_id(connection, bob.id)
    assert former is not None
    assert former.name == "bob"  # runs still show who made them
    again = accounts.add(connection, COMMAND_LINE, "ada", admin=True)
    assert again.id == ada.id
    assert accounts.add(connection, ADA, "Bob").id == bob.id
    assert teams.get(connection, "lab").members == 1


def test_a_renamed_account_is_found_by_its_former_name(connection: sa.Connection, ada: accounts.Account) -> None:
    project(connection, "ada")
    renamed = accounts.rename(connection, ADA, "ada", "countess")
    assert (renamed.id, renamed.name) == (ada.id, "countess")
    assert places(connection) == {"countess/digits"}
    assert accounts.get(connection, "Ada").name == "countess"
    for taken in ("ada", "Ada"):
        with pytest.raises(Conflict):
            accounts.add(connection, ADA, taken)
    assert accounts.rename(connection, ADA, "ada", "Countess").name == "Countess"  # by the former name, in case only
    assert accounts.rename(connection, ADA, "countess", "ada").name == "ada"
    assert accounts.get(connection, "countess").id == ada.id
    assert places(connection) == {"ada/digits"}


def test_disabling_and_enabling(connection: sa.Connection, ada: accounts.Account) -> None:
    accounts.add(connection, ADA, "bob", password="hash")
    accounts.add(connection, ADA, "eve")
    assert accounts.disable(connection, ADA, "bob").state == "disabled"
    assert accounts.set_password(connection, ADA, "bob", "other").state == "disabled"
    assert accounts.enable(connection, ADA, "bob").state == "active"
    accounts.disable(connection, ADA, "eve")
    assert accounts.enable(connection, ADA, "eve").state == "invited"


@pytest.mark.parametrize("state", ["invited", "active"])
def test_the_last_server_admin_stays(connection: sa.Connection, state: str) -> None:
    accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash" if state == "active" else None)
    accounts.add(connection, ADA, "bob", password="hash")
    lab = teams.add(connection, ADA, "lab")
    with pytest.raises(Conflict, match="last"):
        accounts.disable(connection, ADA, "ada")
    with pytest.raises(Conflict, match="last"):
        accounts.set_admin(connection, ADA, "ada", False)
    with pytest.raises(Conflict, match="last"):
        accounts.remove(connection, ADA, "ada", lab.name)
    accounts.set_admin(connection, ADA, "bob", True)
    accounts.remove(connection, ADA, "ada")
    with pytest.raises(Conflict, match="last"):
        accounts.set_admin(connection, ADA, "bob", False)


def test_an_invited_admin_does_not_replace_the_last_active_one(
    connection: sa.Connection, ada: accounts.Account
) -> None:
    accounts.add(connection, ADA, "bob", admin=True)
    with pytest.raises(Conflict, match="last active"):
        accounts.disable(connection, ADA, "ada")
    accounts.disable(connection, ADA, "bob")


def test_of_two_admins_who_remove_each_other_at_the_same_moment_one_stays(database: AccessDatabase) -> None:
    with database.changing() as connection:
        accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash")
        accounts.add(connection, ADA, "bob", admin=True, password="hash")
    start = threading.Barrier(2)
    refused = []

    def remove(name: str) -> None:
        start.wait()
        try:
            with database.changing() as connection:
                accounts.remove(connection, COMMAND_LINE, name)
        except Conflict as error:
            refused.append(str(error))

    threads = [threading.Thread(target=remove, args=(name,)) for name in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        (left,) = accounts.listed(connection, Part()).rows
    assert left.is_admin
    assert len(refused) == 1
    assert "last active server admin" in refused[0]


def test_the_projects_of_a_removed_account_go_to_a_team(connection: sa.Connection, ada: accounts.Account) -> None:
    accounts.add(connection, ADA, "bob")
    teams.add(connection, ADA, "lab")
    for entity, name in (("bob", "digits"), ("bob", "words"), ("lab", "digits")):
        project(connection, entity, name)
    with pytest.raises(Refused, match="say which team"):
        accounts.remove(connection, ADA, "bob")
    with pytest.raises(Refused, match="another account"):
        accounts.remove(connection, ADA, "bob", "bob")
    with pytest.raises(Missing):
        accounts.remove(connection, ADA, "bob", "nowhere")
    moved = accounts.remove(connection, ADA, "bob", "LAB")
    assert moved == {"bob/digits": "lab/digits-bob", "bob/words": "lab/words"}
    assert places(connection) == {"lab/digits", "lab/digits-bob", "lab/words"}
    with pytest.raises(Missing):
        accounts.get(connection, "bob")
    for add in (accounts.add, teams.add):
        with pytest.raises(Conflict):
            add(connection, ADA, "bob")  # a name of whoever made runs stays taken


def test_projects_go_to_no_account_but_a_server_admins(connection: sa.Connection, ada: accounts.Account) -> None:
    accounts.add(connection, ADA, "bob")
    accounts.add(connection, ADA, "eve")
    project(connection, "bob", "x" * 128)
    project(connection, "ada", "x" * 128)
    with pytest.raises(Refused, match="no server admin"):
        accounts.remove(connection, ADA, "bob", "eve")
    accounts.remove(connection, ADA, "bob", "ada")
    assert places(connection) == {"ada/" + "x" * 128, "ada/" + "x" * 124 + "-bob"}


def test_many_accounts_are_read_in_pages(connection: sa.Connection, ada: accounts.Account) -> None:
    names = sorted(f"person {n}" for n in range(500))
    for name in names:
        accounts.add(connection, ADA, name)
    accounts.add(connection, ADA, "Özil")
    read, cursor = [], None
    while True:
        page = accounts.listed(connection, Part(search="PERSON", cursor=cursor, limit=150))
        assert page.total == 500
        read += [account.name for account in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert read == names
    assert [one.name for one in accounts.listed(connection, Part(search="özil")).rows] == ["Özil"]
    teams.add(connection, ADA, "lab")
    teams.set_member(connection, ADA, "lab", "person 7", "viewer")
    teams.set_member(connection, ADA, "lab", "ada", "admin")
    assert [one.name for one in accounts.listed(connection, Part(), ["lab", "none"]).rows] == ["ada", "person 7"]
    assert accounts.listed(connection, Part(), []).total == 0
    for cursor in ("x", "bm8", "W10", "W251bGwsMV0"):
        with pytest.raises(Refused, match="cursor"):
            accounts.listed(connection, Part(cursor=cursor))


@pytest.mark.parametrize("email", ["ada", "@", "a b@c", "a@", "x" * 260 + "@y"])
def test_an_email_address_has_a_name_and_a_host(connection: sa.Connection, ada: accounts.Account, email: str) -> None:
    with pytest.raises(Refused, match="email"):
        accounts.set_email(connection, ADA, "ada", email)
