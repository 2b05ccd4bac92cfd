"""What the commands share: the database of a data directory, its errors, and output for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from tracker.cli.output import echo, echo_json
from tracker.machine.paths import absolute
from tracker_server.access.database import AccessDatabase
from tracker_server.access.errors import Conflict, Forbidden, Missing, Refused
from tracker_server.access.paging import MAX_PAGE, Page, Part
from tracker_server.places import DATABASE, CannotServe, default_directory, noted_url
from tracker_server.storage.database import connect
from tracker_server.storage.database_file import UnusableDatabase
from tracker_server.storage.interface import StorageFull

T = TypeVar("T")


class Data:
    """The data directory that a command works on, and how it prints its result."""

    def __init__(self, directory: Path, as_json: bool) -> None:
        self.directory = directory
        self.as_json = as_json

    @contextmanager
    def changing(self, create: bool = False) -> Iterator[sa.Connection]:
        """Return a connection that changes; a running server notices the change within half a second.

        With `create`, a directory without a database gets one.
        """
        with self._database(create) as database, database.changing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Return a connection that sees one state of the database."""
        with self._database(create=False) as database, database.reading() as connection:
            yield connection

    @contextmanager
    def _database(self, create: bool) -> Iterator[AccessDatabase]:
        path = self.directory / DATABASE
        if create:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        elif not path.exists():
            raise click.ClickException(f"there is no server's data in {self.directory}: name its directory with --dir")
        engine = connect(f"sqlite:///{path.resolve()}")
        try:
            yield AccessDatabase(engine)
        finally:
            engine.dispose()

    def show(self, result: Mapping[str, Any], *lines: str) -> None:
        """Print the result as one JSON object, or these lines for people."""
        if self.as_json:
            echo_json(result)
        else:
            for line in lines:
                echo(line)

    def show_list(self, results: Iterable[Mapping[str, Any]], columns: Mapping[str, Callable[[Any], str]]) -> None:
        """Print the results as a JSON list, or as a table: `columns` turns each member into text."""
        found = list(results)
        if self.as_json:
            echo_json(found)
            return
        rows = [list(columns), *([show(one[name]) for name, show in columns.items()] for one in found)]
        widths = [max(len(row[number]) for row in rows) for number in range(len(columns))]
        for row in rows:
            echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def url(self, given: str | None) -> str:
        """Return the address at which people reach the server: as given, else as the server has noted it."""
        return (given or noted_url(self.directory) or "http://127.0.0.1:8787").rstrip("/")


def on_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options `--dir` and `--json`, and its function a `Data` as the first argument.

    What can go wrong is printed as one line, and the exit status is 1.
    """

    @click.option(
        "--dir",
        "directory",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="TRACKER_SERVER_DIR",
        help="The server's data directory.  [default: ~/.local/share/tracker]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.pass_context
    def run(context: click.Context, /, directory: Path | None, as_json: bool, **options: Any) -> None:
        try:
            chosen = directory or _of_parents(context) or default_directory()
            command(Data(Path(absolute(chosen)), as_json), **options)
        except (Conflict, Forbidden, Missing, Refused, StorageFull, UnusableDatabase, CannotServe) as error:
            raise click.ClickException(str(error)) from None
        except sa.exc.OperationalError as error:  # such as a database that stays locked
            raise click.ClickException(f"the database cannot be used: {error.orig}") from None

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def everything(read: Callable[[Part], Page[T]], search: str = "") -> Iterator[T]:
    """Yield all entries of a list that is read in parts."""
    cursor: str | None = None
    while True:
        page = read(Part(search, cursor, MAX_PAGE))
        yield from page.rows
        if page.cursor is None:
            return
        cursor = page.cursor


def text(value: object) -> str:
    """Return a value as a cell of a table."""
    return "–" if value is None or value == "" else str(value)


def moment(value: float | None) -> str:
    """Return a time as a cell of a table, in the local time zone."""
    return "–" if value is None else f"{datetime.fromtimestamp(value):%Y-%m-%d %H:%M}"


def size(value: int | None) -> str:
    """Return a number of bytes as a cell of a table."""
    return "–" if value is None else f"{value:,}"


def quota_bytes(_context: click.Context, _option: click.Parameter, given: str | None) -> int | None:
    """Return a quota such as `500 MB`, `20GiB` or `none` in bytes: -1 for `none`, None if it is not given."""
    if given is None:
        return None
    plain = given.strip().lower()
    if plain == "none":
        return -1
    number = plain.rstrip("bkmgti ")
    try:
        return int(float(number) * _UNITS[plain[len(number) :].strip()])
    except (KeyError, ValueError, OverflowError):
        raise click.BadParameter(f"{given!r} must read like 500MB, 20GB or none") from None


_UNITS = {"": 1, "b": 1} | {
    f"{letter}{ending}": base ** (power + 1)
    for power, letter in enumerate("kmgt")
    for ending, base in (("", 1000), ("b", 1000), ("i", 1024), ("ib", 1024))
}


def _of_parents(context: click.Context) -> Path | None:
    """Return the directory that stands before the name of the command: `tracker server --dir DIR account list`."""
    parent = context.parent
    while parent is not None:
        if (found := parent.params.get("directory")) is not None:
            return Path(found)
        parent = parent.parent
    return None
