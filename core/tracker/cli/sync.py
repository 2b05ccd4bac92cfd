"""`tracker sync`: upload run directories."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from tracker.agent.sync import Sync, Synced, total_size
from tracker.agent.upload_retries import GONE, UNKNOWN_KEY, kept_here
from tracker.errors import NotARun, ServerError, Unreachable
from tracker.runlog.reader import run_directories
from tracker.settings import Settings
from tracker.terminal import clean

from .output import echo
from .paths import PathArgument


@click.command()
@click.argument("directories", nargs=-1, metavar="[DIR]...", type=PathArgument())
@click.option("--again", is_flag=True, help="Upload runs again that were deleted on the server.")
def sync(directories: tuple[Path, ...], again: bool) -> None:
    """Upload run directories.

    DIR is a run directory, live or finished, from this or another machine; or a directory in which runs were started,
    for all its runs. Without DIR: all runs of this directory (.tracker/runs/*). Safe to repeat: what the server has is
    not sent again.

    The exit status is 0 if everything has arrived, 1 if something is left, 2 for wrong usage.
    """
    settings = Settings()
    root = Path(settings.dir or ".") / ".tracker" / "runs"
    named = dict.fromkeys(run for directory in directories for run in run_directories(directory))
    chosen = list(named) or (sorted(d for d in root.iterdir() if d.is_dir()) if root.is_dir() else [])
    if not chosen:
        raise click.UsageError(f"there are no runs in {root}; name run directories to upload")
    tasks: dict[Path, TaskID] = {}
    files: dict[tuple[Path, str], TaskID] = {}

    def content(directory: Path, name: str, sent: int, size: int) -> None:
        if (directory, name) not in files:
            files[directory, name] = progress.add_task(f"  {clean(name)}", total=size)
        progress.update(files[directory, name], completed=sent)

    uploads = Sync(settings, lambda directory, size: progress.update(tasks[directory], completed=size), content, again)
    failed = 0
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        _SpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        for directory in chosen:
            task = tasks[directory] = progress.add_task(clean(directory.name), total=None)
            try:
                progress.update(task, total=total_size(directory) if directory.is_dir() else None)
                done = uploads.upload(directory)
                progress.update(task, completed=done.size, total=done.size)
                failed += _report(progress, directory, done)
            except NotARun as error:
                _print(progress, error, "red")
                failed += 1
            except Unreachable as error:
                progress.stop()
                raise click.ClickException(f"{error}; nothing is lost, run the same command again later") from None
            except ServerError as error:
                if error.status == UNKNOWN_KEY:  # it would refuse the others as well
                    progress.stop()
                    raise click.ClickException(
                        f"{error}; nothing is lost: set another key with `tracker login`, then run this command again"
                    ) from None
                gone = error.status == GONE
                text = f"the run was deleted on the server. {kept_here(directory)}" if gone else str(error)
                _print(progress, f"{directory}: {text}", "red")
                failed += 1
            except OSError as error:
                _print(progress, f"{directory}: {error}", "red")
                failed += 1
    if failed:
        raise click.ClickException(f"{failed} of {len(chosen)} run directories did not arrive completely")
    echo(f"{len(chosen)} run{'s are' if len(chosen) != 1 else ' is'} on {uploads.url}")


class _SpeedColumn(TransferSpeedColumn):
    """The speed, once there is one."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.finished_speed or task.speed else Text("")


def _print(progress: Progress, text: object, style: str) -> None:
    progress.console.print(Text(clean(text), style=style))


def _report(progress: Progress, directory: Path, done: Synced) -> bool:
    """Print what did not arrive; return whether anything did not."""
    for name, reason in done.refused.items():
        _print(progress, f"{directory / name}: refused ({reason})", "red")
    for glob in done.elsewhere:
        text = f"{directory}: {glob} can only be taken on the machine of the run, by the user who started it"
        _print(progress, text, "yellow")
    if done.absent:
        _print(progress, f"{directory}: {len(done.absent)} files that the run names are not here", "red")
    return bool(done.refused or done.absent)
