"""The commands `tracker server` and `tracker ui`; `commands/` has those below `tracker server`."""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from tracker.machine.display import has_display
from tracker.machine.paths import absolute
from tracker.settings.parsing import cleaned

from .places import CannotServe, default_directory

if TYPE_CHECKING:
    from .settings import Settings

_COMMANDS = ("account", "audit", "key", "share", "team")


class _Server(click.Group):
    """Starts the server without a command. Loads a command when it is called: none needs what serving needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__package__}.commands.{cmd_name}"), cmd_name)
        return command


def _web_address(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    if url and not url.startswith(("http://", "https://")):
        raise click.BadParameter("it must begin with https:// or http://")
    return url or None


def _public_address(context: click.Context, option: click.Parameter, url: str | None) -> str | None:
    address = _web_address(context, option, cleaned(url, quotes=True))
    return None if address is None else address.rstrip("/")


def _prefix(_context: click.Context, _option: click.Parameter, text: str) -> str:
    prefix = text.strip().rstrip("/")
    if prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix):
        raise click.BadParameter("it must look like /tracker: letters, digits and . _ ~ - between slashes")
    return prefix


def _header(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name):
        raise click.BadParameter("it must look like X-Remote-User")
    if name.lower() in ("authorization", "cookie", "host", "origin"):
        raise click.BadParameter("this header means something else: use one of its own, such as X-Remote-User")
    return name


def _addresses(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_address(address)) for address in given)
    except ValueError:
        raise click.BadParameter("it must be an IP address, such as 10.0.0.5") from None


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        [
            click.option(
                "--dir",
                "directory",
                type=click.Path(file_okay=False, path_type=Path),
                envvar="TRACKER_SERVER_DIR",
                help="Directory that holds the runs.  [default: ~/.local/share/tracker]",
            ),
            click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
            click.option(
                "--port",
                default=8787,
                show_default=True,
                type=click.IntRange(0, 65535),
                help="Port to listen on; 0 picks a free one.",
            ),
            click.option(
                "--token",
                envvar="TRACKER_SERVER_TOKEN",
                help="Access token; replaces the one stored in DIR/token. Other users of this machine can read "
                "command lines, so prefer TRACKER_SERVER_TOKEN.",
            ),
            click.option(
                "--allowed-host",
                "allowed_hosts",
                multiple=True,
                metavar="NAME",
                help="Additional host name that clients use for this server. Can be repeated.",
            ),
            click.option(
                "--root-path",
                default="",
                metavar="/PREFIX",
                callback=_prefix,
                help="Path prefix that a reverse proxy adds, such as /tracker.",
            ),
            click.option(
                "--trusted-proxy",
                "trusted_proxies",
                multiple=True,
                metavar="ADDRESS",
                help="Address of a proxy whose X-Forwarded-Proto and X-Forwarded-For are trusted, besides those on "
                "this machine. Can be repeated.",
            ),
            click.option(
                "--providers",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                metavar="FILE",
                help="File that names OpenID Connect providers for signing in to a team's server.  "
                "[default: DIR/providers.toml, if there]",
            ),
            click.option(
                "--trusted-user-header",
                "user_header",
                default="",
                metavar="NAME",
                callback=_header,
                help="Header in which a proxy names the account that it has signed in. Needs --trusted-user-proxy.",
            ),
            click.option(
                "--trusted-user-proxy",
                "user_proxies",
                multiple=True,
                metavar="ADDRESS",
                callback=_addresses,
                help="Address of a proxy whose user header is believed. Can be repeated.",
            ),
            click.option(
                "--url",
                "public_url",
                metavar="URL",
                envvar="TRACKER_SERVER_URL",
                callback=_public_address,
                help="Address at which people reach the server, for links in messages. Its host name and path need "
                "no other option.",
            ),
            click.option(
                "--webhook",
                metavar="URL",
                envvar="TRACKER_SERVER_WEBHOOK",
                callback=_web_address,
                help="Forward alerts of runs to this address, in the format of Slack's incoming webhooks. The "
                "address is a secret, so prefer TRACKER_SERVER_WEBHOOK.",
            ),
            click.option("--announce-fd", type=int, hidden=True),
        ]
    ):
        command = option(command)
    return command


@click.group(cls=_Server, invoke_without_command=True)
@_options
@click.pass_context
def server(context: click.Context, /, **options: Any) -> None:
    """Start the server and dashboard on a directory of runs.

    The commands manage accounts, teams, keys and share links on such a directory, whether its server runs or not.
    """
    if context.invoked_subcommand is None:
        _serve(**options, browser=False)


@click.command()
@_options
@click.option("--browser/--no-browser", default=True, help="Open the dashboard in a browser if there is a display.")
def ui(browser: bool, **options: Any) -> None:
    """Start the server and open the dashboard in a browser."""
    _serve(**options, browser=browser and has_display())


def _serve(
    directory: Path | None,
    host: str,
    port: int,
    token: str | None,
    allowed_hosts: tuple[str, ...],
    announce_fd: int | None,
    webhook: str | None,
    root_path: str,
    trusted_proxies: tuple[str, ...],
    providers: Path | None,
    user_header: str,
    user_proxies: tuple[str, ...],
    public_url: str | None,
    browser: bool,
) -> None:
    from .serving import (  # takes half a second to import, which the commands below this one do not need
        SignInOptions,
        serve,
    )

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        directory = Path(absolute(directory or default_directory()))
    except CannotServe as error:
        raise click.ClickException(str(error)) from error
    if bool(user_header) != bool(user_proxies):
        raise click.UsageError("--trusted-user-header and --trusted-user-proxy need each other")
    sign_in = SignInOptions(providers, user_header, user_proxies)
    token, webhook = cleaned(token, quotes=True), cleaned(webhook, quotes=True)
    root_path = root_path or _prefix_of(public_url)

    def started(url: str, settings: Settings, is_team: bool) -> None:
        click.echo(
            _team_greeting(public_url or url, directory) if is_team else _greeting(url, settings.token, directory, host)
        )
        if announce_fd is not None:
            with open(announce_fd, "w") as pipe:
                json.dump({"url": url, "token": settings.token}, pipe)
        if browser:
            _open(url, settings, is_team)

    try:
        serve(
            directory,
            host,
            port,
            token,
            allowed_hosts,
            started,
            webhook,
            root_path,
            trusted_proxies,
            sign_in,
            public_url,
        )
    except CannotServe as error:
        raise click.ClickException(str(error)) from error


def _team_greeting(url: str, directory: Path) -> str:
    lines = [
        "tracker server",
        f"  open       {url}",
        f"  data       {directory}",
        f"  scripts    tracker login --base-url {url}",
        "  accounts   tracker server account list",
        "  stop       ctrl+C",
    ]
    return "\n".join(lines)


def _prefix_of(url: str | None) -> str:
    """Return the path prefix in the server's public address."""
    path = "" if url is None else urlsplit(url).path
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise click.ClickException(f"the path {path!r} in --url must be letters, digits and . _ ~ - between slashes")
    return path


