"""`tracker logout`: forget a server and its key."""

from __future__ import annotations

import click

from tracker.errors import SettingsError
from tracker.settings import Settings, read_file, user_file, write_file
from tracker.settings.credentials import given, kept, key_for, same
from tracker.settings.logins import login_for, remember

from . import browser_login
from .output import echo


@click.command()
@click.option("--base-url", help="Address of the server; by default the one that runs go to.")
def logout(base_url: str | None) -> None:
    """Forget a server and its key.

    A key that `tracker login` had the server make is revoked there too. Keys of other servers stay, and so do runs.

    The exit status is 1 if such a key could not be revoked; it is forgotten here all the same.
    """
    values = read_file(user_file())
    stored = given("", values)
    chosen = stored.base_url if base_url is None else str(Settings({"base_url": base_url}).base_url)
    found = None if chosen is None else key_for(chosen, None, [stored])
    if chosen is None or found is None:
        where = "any server" if base_url is None else str(chosen)
        raise SettingsError(f"no key for {where} is stored in {user_file()}")
    login = login_for(chosen, found[0])
    keys = kept(values, chosen)
    if stored.base_url is not None and same(stored.base_url, chosen):
        write_file(user_file(), {"base_url": None, "api_key": None, "keys": keys or None})
    else:
        others = {url: key for url, key in stored.keys.items() if not same(url, chosen)}
        write_file(user_file(), {"keys": others or None})
    remember(chosen, None)
    echo(f"The key for {chosen} is no longer on this machine.")
    if login is None or not login.made:
        return
    why = browser_login.revoke(chosen, found[0])
    if why is not None:
        raise click.ClickException(
            f"the key {login.key} could not be revoked ({why}): revoke it on the page of your account"
        )
    echo("The server has revoked it.")
