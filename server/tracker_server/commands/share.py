"""`tracker server share`: make, list and revoke share links."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa

from tracker_server.access import entities, share_links
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.share_links import ShareLink

from .data_directory import Data, everything, moment, on_data, text


@click.group()
def share() -> None:
    """Make, list and revoke share links."""


@share.command()
@click.argument("what", metavar="ENTITY/PROJECT[/RUN]")
@click.option("--expires", type=float, metavar="DAYS", help="Days after which it stops.  [default: never]")
@click.option(
    "--url",
    envvar="TRACKER_SERVER_URL",
    metavar="URL",
    help="Address at which people reach the server, for the link.  [default: what the server has noted]",
)
@on_data
def add(data: Data, what: str, expires: float | None, url: str | None) -> None:
    """Make a link to a project or run, and print it: it is shown only once.

    Whoever has the link can read that project or run, without an account.
    """
    parts = what.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise click.UsageError(f"{what!r} must be ENTITY/PROJECT or ENTITY/PROJECT/RUN")
    with data.changing() as connection:
        kind, target = ("run", parts[2]) if len(parts) == 3 else ("project", None)
        entity = _present(connection, parts[0])
        made = share_links.add(connection, COMMAND_LINE, entity, parts[1], kind, target, expires)
    address = f"{data.url(url)}/s/{made.token}"
    data.show({"id": made.id, "url": address}, f"The link {made.id} to {what} is shown only now:", address)


@share.command("list")
@click.argument("what", required=False, metavar="[ENTITY[/PROJECT]]")
@click.option("--search", default="", metavar="TEXT", help="Only links to something whose name contains this.")
@on_data
def list_(data: Data, what: str | None, search: str) -> None:
    """List share links, the newest first; those of an entity or a project, if given."""
    name, _, project = (what or "").partition("/")
    with data.reading() as connection:
        entity = _present(connection, name) if name else None
        of = lambda part: share_links.listed(connection, part, entity, project or None)  # noqa: E731
        found = list(everything(of, search))
    columns = {
        "id": text,
        "entity": text,
        "project": text,
        "kind": text,
        "target": text,
        "creator": text,
        "created": moment,
        "expires": moment,
        "revoked": moment,
        "opened": text,
    }
    data.show_list(map(_about, found), columns)


@share.command()
@click.argument("id", metavar="ID")
@on_data
def revoke(data: Data, id: str) -> None:
    """Revoke a share link by its id."""
    with data.changing() as connection:
        found = share_links.revoke(connection, COMMAND_LINE, id)
    data.show(_about(found), f"Revoked the link {found.id} to {share_links.described(found.shared)}.")


def _present(connection: sa.Connection, name: str) -> str:
    found = entities.find(connection, name)
    return name if found is None else found.name


def _about(one: ShareLink) -> dict[str, Any]:
    members = one._asdict()
    return {"id": one.id, **members.pop("shared")._asdict(), **members}
