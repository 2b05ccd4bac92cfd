"""`tracker import`: import runs from a file that `tracker export` wrote."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.export import import_runs
from tracker.settings import Settings

from .output import echo
from .paths import PathArgument


@click.command("import")
@click.argument("file", metavar="FILE", type=PathArgument(exists=True, dir_okay=False))
def import_(file: Path) -> None:
    """Import runs from an exported file.

    They become run directories here; `tracker sync` uploads them. Safe to repeat: only what is missing is added.
    """
    root = Path(Settings().dir or ".") / ".tracker" / "runs"
    try:
        imported = import_runs(file, root)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    for one in imported:
        echo(f"{one.run} is in {one.directory}{'' if one.new else ' already'}")
    if any(one.new for one in imported):
        echo("`tracker sync` uploads them.")