def _greeting(url: str, token: str, directory: Path, host: str) -> str:
    from .serving import is_loopback

    lines = [
        "tracker server",
        f"  open       {url}/?token={token}",
        f"  data       {directory}",
    ]
    port = url.rpartition(":")[2]
    if is_loopback(host):
        lines += [
            "  scripts    run by you on this machine find the server automatically; for other users, or machines",
            f"             connected with `ssh -R {port}:127.0.0.1:{port} MACHINE`, set:",
            f"             export TRACKER_BASE_URL={url} TRACKER_API_KEY={token}",
        ]
    else:
        name = socket.gethostname() if host in ("0.0.0.0", "::") else host
        lines += [
            f"  scripts    export TRACKER_BASE_URL=http://{name}:{port} TRACKER_API_KEY={token}",
            "  warning    the connection is not encrypted: on a shared network, put a proxy with TLS in front,",
            "             or listen on 127.0.0.1 and use ssh tunnels",
        ]
    return "\n".join([*lines, "  stop       ctrl+C"])


def _open(url: str, settings: Settings, is_team: bool) -> None:
    if is_team:
        threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()
        return
    # Other users can read command lines, including the browser's, so it gets a code for one visit, not the token.
    code = secrets.token_urlsafe(32)
    settings.visits.add(code)
    threading.Thread(target=webbrowser.open, args=[f"{url}/?token={code}"], daemon=True).start()
