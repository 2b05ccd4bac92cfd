"""`tracker tensorboard-export`: write runs as event files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import tracker
from tracker.errors import NotARun, TrackerError
from tracker.terminal import clean

from .export import AnyRun, Exporter, ExportResult
from .report import limited, plural


@click.command("tensorboard-export")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.argument("outdir", type=click.Path(path_type=Path, file_okay=False), metavar="OUTDIR")
@click.option("--add", is_flag=True, help="Allow an OUTDIR that is not empty; its files stay.")
def tensorboard_export(runs: tuple[str, ...], outdir: Path, add: bool) -> None:
    """Export runs as TensorBoard event files.

    Each run goes to a directory below OUTDIR that has the run's name. RUN is `entity/project/id` on the server, or a
    run directory.

    The exit status is 0 if everything was written, 1 if something was not, and 2 if the usage is wrong.
    """
    if not add and outdir.exists() and any(outdir.iterdir()):
        raise click.UsageError(
            f"{outdir} is not empty; choose a new directory, or pass --add to keep its files and add to them"
        )
    outdir = outdir.expanduser()
    export, remarks, failed = Exporter(outdir), list[str](), list[str]()
    written = 0
    for given in dict.fromkeys(runs):
        try:
            run = _open(given)
            exported = export.write(run)
        except (TrackerError, OSError) as error:
            failed.append(f"failed: {given}: {error}")
            continue
        written += 1
        remarks += _remarks(run, exported)
        numbers = f"{plural(exported.scalars, 'scalar')}, {exported.media:,} media"
        click.echo(f"{clean(run.name)}: {numbers} in {outdir / exported.directory.relative_to(outdir.absolute())}")
    for sort in ("left out", "rounded"):
        for line in limited([line for line in remarks if line.startswith(f"{sort}: ")]):
            click.echo(clean(line))
    for line in failed:
        click.echo(clean(line), err=True)
    if written:
        click.echo(f"{plural(written, 'run')} in {outdir}; to see them: tensorboard --logdir {outdir}")
    if failed or any(line.startswith("left out: ") for line in remarks):
        click.get_current_context().exit(1)


def _open(given: str) -> AnyRun:
    """Return the run that `given` names. Raises `TrackerError`."""
    path = Path(given).expanduser()
    if path.exists():
        try:
            return tracker.read_run(path)
        except NotARun as error:
            raise click.UsageError(str(error)) from None
    names = given.strip("/").split("/")
    if len(names) not in (2, 3) or not all(names):
        raise click.UsageError(f"{given} is neither a run directory nor a run on the server (entity/project/id)")
    return tracker.Api().run(given)


def _remarks(run: AnyRun, exported: ExportResult) -> Iterator[str]:
    for (tag, reason), count in exported.left_out.items():
        yield f"left out: {run.name}: {tag}: {plural(count, 'value')}: {reason}"
    if exported.rounded:
        yield f"rounded: {run.name}: {plural(exported.rounded, 'scalar')} to float32, the precision of event files"
