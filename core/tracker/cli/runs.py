"""`tracker runs`: the runs of a project as a table."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import click

from tracker.api import Api, RunReader, read_run
from tracker.errors import NotARun
from tracker.runlog.records import jsonable
from tracker.settings import Settings
from tracker.wire import Filter

from .output import echo, echo_json
from .tables import print_runs

_ORDER = "-created"


@click.command()
@click.argument("path", required=False, metavar="[ENTITY/]PROJECT")
@click.option("--filter", "filters", help="An expression, such as 'config.lr < 0.01', or JSON.")
@click.option("--order", default=_ORDER, show_default=True, help="For example -summary.acc,created.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="At most this many runs.")
@click.option("--local", is_flag=True, help="The run directories of this directory, with no server.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of the table.")
def runs(path: str | None, filters: str | None, order: str, limit: int, local: bool, as_json: bool) -> None:
    """Show the runs of a project (by default this directory's)."""
    settings = Settings()
    path = path or f"{settings.entity}/{settings.project}"
    if local and (filters or order != _ORDER):
        raise click.UsageError("--filter and --order are for runs on a server; leave out --local")
    conditions = _conditions(filters or "")
    if local:
        found, total = list(itertools.islice(_local(settings), limit)), len(list(_local(settings)))
    else:
        query = Api().runs(path, conditions, order)
        found, total = list(itertools.islice(query, limit)), len(query)
    if as_json:
        for run in found:
            echo_json(jsonable(run.info))
        return
    where = str(Path(settings.dir or ".") / ".tracker" / "runs") if local else path
    if not found:
        echo(f"No runs in {where}." if not filters else f"No runs in {where} match the filter.")
        return
    print_runs(found, where)
    if total > len(found):
        echo(f"{total - len(found)} more; --limit {total} shows all.")


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


def _local(settings: Settings) -> Iterator[RunReader]:
    root = Path(settings.dir or ".") / ".tracker" / "runs"
    found = []
    for directory in root.iterdir() if root.is_dir() else []:
        try:
            found.append(read_run(directory))
        except NotARun:
            continue
    return iter(sorted(found, key=lambda run: -run.info["created"]))
