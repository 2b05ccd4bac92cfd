"""`tracker login`: sign in to a server, and store its address and key for this user."""

from __future__ import annotations

from typing import Any

import click

from tracker.client import Client
from tracker.errors import ServerError, SettingsError, Unreachable
from tracker.machine.paths import user_folder
from tracker.names import is_project_name
from tracker.settings import Settings, read_file, user_file, write_file
from tracker.settings.credentials import given, kept, key_for
from tracker.settings.logins import Login, key_id, login_for, remember

from . import browser_login
from .output import echo

_SECONDS = 10.0  # that the server has to answer


@click.command()
@click.option("--base-url", help="Address of the server, such as http://gpu-box:8787.")
@click.option("--key", help="Key: an API key, or the token that `tracker server` prints. Replaces the browser.")
@click.option("--no-check", is_flag=True, help="Store them without trying the server.")
def login(base_url: str | None, key: str | None, no_check: bool) -> None:
    """Sign in to a server, for all of your directories.

    Opens the browser, where you confirm a short code; the server then makes a key for this machine. Where there is no
    browser, open the printed address anywhere. A server without accounts has one key, which the command asks for.

    The key is tried first. If the server does not accept it, nothing is stored.
    """
    base_url = base_url or click.prompt("Address of the server", default=Settings().base_url)
    base_url = str(Settings({"base_url": base_url}).base_url)
    if user_folder("XDG_CONFIG_HOME", ".config") is None:
        raise click.ClickException(
            "there is no home directory to remember it in; set TRACKER_BASE_URL and TRACKER_API_KEY where scripts run"
        )
    made = None if key or no_check else _from_browser(base_url)
    key = made or key or click.prompt("Key", hide_input=True)
    key = str(Settings({"base_url": base_url, "api_key": key}).api_key)  # without characters that were pasted with it
    who = {} if no_check else _try(base_url, key)
    former = key_for(base_url, None, [given("", read_file(user_file()))])
    before = None if former is None else login_for(base_url, former[0])
    keys = kept(read_file(user_file()), base_url)  # of other servers, whose address a directory may give
    write_file(user_file(), {"base_url": base_url, "api_key": key, "keys": keys or None})
    entity = _entity(who)
    remember(base_url, None if entity is None else Login(key_id(key) or "", entity, made is not None))
    if former is not None and before is not None and before.made and former[0] != key:
        browser_login.revoke(base_url, former[0])  # nobody else has it; a failure leaves it on the account's page
    if entity is not None:
        echo(f"Signed in as {entity}.")
    echo(f"Runs go to {base_url} from now on ({user_file()}).")


def _from_browser(base_url: str) -> str | None:
    try:
        return browser_login.sign_in(base_url)
    except Unreachable as error:
        raise click.ClickException(f"{error}; nothing was changed (--no-check skips this)") from None
    except (ServerError, SettingsError) as error:
        raise click.ClickException(f"{error}; nothing was changed") from None


def _try(base_url: str, key: str) -> dict[str, Any]:
    """Return whom the server knows by this key; {} if the server has no accounts."""
    client = Client(base_url, key, timeout=_SECONDS)
    try:
        try:
            return client.json("GET", "/api/whoami")
        except ServerError as error:
            if error.status != 404:
                raise
            client.json("GET", "/api/projects")  # an earlier server
            return {}
    except Unreachable as error:
        raise click.ClickException(f"{error}; nothing was changed (--no-check skips this)") from None
    except ServerError as error:
        if error.status in (401, 403):
            raise click.ClickException(f"the server does not accept this key ({error}); nothing was changed") from None
        raise click.ClickException(f"{error}; nothing was changed (--no-check skips this)") from None


def _entity(who: dict[str, Any]) -> str | None:
    """Return the account or team that a key belongs to; None on a server without accounts."""
    name = who.get("name")
    return name if who.get("kind") in ("account", "key") and isinstance(name, str) and is_project_name(name) else None
