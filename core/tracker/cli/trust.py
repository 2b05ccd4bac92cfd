"""`tracker trust`: let all settings of a directory's settings file take effect."""

from __future__ import annotations

import click

from tracker.settings import directory_file, read_file
from tracker.settings import trust as trusted

from .output import echo


@click.command()
@click.option("--undo", is_flag=True, help="Stop trusting the file.")
def trust(undo: bool) -> None:
    """Trust this directory's settings file.

    Without trust, only settings that name projects and describe runs are taken from .tracker/settings.toml. Others,
    such as the server's address, are ignored: the file may come from someone else. Changing the file ends the trust.
    """
    path = directory_file()
    if undo:
        trusted.distrust(path)
        echo(f"{path} is not trusted: only settings that name and describe runs are taken from it.")
        return
    trusted.trust(path)
    echo(f"{path} is trusted until it changes. It sets:")
    for name, value in read_file(path).items():
        echo(f"  {name} = {'***' if name in ('api_key', 'keys') else value}")
