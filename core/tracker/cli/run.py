"""`tracker run`: track any program as a run."""

from __future__ import annotations

import os
import shutil
import sys

import click

import tracker
from tracker.capture.console_stream import ConsoleStream
from tracker.capture.process import stand_in_for
from tracker.runlog.directory import JOIN
from tracker.sdk.program_event_files import LOOK_EVERY
from tracker.settings import Settings

from .output import echo
from .wrapped_program import WrappedProgram


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--project", help="Project of the run.")
@click.option("--name", help="Name of the run.  [default: random words]")
@click.option("--group", help="Group of the run.")
@click.option("--tag", "tags", multiple=True, help="Tag of the run. Can be repeated.")
@click.argument("command", nargs=-1, required=True, metavar="CMD...", type=click.UNPROCESSED)
def run(
    project: str | None, name: str | None, group: str | None, tags: tuple[str, ...], command: tuple[str, ...]
) -> None:
    """Run a program and track it as a run.

    The run gets its output, exit status and system metrics. A script inside that calls tracker.init() joins the run.
    Ctrl+D at the terminal interrupts the program; again terminates it; again kills it.

    The exit status is the program's (128 + n if signal n ended it), 127 if there is no such program and 126 if it
    cannot be started; then there is no run.
    """
    if shutil.which(command[0]) is None:
        exists = os.path.exists(command[0]) and os.sep in command[0]
        echo(f"Error: {command[0]}: {'not executable' if exists else 'command not found'}", err=True)
        raise SystemExit(126 if exists else 127)
    given = {"project": project, "name": name, "group": group, "tags": list(tags) or None}
    settings = Settings(given)
    if settings.mode == "disabled":
        os.execvp(command[0], command)
    sys.argv = list(command)  # for the run's first line
    stand_in_for(command)
    the_run = tracker.init(**given, settings={"console": "off"})  # type: ignore[arg-type]
    members = {"id": the_run.id, "entity": the_run.entity, "project": the_run.project}
    stream = None
    if settings.console != "off":
        stream = ConsoleStream(the_run.dir, members, int(settings.console_limit * 2**20))
    # This process keeps the output: a script that joins must not keep it again.
    environment = {**os.environ, JOIN: the_run.dir, "TRACKER_CONSOLE": "off"}
    program = WrappedProgram(
        command,
        environment,
        stream.feed if stream is not None else lambda _name, _text: None,
        the_run._look,
        LOOK_EVERY if settings.sync_tensorboard else 5.0,
    )
    try:
        code = program.run()
    except OSError as error:  # an executable file that is not a program
        echo(f"Error: {command[0]}: {error.strerror}", err=True)
        the_run.finish(126, error=error)
        raise SystemExit(126) from None
    if stream is not None:
        stream.close()
    killed = code and (program.stopped or code == 128 + 2)
    the_run.finish(code, state="killed" if killed else None)
    raise SystemExit(code)
