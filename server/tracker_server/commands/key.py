"""`tracker server key`: make, list and revoke API keys."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa

from tracker_server.access import api_keys, entities
from tracker_server.access.api_keys import SCOPES, ApiKey
from tracker_server.access.audit_log import COMMAND_LINE

from .data_directory import Data, everything, moment, on_data, text


@click.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command()
@click.option("--account", metavar="NAME", help="The account that the key is of.")
@click.option("--team", metavar="NAME", help="The team that the key is of: a service key, for machines.")
@click.option("--scope", required=True, type=click.Choice(SCOPES), help="What it allows at most.")
@click.option("--name", default="", metavar="TEXT", help="What it is for, to tell it from others.")
@click.option("--expires", type=float, metavar="DAYS", help="Days after which it stops.  [default: never]")
@on_data
def add(data: Data, account: str | None, team: str | None, scope: str, name: str, expires: float | None) -> None:
    """Make an API key, and print it: it is shown only once."""
    with data.changing() as connection:
        owner = _owner(connection, account, team)
        if owner is None:
            raise click.UsageError("say whose key it is: --account NAME or --team NAME")
        made = api_keys.add(connection, COMMAND_LINE, owner, name or "made on the server", scope, expires)
    result = {"id": made.id, "key": made.key}
    data.show(result, f"The key of {owner} with the scope {scope} is shown only now:", made.key)


@key.command("list")
@click.option("--account", metavar="NAME", help="Only keys of this account.")
@click.option("--team", metavar="NAME", help="Only service keys of this team.")
@click.option("--search", default="", metavar="TEXT", help="Only keys whose id, name, scope or owner contains this.")
@on_data
def list_(data: Data, account: str | None, team: str | None, search: str) -> None:
    """List API keys, the newest first."""
    with data.reading() as connection:
        owner = _owner(connection, account, team)
        found = list(everything(lambda part: api_keys.listed(connection, part, owner), search))
    columns = {
        "id": text,
        "owner": text,
        "name": text,
        "scope": text,
        "created": moment,
        "expires": moment,
        "used": moment,
        "revoked": moment,
    }
    data.show_list(map(_about, found), columns)


@key.command()
@click.argument("id", metavar="ID")
@on_data
def revoke(data: Data, id: str) -> None:
    """Revoke an API key by its id, the 8 characters after trk_."""
    with data.changing() as connection:
        found = api_keys.revoke(connection, COMMAND_LINE, id)
    data.show(_about(found), f"Revoked the key {found.id} of {found.owner} ({found.name}).")


def _owner(connection: sa.Connection, account: str | None, team: str | None) -> str | None:
    if account is not None and team is not None:
        raise click.UsageError("give --account or --team, not both")
    if account is not None:
        return entities.get(connection, account, "account").name
    return None if team is None else entities.get(connection, team, "team").name


def _about(one: ApiKey) -> dict[str, Any]:
    return one._asdict()
