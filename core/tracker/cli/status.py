"""`tracker status`: show the settings and their sources, whether the server answers, and what is not uploaded."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.client import Client, connect
from tracker.errors import ServerError, SettingsError
from tracker.runlog.directory import agent_alive, copied
from tracker.runlog.reader import read_key, stream_paths
from tracker.settings import SETTINGS, Settings
from tracker.terminal import clean

from .output import echo


@click.command()
@click.option("--all", "show_all", is_flag=True, help="Show settings with their defaults as well.")
def status(show_all: bool) -> None:
    """Show settings, server and missing uploads.

    Lists each setting in force here and where it comes from, whether the server answers, and which runs are not
    completely uploaded.
    """
    settings = Settings()
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("setting", "value", "from"):
        table.add_column(name, overflow="fold")
    for setting in SETTINGS:
        source = settings.sources[setting.name]
        if show_all or source != "default" or setting.name in ("mode", "project", "entity"):
            value = getattr(settings, setting.name)
            shown = _hidden(value) if setting.name == "api_key" else value
            table.add_row(setting.name, Text(clean(shown)), Text(clean(source)))
    console.print(table)
    client = _server(settings)
    _directories(settings, client)


def _hidden(value: object) -> str:
    return f"{str(value)[:4]}…" if value else "None"


def _server(settings: Settings) -> Client | None:
    try:
        client = connect(settings)
    except SettingsError as error:
        echo(f"\n{error}.")
        return None
    try:
        projects = client.json("GET", "/api/projects").get("projects")
    except ServerError as error:
        echo(f"\nServer: {error}")
        return None
    count = len(projects) if isinstance(projects, list) else 0
    echo(f"\nServer: {client.base_url}, {count} project{'s' if count != 1 else ''}")
    return client


def _directories(settings: Settings, client: Client | None) -> None:
    root = Path(settings.dir or ".") / ".tracker" / "runs"
    directories = sorted(d for d in root.iterdir() if d.is_dir()) if root.is_dir() else []
    waiting, live = [], 0
    for directory in directories:
        live += agent_alive(str(directory))
        if client is not None and not agent_alive(str(directory)) and _lacks(directory, settings, client):
            waiting.append(directory)
    echo(f"Run directories here: {len(directories)}, {live} with an agent at work")
    if waiting:
        shown = " ".join(str(d) for d in waiting[:5]) + (" …" if len(waiting) > 5 else "")
        echo(f"Not on the server yet: {len(waiting)}; tracker sync {shown}")


def _lacks(directory: Path, settings: Settings, client: Client) -> bool:
    try:
        run = read_key(directory, settings.entity, settings.project)
    except ValueError:
        return False
    try:
        offsets = client.offsets(run)["offsets"]
    except ServerError:
        return False
    return any(
        path.stat().st_size > offsets.get(path.name, 0)
        for path in stream_paths(directory)
        if not copied(path.name, offsets)
    )
