"""The table of rights in the documentation is the one in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker_server.access.principal import NOBODY, OWNER, Principal, Shared
from tracker_server.access.roles import ACTIONS, Action, Project, may

PAGE = (Path(__file__).parents[3] / "docs" / "security.md").read_text(encoding="utf-8")
HERE = Project("digits")


def _table(head: str) -> dict[str, set[str]]:
    """Return which actions each line of the table allows."""
    lines = PAGE[PAGE.index(f"| {head} |") :].split("\n\n")[0].splitlines()
    actions = re.findall(r"`(\w+)`", lines[0])
    assert tuple(actions) == ACTIONS
    found = {}
    for line in lines[2:]:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert set(cells) <= {"yes", ""}
        found[name] = {action for action, cell in zip(actions, cells, strict=True) if cell}
    return found


def _allowed(principal: Principal, project: Project = HERE) -> set[str]:
    return {action for action in ACTIONS if may(principal, action, "lab", project)}


def _account(**members: object) -> Principal:
    return Principal("account", name="eve", id=5, is_account=True, **members)  # type: ignore[arg-type]


def test_roles_allow_what_the_documentation_says() -> None:
    table = _table("role")
    assert _allowed(_account(roles={"lab": "viewer"})) == table["viewer"]
    assert _allowed(_account(roles={"lab": "member"})) == table["member"]
    assert _allowed(_account(roles={"lab": "admin"})) == table["admin"]
    assert _allowed(_account(is_admin=True)) == table["server admin"]
    assert _allowed(_account(), Project("digits", internal=True)) == table["any account, in an internal project"]
    assert len(table) == 5


@pytest.mark.parametrize("scope", ["read", "log", "all"])
def test_scopes_allow_at_most_what_the_documentation_says(scope: str) -> None:
    everything = _account(roles={"lab": "admin"}, is_admin=True, scope=scope)
    assert _allowed(everything) == _table("scope")[scope]
    viewer = _account(roles={"lab": "viewer"}, scope=scope)
    assert _allowed(viewer) == _table("scope")[scope] & _table("role")["viewer"]


def test_every_action_is_described_in_the_documentation() -> None:
    described = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert tuple(described) == ACTIONS


def test_nobody_and_those_without_a_role_may_do_nothing() -> None:
    assert _allowed(NOBODY) == set()
    assert _allowed(_account(roles={"shop": "admin"})) == set()
    service = Principal("key", name="shop", id=9, roles={"shop": "member"})
    assert _allowed(service) == _allowed(service, Project("digits", internal=True)) == set()


def test_the_owner_may_do_everything() -> None:
    assert _allowed(OWNER) == set(ACTIONS)
    assert may(OWNER, "manage_server", None, None)


@pytest.mark.parametrize(
    ("kind", "target", "shown", "runs"),
    [
        ("project", None, [], {"a", "b", None}),
        ("run", "a", [], {"a"}),
        ("view", "main", ["b"], {"b"}),
        ("report", "abc", ["a", "b"], {"a", "b"}),
    ],
)
def test_a_link_reads_what_it_shares_and_nothing_else(
    kind: str, target: str | None, shown: list[str], runs: set[str | None]
) -> None:
    shared = Shared("lab", "digits", kind, target)  # type: ignore[arg-type]
    link = Principal("link", shared=shared, shown=frozenset(shown))
    for run in ("a", "b", "c", None):
        there = kind == "project" or run in runs
        assert may(link, "read", "lab", HERE, run) == there
        assert not may(link, "read", "lab", Project("other"), run)
        assert not may(link, "read", "shop", HERE, run)
        others: list[Action] = [action for action in ACTIONS if action != "read"]
        assert not any(may(link, action, "lab", HERE, run) for action in others)
