"""`tracker restore`: restore a run's code, files and command."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import click

from tracker.api.resolve_run import find_run
from tracker.restoring import Restored
from tracker.restoring import restore as restore_run
from tracker.restoring.rerun_command import has_secrets, quote
from tracker.restoring.restore import DETAILS
from tracker.terminal import clean

from .output import echo
from .paths import PathArgument

_MOST = 8  # names that are shown


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--dir", "directory", type=PathArgument(), help="Directory to create.  [default: restored-ID]")
@click.option(
    "--repository",
    type=PathArgument(exists=True, file_okay=False),
    help="Git repository with the commit.  [default: the one here, or the run's]",
)
@click.option("--fetch", is_flag=True, help="Clone the run's remote if no repository here has the commit.")
@click.option("--without-git", is_flag=True, help="Restore only the files stored with the run.")
def restore(run: str, directory: Path | None, repository: Path | None, fetch: bool, without_git: bool) -> None:
    """Restore a run's code, files and command.

    A new directory gets the run's commit with its changes, its untracked files, config and requirements. The command
    that runs it again is shown, not started.

    RUN is entity/project/id on the server, a run directory or its id, or a file that `tracker export` wrote (FILE/ID if
    it contains several runs).
    """
    found = find_run(run)
    repositories = [path for path in (repository, Path.cwd()) if path is not None]
    try:
        made = restore_run(found, directory or Path(f"restored-{found.id}"), repositories, fetch, not without_git)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    echo(f"Restored {clean(found.path)} to {_shown(made.directory)}\n")
    _print_parts(made, without_git)
    _print_missing(made)
    _print_command(made)


def _print_parts(made: Restored, without_git: bool) -> None:
    git = made.environment.get("git") or {}
    if made.commit is not None:
        branch = f", of branch {clean(git['branch'])}" if git.get("branch") else ""
        _print("commit", f"{made.commit[:12]}{branch}, in {clean(made.origin)}")
    elif git and not without_git:
        _print("commit", "none yet; a new repository")
    if made.patched:
        _print("changes", "applied, not committed")
    for what, paths in (("untracked", made.untracked), ("code", made.code)):
        if paths:
            _print(what, _names(paths))
    _print("details", f"{DETAILS}/: {_names([path.rpartition('/')[2] for path in made.details])}")
    submodules = git.get("submodules")
    if submodules and made.commit is not None:
        _print("submodules", f"not checked out (git submodule update --init): {_names(list(submodules))}")


def _print_missing(made: Restored) -> None:
    left_out = made.environment.get("left_out")
    reasons = {clean(name): clean(reason) for name, reason in (left_out or {}).items()}
    lines = [f"{name}: {reason}" for name, reason in reasons.items()]
    git = made.environment.get("git") or {}
    if git.get("dirty") and not made.patched and made.commit is not None:
        lines.insert(0, "tracked files had changes that were not kept")
    lines += [f"{clean(name)}: not available; it may be only in the run's own directory" for name in made.absent]
    lines += [f"{clean(name)}: not written, {clean(reason)}" for name, reason in made.refused.items()]
    if lines:
        echo("\nNot restored:")
        for line in lines[:_MOST]:
            echo(f"  {line}")
        if len(lines) > _MOST:
            echo(f"  … and {len(lines) - _MOST} more; {DETAILS}/environment.json has all")


def _print_command(made: Restored) -> None:
    about = made.environment
    if made.command is None:
        echo("\nThe command that started it is not known.")
        return
    its, ours = clean(about.get("python", "?")), platform.python_version()
    echo(f"\nTo run it again{'' if its == ours else f' (it ran with Python {its}, this is {ours})'}:\n")
    where = made.working_directory or made.directory
    echo(f"  cd {quote(_shown(where))}")
    if f"{DETAILS}/requirements.txt" in made.details:
        requirements = os.path.relpath(made.directory / DETAILS / "requirements.txt", where)
        echo(f"  pip install -r {quote(requirements)}")
    echo(f"  {made.command}")
    if made.working_directory is None:
        echo(f"\nIt was started in {clean(about.get('cwd'))}, outside of its repository.")
    if has_secrets(about):
        echo("\n*** stands for a secret that was not kept.")


def _print(what: str, text: str) -> None:
    echo(f"  {what:<10}  {text}")


def _names(names: list[str]) -> str:
    shown = ", ".join(map(clean, names[:_MOST]))
    return shown if len(names) <= _MOST else f"{shown} and {len(names) - _MOST} more"


def _shown(path: Path) -> str:
    """Return a path relative to the working directory, unless it is far from there."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../..") else relative
