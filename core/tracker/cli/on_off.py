"""`tracker on` and `tracker off`: turn tracking on or off in the working directory."""

from __future__ import annotations

import click

from tracker.settings import directory_file, write_directory_file

from .output import echo


@click.command()
def on() -> None:
    """Turn tracking on in this directory."""
    path = directory_file()
    if path.exists():
        write_directory_file(path, {"mode": None})
    echo("Tracking is on in this directory.")


@click.command()
def off() -> None:
    """Turn tracking off in this directory.

    Scripts run as they are; calls of tracker do nothing.
    """
    write_directory_file(directory_file(), {"mode": "disabled"})
    echo("Tracking is off in this directory; `tracker on` turns it on again.")
