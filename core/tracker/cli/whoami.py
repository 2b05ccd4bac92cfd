"""`tracker whoami`: show whom the server knows this user as."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from tracker.client import connect
from tracker.errors import ServerError
from tracker.settings import Settings

from .output import echo, echo_json

_OWNER = {"kind": "owner", "mode": "personal", "name": "", "is_admin": False, "roles": {}, "scope": "all"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def whoami(as_json: bool) -> None:
    """Show the server and whom it knows you as."""
    client = connect(Settings())
    try:
        who = client.json("GET", "/api/whoami")
    except ServerError as error:
        if error.status != 404:
            raise
        client.json("GET", "/api/projects")  # an earlier server, without accounts
        who = dict(_OWNER)
    if as_json:
        echo_json({"server": client.base_url, **who})
        return
    echo(f"server   {client.base_url}")
    for line in _lines(who):
        echo(line)


def _lines(who: dict[str, Any]) -> list[str]:
    if who.get("kind") == "owner":
        return ["you      the owner: this server has no accounts"]
    if who.get("kind") == "link":
        return ["you      a share link"]
    admin = ", a server admin" if who.get("is_admin") else ""
    lines = [f"you      {who.get('name')}{admin}"]
    roles = who.get("roles")
    if isinstance(roles, dict):
        lines += [
            f"{'roles' if not number else '':9}{role} of {name}"
            for number, (name, role) in enumerate(sorted(roles.items()))
        ]
    key = who.get("key")
    if isinstance(key, dict):
        expires = key.get("expires")
        until = "never expires"
        if isinstance(expires, (int, float)):
            until = f"expires {datetime.fromtimestamp(expires):%Y-%m-%d %H:%M}"
        lines.append(f"key      {key.get('id')} ({key.get('name')}): scope {who.get('scope')}, {until}")
    elif who.get("kind") == "key":
        lines.append(f"key      scope {who.get('scope')}")
    return lines
