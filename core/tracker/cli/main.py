"""Run the `tracker` command: find the installed sub-commands and report errors."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from tracker.errors import TrackerError
from tracker.terminal import clean

from .output import echo

GROUP = "tracker.commands"

_SERVER = ("server", "ui")


class Commands(click.Group):
    """Loads a sub-command when it is called, so that `tracker on` does not import what `tracker server` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return all installed sub-commands."""
        return sorted(_installed())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a sub-command; one whose package lacks a dependency is replaced by a command that says so."""
        entry = _installed().get(cmd_name)
        if entry is None:
            return None
        try:
            command: click.Command = _ours(entry).load()
        except ImportError as error:
            return _missing(cmd_name, error)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command, and clean its error texts: they may contain names and messages of others."""
        try:
            return super().invoke(ctx)
        except ImportError as error:
            name = ctx.invoked_subcommand
            if name not in _SERVER:  # these import what serving needs only when they serve
                raise
            raise click.ClickException(_needs(name, error)) from None
        except click.ClickException as error:
            error.message = clean(error.message, lines=True)  # type: ignore[misc]
            raise


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _ours(entry: EntryPoint) -> EntryPoint:
    """Return an entry point that leads to our own module, even if `tracker` is somebody else's."""
    root = str(__package__).partition(".")[0]  # of `python -m`, too
    first, dot, rest = entry.value.partition(".")
    return EntryPoint(entry.name, f"{root}{dot}{rest}", entry.group) if first == "tracker" else entry


def _needs(name: str, error: ImportError) -> str:
    package = f"tracker-runs[{_extra(name)}]"
    return f"`tracker {name}` needs a package that is not installed ({error}): pip install '{package}'"


def _extra(name: str) -> str:
    return "server" if name in _SERVER else name.partition("-")[0]


def _missing(name: str, error: ImportError) -> click.Command:
    def complain(**_: Any) -> None:
        raise click.ClickException(_needs(name, error))

    return click.Command(
        name,
        callback=complain,
        help=f"Not installed: needs tracker-runs[{_extra(name)}].\n\n{error}.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tracker-runs", prog_name="tracker")
def cli() -> None:
    """Experiment tracking that training never notices."""


def main() -> None:
    """Run the command line. Print errors that tracker raises on purpose without a traceback, and exit with status 1."""
    try:
        cli(prog_name="tracker")
    except TrackerError as error:
        text = str(error)
    except OSError as error:
        text = _about(error)
    else:
        return
    echo(f"Error: {text}", err=True)
    sys.exit(1)


def _about(error: OSError) -> str:
    try:
        os.getcwd()
    except OSError:
        return "the working directory was deleted; change to another one with `cd`"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


if __name__ == "__main__":
    main()
