"""`tracker login`: store a server and its key for this user."""

from __future__ import annotations

import click

from tracker.client import Client
from tracker.errors import ServerError, Unreachable
from tracker.machine.paths import user_folder
from tracker.settings import Settings, read_file, user_file, write_file
from tracker.settings.credentials import kept

from .output import echo


@click.command()
@click.option("--base-url", help="Address of the server, such as http://gpu-box:8787.")
@click.option("--key", help="Key: the token that `tracker server` prints. Asked for if missing.")
@click.option("--no-check", is_flag=True, help="Store them without trying the server.")
def login(base_url: str | None, key: str | None, no_check: bool) -> None:
    """Store a server's address and key for this user.

    They apply in all of your directories. The server is tried first; if it does not accept the key, nothing is stored.
    """
    base_url = base_url or click.prompt("Address of the server", default=Settings().base_url)
    base_url = str(Settings({"base_url": base_url}).base_url)
    key = key or click.prompt("Key", hide_input=True)
    key = str(Settings({"base_url": base_url, "api_key": key}).api_key)  # without characters that were pasted with it
    if not no_check:
        _try(base_url, key)
    if user_folder("XDG_CONFIG_HOME", ".config") is None:
        raise click.ClickException(
            "there is no home directory to remember it in; set TRACKER_BASE_URL and TRACKER_API_KEY where scripts run"
        )
    keys = kept(read_file(user_file()), base_url)  # of other servers, whose address a directory may give
    write_file(user_file(), {"base_url": base_url, "api_key": key, "keys": keys or None})
    echo(f"Runs go to {base_url} from now on ({user_file()}).")


def _try(base_url: str, key: str) -> None:
    try:
        Client(base_url, key, timeout=10).json("GET", "/api/projects")
    except Unreachable as error:
        raise click.ClickException(f"{error}; nothing was changed (--no-check skips this)") from None
    except ServerError as error:
        if error.status in (401, 403):
            raise click.ClickException(f"the server does not accept this key ({error}); nothing was changed") from None
        raise click.ClickException(f"{error}; nothing was changed (--no-check skips this)") from None
