"""`tracker server team`: add, list and remove teams and their members."""

from __future__ import annotations

from typing import Any

import click

from tracker_server.access import entities, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.teams import ROLES, Team

from .data_directory import Data, everything, moment, on_data, quota_bytes, size, text

_QUOTA = click.option(
    "--quota",
    callback=quota_bytes,
    metavar="SIZE",
    help="Most bytes of files under its name, such as 2TB; none for no limit.",
)


@click.group()
def team() -> None:
    """Add, list, change and remove teams and their members."""


@team.command()
@click.argument("name", metavar="NAME")
@_QUOTA
@on_data
def add(data: Data, name: str, quota: int | None) -> None:
    """Add a team without members."""
    with data.changing() as connection:
        made = teams.add(connection, COMMAND_LINE, name)
        if quota is not None:
            entities.set_quota(connection, COMMAND_LINE, made.name, None if quota < 0 else quota)
            made = teams.get(connection, made.name)
    data.show(_about(made), f"Added the team {made.name}. Add members with: tracker server team member add")


@team.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only teams whose name contains this.")
@on_data
def list_(data: Data, search: str) -> None:
    """List teams."""
    with data.reading() as connection:
        found = list(everything(lambda part: teams.listed(connection, part), search))
    data.show_list(map(_about, found), {"name": text, "members": text, "quota": size, "created": moment})


@team.command()
@click.argument("name", metavar="NAME")
@click.option("--name", "new_name", metavar="NEW", help="A new name; the former one keeps leading to the team.")
@click.option(
    "--quota", callback=quota_bytes, metavar="SIZE", help="Most bytes of files under its name; none for no limit."
)
@on_data
def change(data: Data, name: str, new_name: str | None, quota: int | None) -> None:
    """Change a team's name or quota."""
    with data.changing() as connection:
        changed = teams.get(connection, name)
        if quota is not None:
            entities.set_quota(connection, COMMAND_LINE, changed.name, None if quota < 0 else quota)
            changed = teams.get(connection, name)
        if new_name is not None:
            changed = teams.rename(connection, COMMAND_LINE, name, new_name)
    data.show(_about(changed), f"Changed the team {changed.name}.")


@team.command()
@click.argument("name", metavar="NAME")
@on_data
def remove(data: Data, name: str) -> None:
    """Remove a team that has no projects any more, with its keys."""
    with data.changing() as connection:
        former = teams.get(connection, name).name
        teams.remove(connection, COMMAND_LINE, name)
    data.show({"team": former}, f"Removed the team {former}.")


@team.group()
def member() -> None:
    """Add, list and remove members of a team."""


@member.command("add")
@click.argument("team_name", metavar="TEAM")
@click.argument("account", metavar="ACCOUNT")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What it may do; see the table of rights.")
@on_data
def add_member(data: Data, team_name: str, account: str, role: str) -> None:
    """Make an account a member of a team, or change its role."""
    with data.changing() as connection:
        made = teams.set_member(connection, COMMAND_LINE, team_name, account, role)
        name = teams.get(connection, team_name).name
    result = {"team": name, "account": made.account, "role": made.role}
    data.show(result, f"{made.account} is {made.role} of {name}.")


@member.command("remove")
@click.argument("team_name", metavar="TEAM")
@click.argument("account", metavar="ACCOUNT")
@on_data
def remove_member(data: Data, team_name: str, account: str) -> None:
    """Remove an account from a team."""
    with data.changing() as connection:
        teams.remove_member(connection, COMMAND_LINE, team_name, account)
        name, who = (entities.get(connection, one).name for one in (team_name, account))
    data.show({"team": name, "account": who}, f"{who} is no member of {name} any more.")


@member.command("list")
@click.argument("team_name", metavar="TEAM")
@click.option("--search", default="", metavar="TEXT", help="Only accounts whose name contains this.")
@on_data
def list_members(data: Data, team_name: str, search: str) -> None:
    """List the members of a team."""
    with data.reading() as connection:
        found = list(everything(lambda part: teams.members_of(connection, team_name, part), search))
    members = ("account", "role", "since", "source", "state")
    rows = [{name: getattr(one, name) for name in members} for one in found]
    data.show_list(rows, {"account": text, "role": text, "since": moment, "source": text, "state": text})


def _about(one: Team) -> dict[str, Any]:
    return {"name": one.name, "members": one.members, "quota": one.quota, "created": one.created}
