from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, identities, one_time_links, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.access.errors import Conflict, Missing
from tracker_server.access.oidc import Person, Rejected
from tracker_server.access.paging import Part
from tracker_server.access.providers import Provider, TeamRole
from tracker_server.storage.database import connect

PASSWORD = "not a real hash"
GROUPS = {
    "vision": (TeamRole("Vision", "member"),),
    "heads": (TeamRole("vision", "admin"), TeamRole("speech", "viewer"), TeamRole("nowhere", "admin")),
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = connect(f"sqlite:///{tmp_path / 'tracker.db'}")
    with AccessDatabase(engine).changing() as made:
        accounts.add(made, COMMAND_LINE, "root", admin=True, password=PASSWORD)
        for team in ("vision", "speech"):
            teams.add(made, COMMAND_LINE, team)
        yield made
    engine.dispose()


def _provider(**settings: Any) -> Provider:
    return Provider("campus", "Campus", "https://id.example", "tracker", "", **settings)


def _ada(subject: str = "77", username: str = "ada", email: str = "ada@example.org", groups: Any = ()) -> Person:
    return Person("campus", subject, email, username, tuple(groups))


def _sign_in(connection: sa.Connection, person: Person, **settings: Any) -> accounts.Account:
    return identities.sign_in(connection, _provider(**settings), person, "10.0.0.1")


def _roles(connection: sa.Connection, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for team in ("vision", "speech"):
        for member in teams.members_of(connection, team, Part()).rows:
            if member.account == name:
                found[team] = member.role
    return found


def test_an_invited_address_signs_in_to_its_account(connection: sa.Connection) -> None:
    accounts.add(connection, COMMAND_LINE, "lovelace", email="Ada@Example.org")
    link = one_time_links.make(connection, COMMAND_LINE, "lovelace")
    account = _sign_in(connection, _ada())
    assert (account.name, account.state) == ("lovelace", "active")
    with pytest.raises(Missing):
        one_time_links.account_of(connection, link)
    # From now on the number counts, whatever the address is.
    assert _sign_in(connection, _ada(email="countess@example.org")).name == "lovelace"
    with pytest.raises(Rejected, match=r"no account for ada@example\.org"):
        _sign_in(connection, _ada(subject="78"))


def test_an_equal_name_or_address_gives_no_access(connection: sa.Connection) -> None:
    accounts.add(connection, COMMAND_LINE, "ada", password=PASSWORD)
    accounts.add(connection, COMMAND_LINE, "lovelace", email="ada@example.org", password=PASSWORD)
    with pytest.raises(Rejected, match="no account"):
        _sign_in(connection, _ada())
    with pytest.raises(Rejected, match=r"has the address ada@example\.org already"):
        _sign_in(connection, _ada(), create_accounts=True)
    made = _sign_in(connection, _ada(email="other@example.org"), create_accounts=True)
    assert (made.name, made.is_admin) == ("other", False)


def test_an_ambiguous_invitation_gives_no_access(connection: sa.Connection) -> None:
    for name in ("one", "two"):
        accounts.add(connection, COMMAND_LINE, name, email="ada@example.org")
    with pytest.raises(Rejected):
        _sign_in(connection, _ada())


def test_new_accounts_get_a_free_name(connection: sa.Connection) -> None:
    names = [
        _sign_in(connection, _ada(str(number), name, f"{number}@example.org"), create_accounts=True).name
        for number, name in enumerate(["ada", "ada king@example.org", "../../etc", "root", "-.-"])
    ]
    assert names[0] == "ada"
    assert names[1] == "ada-king"
    assert len(set(names)) == 5
    assert "root" not in names


def test_a_disabled_account_does_not_sign_in(connection: sa.Connection) -> None:
    account = _sign_in(connection, _ada(), create_accounts=True)
    accounts.disable(connection, COMMAND_LINE, account.name)
    with pytest.raises(Rejected, match="disabled"):
        _sign_in(connection, _ada())


def test_groups_give_and_take_roles_at_each_sign_in(connection: sa.Connection) -> None:
    settings: dict[str, Any] = {"create_accounts": True, "groups": GROUPS}
    name = _sign_in(connection, _ada(groups=["vision", "unknown"]), **settings).name
    assert _roles(connection, name) == {"vision": "member"}
    _sign_in(connection, _ada(groups=["vision", "heads"]), **settings)
    assert _roles(connection, name) == {"vision": "admin", "speech": "viewer"}
    _sign_in(connection, _ada(), **settings)
    assert _roles(connection, name) == {}


def test_groups_leave_what_a_person_gave(connection: sa.Connection) -> None:
    settings: dict[str, Any] = {"create_accounts": True, "groups": GROUPS}
    name = _sign_in(connection, _ada(), **settings).name
    teams.set_member(connection, COMMAND_LINE, "vision", name, "viewer")
    for groups in (["vision"], ["heads"], []):
        _sign_in(connection, _ada(groups=groups), **settings)
        assert _roles(connection, name)["vision"] == "viewer"


def test_an_account_connects_and_disconnects_a_provider(connection: sa.Connection) -> None:
    ada = accounts.add(connection, COMMAND_LINE, "ada", password=PASSWORD)
    bob = accounts.add(connection, COMMAND_LINE, "bob", password=PASSWORD)
    identities.connect(connection, COMMAND_LINE, ada, _ada())
    identities.connect(connection, COMMAND_LINE, ada, _ada())
    with pytest.raises(Conflict, match="another account"):
        identities.connect(connection, COMMAND_LINE, bob, _ada())
    assert _sign_in(connection, _ada()).name == "ada"
    identities.disconnect(connection, COMMAND_LINE, ada, "campus")
    with pytest.raises(Missing):
        identities.disconnect(connection, COMMAND_LINE, ada, "campus")
    with pytest.raises(Rejected):
        _sign_in(connection, _ada())


def test_the_only_way_to_sign_in_stays(connection: sa.Connection) -> None:
    account = _sign_in(connection, _ada(), create_accounts=True)
    with pytest.raises(Conflict, match="set a password first"):
        identities.disconnect(connection, COMMAND_LINE, account, "campus")
