"""`tracker export`: put runs into one file."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.api.resolve_run import find_run
from tracker.export import Exported, export_runs

from .output import echo
from .paths import PathArgument

_MOST = 5  # names that are shown


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.argument("file", metavar="FILE", type=PathArgument())
@click.option("--parquet", is_flag=True, help="Export only their history, as a Parquet table.")
def export(runs: tuple[str, ...], file: Path, parquet: bool) -> None:
    """Export runs to a zip or Parquet file.

    FILE.zip contains everything of the runs; `tracker import` and `tracker restore` read it anywhere.

    RUN is entity/project/id on the server, a run directory or its id, or another exported file (FILE/ID).
    """
    ending = ".parquet" if parquet else ".zip"
    if file.suffix != ending:
        raise click.UsageError(f"the last argument is the file to write, and must end in {ending}; it is {file}")
    found = [find_run(run) for run in runs]
    try:
        if parquet:
            from tracker.api.arrow import write_parquet

            rows = write_parquet(file, found)
            echo(f"{rows:,} rows of {_count(len(found), 'run')} are in {file}")
            return
        for exported in export_runs(file, found):
            _report(exported)
    except (OSError, ImportError) as error:
        raise click.ClickException(str(error)) from None
    echo(f"{_count(len(found), 'run')} in {file} ({_size(file.stat().st_size)})")


def _report(exported: Exported) -> None:
    packed, missing = exported
    streams = sum(entry.name.endswith(".jsonl") for entry in packed.entries)
    size = sum(entry.size for entry in packed.entries)
    files = len(packed.entries) - streams
    echo(f"{packed.run}: {_count(streams, 'stream')}, {_count(files, 'file')}, {_size(size)}")
    if missing:
        shown = ", ".join(missing[:_MOST]) + (" …" if len(missing) > _MOST else "")
        echo(f"  the server lacks the content of {_count(len(missing), 'file')}: {shown}")
    for name, reason in packed.left_out.items():
        echo(f"  {name} is left out: {reason}")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
