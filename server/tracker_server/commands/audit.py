"""`tracker server audit`: show who did what."""

from __future__ import annotations

import itertools
import re
import time
from datetime import datetime

import click

from tracker_server.access import audit_log, entities

from .data_directory import Data, everything, moment, on_data, text

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _since(_context: click.Context, _option: click.Parameter, given: str | None) -> float | None:
    """Return a time in Unix seconds: `30m`, `12h`, `7d` or `2w` ago, or a date such as `2026-01-31T14:00`."""
    if given is None:
        return None
    if found := re.fullmatch(r"(\d{1,6})([mhdw])", given):
        return time.time() - int(found[1]) * _UNITS[found[2]]
    try:
        return datetime.fromisoformat(given).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{given!r} must read like 12h, 7d or 2026-01-31") from None


@click.command()
@click.option("--entity", metavar="NAME", help="Only what concerns this account or team.")
@click.option("--search", default="", metavar="TEXT", help="Only entries that contain this.")
@click.option("--since", callback=_since, metavar="TIME", help="Only entries from then on: 12h, 7d or 2026-01-31.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="Most entries to print.")
@on_data
def audit(data: Data, entity: str | None, search: str, since: float | None, limit: int) -> None:
    """Show who did what, when and from where, the newest first."""
    with data.reading() as connection:
        concerned = None if entity is None else entities.find(connection, entity)
        only = None if entity is None else [entity if concerned is None else concerned.name]
        newest = everything(lambda part: audit_log.listed(connection, part, only), search)
        recent = itertools.takewhile(lambda entry: since is None or entry.time >= since, newest)
        found = [entry._asdict() for entry in itertools.islice(recent, limit)]
    columns = {"time": moment, "actor": text, "action": text, "entity": text, "subject": text, "address": text}
    data.show_list(found, columns)
