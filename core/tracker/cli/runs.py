"""`tracker runs`: print the runs of a project as a table."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import click

from tracker.api import Api, RunReader, read_run
from tracker.errors import NotARun, SettingsError
from tracker.runlog.records import jsonable
from tracker.settings import Settings
from tracker.wire import Filter

from .output import echo, echo_json
from .tables import print_runs

_ORDER = "-created"
_MOST = 8  # projects that are named


@click.command()
@click.argument("path", required=False, metavar="[ENTITY/]PROJECT")
@click.option("--filter", "filters", help="Filter expression, such as 'config.lr < 0.01', or JSON.")
@click.option("--order", default=_ORDER, show_default=True, help="Sort by these columns, such as -summary.acc,created.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="List at most this many runs.")
@click.option("--local", is_flag=True, help="List the run directories here, without a server.")
@click.option("--all", "everywhere", is_flag=True, help="List the newest runs of all projects.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line instead of a table.")
def runs(
    path: str | None, filters: str | None, order: str, limit: int, local: bool, everywhere: bool, as_json: bool
) -> None:
    """List the runs of a project.

    By default it is the project of this directory. Without a server the runs of the run directories here are listed.
    """
    settings = Settings()
    chosen = path is not None or filters or order != _ORDER
    if local and chosen:
        raise click.UsageError("PROJECT, --filter and --order are for runs on a server; leave out --local")
    if everywhere and (path is not None or order != _ORDER):
        raise click.UsageError("--all shows the newest runs of all projects; leave out PROJECT and --order")
    conditions = _conditions(filters or "")
    api = None
    if not local:
        try:
            api = Api()
        except SettingsError:
            if chosen or not _directories(settings):
                raise
    if api is None:
        where, everything = str(_root(settings)), _local(settings)
        found, total = everything[:limit], len(everything)
    elif everywhere:
        where, (found, total) = "all projects", _everywhere(api, conditions, limit)
    else:
        where = path or f"{settings.entity}/{settings.project}"
        query = api.runs(where, conditions, order)
        found, total = list(itertools.islice(query, limit)), len(query)
    if as_json:
        for run in found:
            echo_json(jsonable(run.info))
        return
    if not found:
        place = "" if everywhere else f" in {where}"
        echo(f"No runs{place}." if not filters else f"No runs{place} match the filter.")
        if api is not None and not everywhere:
            _print_projects(api)
        return
    print_runs(found, where)
    if total > len(found):
        echo(f"{total - len(found)} more; --limit {total} shows all.")


def _everywhere(api: Api, conditions: Filter | str, limit: int) -> tuple[list[RunReader], int]:
    """Return the newest runs of all projects, and how many there are."""
    queries = [api.runs(f"{p['entity']}/{p['project']}", conditions) for p in api.projects()]
    found = [run for query in queries for run in itertools.islice(query, limit)]
    found.sort(key=lambda run: -run.info["created"])
    return list(found[:limit]), sum(map(len, queries))


def _print_projects(api: Api) -> None:
    """Print which projects have runs."""
    filled = [project for project in api.projects() if project["runs"]]
    if filled:
        names = ", ".join(f"{p['entity']}/{p['project']} ({p['runs']})" for p in filled[:_MOST])
        echo(f"There are runs in {names}{' …' if len(filled) > _MOST else ''}; `tracker runs --all` shows them.")


def _conditions(text: str) -> Filter | str:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        filters: Filter = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--filter") from None
    if not isinstance(filters, dict):
        raise click.BadParameter("must be an expression or a JSON object", param_hint="--filter")
    return filters


def _root(settings: Settings) -> Path:
    return Path(settings.dir or ".") / ".tracker" / "runs"


def _directories(settings: Settings) -> list[Path]:
    root = _root(settings)
    return [entry for entry in root.iterdir() if entry.is_dir()] if root.is_dir() else []


def _local(settings: Settings) -> list[RunReader]:
    found: list[RunReader] = []
    for directory in _directories(settings):
        try:
            found.append(read_run(directory))
        except NotARun:
            continue
    return sorted(found, key=lambda run: -run.info["created"])
