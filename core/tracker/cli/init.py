"""`tracker init`: set the project of the working directory."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.machine.paths import working_directory
from tracker.names import NAME_RULE, is_project_name, normal_name
from tracker.settings import directory_file, read_file, write_directory_file
from tracker.settings.parsing import cleaned

from .output import echo


@click.command()
@click.option("--project", help="Project of runs that start here; asked for if missing.")
@click.option("--entity", help="Account or team that owns the project.  [default: your account, else your login name]")
def init(project: str | None, entity: str | None) -> None:
    """Set the project of this directory."""
    path = directory_file()
    former = read_file(path).get("project")
    if project is None:
        project = click.prompt("Project", default=former or _from_directory())
    given = {"project": cleaned(project) or "", "entity": cleaned(entity)}
    named = {name: normal_name(value) for name, value in given.items() if value is not None}
    for name, value in named.items():
        if not is_project_name(value):
            raise click.BadParameter(f"{value!r} {NAME_RULE}", param_hint=f"--{name}")
    write_directory_file(path, named)
    echo(f"Runs started in this directory go to project {named['project']} ({path}).")


def _from_directory() -> str:
    name = normal_name(Path(working_directory()).name.lstrip("."))
    return name if is_project_name(name) else "uncategorized"
