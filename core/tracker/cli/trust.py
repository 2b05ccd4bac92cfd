"""`tracker trust`: let a directory's settings count that decide more than names."""

from __future__ import annotations

import click

from tracker.settings import directory_file, read_file
from tracker.settings import trust as trusted

from .output import echo


@click.command()
@click.option("--undo", is_flag=True, help="Trust the file no longer.")
def trust(undo: bool) -> None:
    """Trust this directory's settings file.

    Without that, a directory's .tracker/settings.toml names projects and describes runs, and its other settings, such
    as the server's address, are left out: it may have come from someone else. Changing the file ends the trust.
    """
    path = directory_file()
    if undo:
        trusted.distrust(path)
        echo(f"{path} is not trusted: only what names and describes runs is taken from it.")
        return
    trusted.trust(path)
    echo(f"{path} is trusted until it changes. It sets:")
    for name, value in read_file(path).items():
        echo(f"  {name} = {'***' if name in ('api_key', 'keys') else value}")
