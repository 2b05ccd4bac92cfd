"""`tracker server account`: add, list, change and remove accounts."""

from __future__ import annotations

import sys
from typing import Any

import click
import sqlalchemy as sa

from tracker.cli.output import echo
from tracker_server.access import accounts, entities, one_time_links, passwords, take_over
from tracker_server.access.accounts import Account
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.errors import Refused

from .data_directory import Data, everything, moment, on_data, quota_bytes, size, text

_URL = click.option(
    "--url",
    envvar="TRACKER_SERVER_URL",
    metavar="URL",
    help="Address at which people reach the server, for the link.  [default: what the server has noted]",
)
_QUOTA = click.option(
    "--quota",
    callback=quota_bytes,
    metavar="SIZE",
    help="Most bytes of files under its name, such as 500GB; none for no limit.",
)
_PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")


@click.group()
def account() -> None:
    """Add, list, change and remove accounts.

    With the first account the server becomes a team's: its token gives no access any more.
    """


@account.command()
@click.argument("name", metavar="NAME")
@click.option("--admin", is_flag=True, help="Make it a server admin. The first account must be one.")
@click.option("--email", metavar="ADDRESS", help="Its email address, by which it can sign in with a provider.")
@click.option(
    "--quota", callback=quota_bytes, metavar="SIZE", help="Most bytes of files under its name, such as 500GB."
)
@_PASSWORD
@_URL
@on_data
def add(
    data: Data, name: str, admin: bool, email: str | None, quota: int | None, password_stdin: bool, url: str | None
) -> None:
    """Add an account, and print its one-time link.

    The link sets the password; it works once, within 24 hours. With --password-stdin there is no link.
    """
    password = _password(name) if password_stdin else None
    with data.changing(create=True) as connection:
        made = accounts.add(connection, COMMAND_LINE, name, admin=admin, email=email, password=password)
        if quota is not None:
            made = _set_quota(connection, made, quota)
        link = None if password else _link(data, connection, made, url)
    what = "server admin" if made.is_admin else "account"
    _show_link(data, made, f"Added the {what} {made.name}.", link, url)


@account.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only accounts whose name or address contains this.")
@on_data
def list_(data: Data, search: str) -> None:
    """List accounts."""
    with data.reading() as connection:
        found = list(everything(lambda part: accounts.listed(connection, part), search))
    columns = {"name": text, "state": text, "admin": _yes, "email": text, "quota": size, "seen": moment}
    data.show_list(map(_about, found), columns)


@account.command()
@click.argument("name", metavar="NAME")
@click.option("--name", "new_name", metavar="NEW", help="A new name; the former one keeps leading to the account.")
@click.option("--admin/--no-admin", default=None, help="Make it a server admin, or not any more.")
@click.option("--email", metavar="ADDRESS", help="Its email address; an empty one removes it.")
@click.option(
    "--quota", callback=quota_bytes, metavar="SIZE", help="Most bytes of files under its name; none for no limit."
)
@on_data
def change(
    data: Data, name: str, new_name: str | None, admin: bool | None, email: str | None, quota: int | None
) -> None:
    """Change an account's name, role, email address or quota."""
    with data.changing() as connection:
        changed = accounts.get(connection, name)
        if admin is not None:
            changed = accounts.set_admin(connection, COMMAND_LINE, name, admin)
        if email is not None:
            changed = accounts.set_email(connection, COMMAND_LINE, name, email)
        if quota is not None:
            changed = _set_quota(connection, changed, quota)
        if new_name is not None:
            changed = accounts.rename(connection, COMMAND_LINE, name, new_name)
    data.show(_about(changed), f"Changed the account {changed.name}.")


@account.command()
@click.argument("name", metavar="NAME")
@on_data
def disable(data: Data, name: str) -> None:
    """Disable an account: its sessions end and its keys stop."""
    with data.changing() as connection:
        changed = accounts.disable(connection, COMMAND_LINE, name)
    data.show(_about(changed), f"Disabled the account {changed.name}; its runs stay.")


@account.command()
@click.argument("name", metavar="NAME")
@on_data
def enable(data: Data, name: str) -> None:
    """Enable an account that was disabled; its keys work again."""
    with data.changing() as connection:
        changed = accounts.enable(connection, COMMAND_LINE, name)
    data.show(_about(changed), f"Enabled the account {changed.name}.")


@account.command()
@click.argument("name", metavar="NAME")
@_PASSWORD
@_URL
@on_data
def reset(data: Data, name: str, password_stdin: bool, url: str | None) -> None:
    """Print a one-time link for a forgotten password.

    The link sets a new password; it works once, within 24 hours. With --password-stdin there is no link. Sessions of
    the account end when the password is set.
    """
    password = _password(name) if password_stdin else None
    with data.changing() as connection:
        found = accounts.get(connection, name)
        if password is not None:
            found, link = accounts.set_password(connection, COMMAND_LINE, name, password), None
        else:
            link = _link(data, connection, found, url)
    done = f"The password of {found.name} is set." if link is None else f"A new password for {found.name}:"
    _show_link(data, found, done, link, url)


@account.command()
@click.argument("name", required=False, metavar="NAME")
@click.option("--runs-to", metavar="ENTITY", help="The team or server admin that gets its projects.")
@click.option("--all", "all_", is_flag=True, help="Remove all accounts: the server is personal again.")
@on_data
def remove(data: Data, name: str | None, runs_to: str | None, all_: bool) -> None:
    """Remove an account, or all of them.

    Its keys and sessions end; its runs go to a team or a server admin. With --all, also teams, keys and share links are
    removed; runs keep their place, and the server's token gives access again.
    """
    if (name is None) != all_ or (all_ and runs_to is not None):
        raise click.UsageError("give either NAME, with --runs-to if it has projects, or --all")
    with data.changing() as connection:
        if name is None:
            count = take_over.remove_all(connection, COMMAND_LINE)
            data.show({"accounts": count}, f"Removed all {count:,} accounts: the server is personal again.")
            return
        former = accounts.get(connection, name).name
        moved = accounts.remove(connection, COMMAND_LINE, name, runs_to)
    lines = [f"Removed the account {former}.", *(f"{before} is now {after}" for before, after in moved.items())]
    data.show({"account": former, "moved": moved}, *lines)


def _password(name: str) -> str:
    """Return the hash of the password on stdin."""
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise Refused("there is no password on stdin")
    return passwords.hashed(given, name)


def _set_quota(connection: sa.Connection, of: Account, quota: int) -> Account:
    entities.set_quota(connection, COMMAND_LINE, of.name, None if quota < 0 else quota)
    return accounts.get(connection, of.name)


def _link(data: Data, connection: sa.Connection, of: Account, url: str | None) -> str:
    return f"{data.url(url)}/welcome/{one_time_links.make(connection, COMMAND_LINE, of.name)}"


def _show_link(data: Data, of: Account, done: str, link: str | None, url: str | None) -> None:
    lines = [done]
    if link is not None:
        lines.append(f"Set the password here, once and within 24 hours: {link}")
    data.show({**_about(of), "link": link}, *lines)
    if link is not None and url is None and not data.as_json:
        echo("(--url changes the beginning of the link.)", err=True)


def _about(one: Account) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "admin": one.is_admin,
        "email": one.email,
        "quota": one.quota,
        "created": one.created,
        "seen": one.seen,
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
