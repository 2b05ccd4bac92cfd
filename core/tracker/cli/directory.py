"""`tracker init`, `on` and `off`: settings of the working directory."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.runlog.records import PROJECT_NAME
from tracker.settings import directory_file, read_file, write_directory_file


@click.command()
@click.option("--project", help="The project of runs that are started here.")
@click.option("--entity", help="The user or team that owns the project; by default your login name.")
def init(project: str | None, entity: str | None) -> None:
    """Set the project of this directory."""
    path = directory_file()
    former = read_file(path).get("project")
    if project is None:
        project = click.prompt("Project", default=former or _from_directory())
    for name, value in (("project", project), ("entity", entity)):
        if value is not None and not PROJECT_NAME.fullmatch(value):
            raise click.BadParameter(
                f"{value!r} must be 1–128 letters, digits, spaces or _ . - and not start with a dot",
                param_hint=f"--{name}",
            )
    write_directory_file(path, {"project": project, **({"entity": entity} if entity else {})})
    click.echo(f"Runs started in this directory go to project {project} ({path}).")


@click.command()
def on() -> None:
    """Track runs that are started in this directory (undoes `tracker off`)."""
    path = directory_file()
    if path.exists():
        write_directory_file(path, {"mode": None})
    click.echo("Tracking is on in this directory.")


@click.command()
def off() -> None:
    """Track nothing that is started in this directory: scripts run as they are, calls do nothing."""
    write_directory_file(directory_file(), {"mode": "disabled"})
    click.echo("Tracking is off in this directory; `tracker on` turns it on again.")


def _from_directory() -> str:
    name = Path.cwd().name.lstrip(".")
    return name if PROJECT_NAME.fullmatch(name) else "uncategorized"
