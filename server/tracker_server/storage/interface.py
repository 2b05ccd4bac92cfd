"""What the server asks of its storage. Written once over SQL (`sql.py` and its neighbours); routes know only this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tracker.names import RunKey
from tracker.runlog.alerts import Alert
from tracker.runlog.fold import RunState
from tracker.wire import (
    ChartQuery,
    CommonKey,
    Folded,
    GroupQuery,
    KeyInfo,
    Notes,
    Project,
    ProjectInfo,
    RowPage,
    RunInfo,
    Series,
    TableColumns,
    TableGroups,
    TablePage,
    TableQuery,
)

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

Kind = Literal["history", "system"]

MAX_LINES = 100_000
"""Lines in one upload: each costs some microseconds, also those that say nothing."""

MAX_EXPRESSION = 1_000_000
"""Characters of an expression."""


class OffsetMismatch(Exception):
    """Lines, or a part of a file, were offered that do not stand where the server's copy ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the server's copy continues at byte {offset}")
        self.offset = offset


class NoSuchRun(LookupError):
    """The run is not on this server."""


class RunDeleted(Exception):
    """The run was deleted on the server: what is left of it elsewhere is not to make it anew."""

    def __init__(self, run: RunKey, when: float) -> None:
        at = datetime.fromtimestamp(when, timezone.utc).isoformat(" ", "seconds")
        super().__init__(
            f"the run {'/'.join(run)} was deleted on the server at {at}, which takes no more of it; what is on disk "
            "stays there. To upload it again: `tracker sync --again DIR`"
        )


class NoSuchProject(LookupError):
    """The project is not on this server."""


class NoSuchView(LookupError):
    """The project has no view of that name."""


class NotesChanged(Exception):
    """The notes are not of the version any more that was to be replaced."""


class StorageFull(Exception):
    """The store could not be written for lack of space; nothing of the batch was kept."""


class TooManyUploads(Exception):
    """More files are being uploaded in parts than the server keeps unfinished; nothing of this part was kept."""


class TooManyLines(ValueError):
    """An upload has more lines than are taken at a time."""


class OverBudget(ValueError):
    """The question costs too much, or nobody waits for its answer any more."""


class ExpressionError(ValueError):
    """What is wrong in an expression, and the characters of the text that it is about: from `position`, `length` of
    them."""

    def __init__(self, problem: str, position: int, length: int) -> None:
        super().__init__(problem)
        self.position, self.length = position, length

    def pointed(self, text: str) -> str:
        """Return the problem with the place in the text marked below it."""
        start = text.rfind("\n", 0, self.position) + 1
        line = text[start:].partition("\n")[0]
        at = self.position - start
        cut = max(0, at - 60)
        marks = " " * (at - cut) + "^" * max(1, min(self.length, 100 - (at - cut), len(line) - at))
        return f"{self}\n  {line[cut : cut + 100]}\n  {marks}"


class Page(NamedTuple):
    """Some of many things, and the cursor for the next ones (None after the last)."""

    items: list[Any]
    cursor: str | None
    total: int


class Appended(NamedTuple):
    """What became of lines: the new offset, the digests that they name, and whether the run is in the trash."""

    offset: int
    digests: list[str]
    trashed: bool


class Line(NamedTuple):
    """One series of a chart: a run's, or a group's with its standard deviation. See `wire.FrameSeries`."""

    source: str
    key: str
    points: int
    x: Array
    mean: Array
    low: Array
    high: Array
    n: Array | None
    std: Array | None = None


class Chart(NamedTuple):
    """Series, and the x that all of those share which are buckets."""

    lines: list[Line]
    grid: Array | None


class ConsolePage(NamedTuple):
    """Some lines, the cursor for the next ones (None after the last), how many there are, the first one's number."""

    items: list[dict[str, Any]]
    cursor: str | None
    total: int
    start: int


class Storage(Protocol):
    """Runs and their metrics. Methods are synchronous and thread-safe; the app calls them in worker threads.

    Exactly once: `append` stores the batch and the stream's new offset in one transaction that is durable before it
    returns.
    """

    def offsets(self, run: RunKey) -> dict[str, int]:
        """How far each stream's copy goes, in bytes; empty for an unknown run."""

    def read(self, stream: str, data: bytes) -> Any:
        """Parse whole lines of a stream for `append`; needs no lock, and takes most of the time.

        Raises ValueError for what will never be accepted, `TooManyLines` for more than are taken at a time.
        """

    def append(self, run: RunKey, stream: str, offset: int, lines: Any) -> Appended:
        """Store whole lines (bytes, or what `read` made of them) that stand at byte `offset` of the stream; make run
        and project on first sight. A run in the trash takes lines like any other.

        Raises `OffsetMismatch`, `RunDeleted`,
        `StorageFull`.
        """

    def digests(self, run: RunKey) -> list[str]:
        """Every digest that records of the run name (files and media)."""

    def names_digest(self, run: RunKey, digest: str) -> bool:
        """Whether a record of the run names the digest; not if the run is unknown."""

    def digests_in_use(self, digests: list[str]) -> set[str]:
        """Those of `digests` that records of any run name. The app deletes the blobs of the others with a run."""

    def append_all(self, batches: Sequence[tuple[RunKey, str, bytes]]) -> None:
        """Store lines that begin new streams of runs that are there, all or none of them. Raises `NoSuchRun`,
        `StorageFull`."""

    def projects(self) -> list[ProjectInfo]: ...

    def project(self, entity: str, project: str) -> Project:
        """Raises `NoSuchProject`, as all that follow do that concern one."""

    def put_notes(self, entity: str, project: str, notes: Notes) -> Notes:
        """Replace notes of that version, or raise `NotesChanged`; returns the new ones."""

    def view(self, entity: str, project: str, name: str) -> Any:
        """A saved view. Raises `NoSuchView`."""

    def put_view(self, entity: str, project: str, name: str, view: Any) -> None: ...

    def delete_view(self, entity: str, project: str, name: str) -> None:
        """Raises `NoSuchView`."""

    def table(self, entity: str, project: str, query: TableQuery) -> TablePage:
        """Rows of the runs table. Raises `ExpressionError` for a bad filter, ValueError for other trouble.

        Columns may be numpy arrays, in which NaN is null.
        """

    def columns(self, entity: str, project: str, search: str = "", wanted: Sequence[str] = ()) -> TableColumns:
        """What columns the runs have; with a search only those whose name has the text, in any case. Those `wanted` by
        name are listed besides, where runs have them. Of many runs the answer may be out of date for about a second.
        """

    def groups(self, entity: str, project: str, query: GroupQuery) -> TableGroups:
        """Runs drawn together. Raises as `table` does."""

    def trash(self, runs: Sequence[RunKey], when: float | None) -> int:
        """Put runs in the trash, or with None take them out; returns how many were not so already.

        Runs in the trash are in no list or count; what is uploaded for them is stored.
        """

    def trashed(self, before: float) -> list[RunKey]:
        """Runs that were put in the trash before a Unix time."""

    def runs(
        self, entity: str, project: str, filters: dict[str, Any] | str, order: str, limit: int, cursor: str | None
    ) -> Page:
        """`RunInfo`s that match; `filters` is an object or an expression.

        `order` is a comma-separated list of names, each with an optional leading `-` or `+`: a `RunInfo` member,
        `config.…` or `summary.…` (dots or slashes go into nested config). Raises ValueError for a bad filter or order.
        """

    def run(self, run: RunKey) -> RunInfo: ...

    def delete(self, run: RunKey) -> None:
        """Forget the run and all its data. Uploads for it raise `RunDeleted` from then on."""

    def readmit(self, run: RunKey) -> None:
        """Let a deleted run be uploaded anew. Raises `NoSuchRun` if none of this name was deleted."""

    def is_deleted(self, run: RunKey) -> None:
        """Raise `RunDeleted` if the run was deleted."""

    @property
    def has_deferred_work(self) -> bool:
        """Whether any work was put off. Takes no time, in any thread."""

    def prepare_deferred_work(self) -> bool:
        """Read what the next piece of work needs that was put off, so that `tidy` is short; returns whether there is
        anything to do. To be called by one thread at a time, and not beside `tidy`.
        """

    def do_deferred_work(self) -> bool:
        """Do a piece of what was put off, such as removing the rows of deleted runs; returns whether there is more."""

    def keys(self, run: RunKey, kind: Kind) -> list[KeyInfo]:
        """What a run has logged, in the order of first sight."""

    def common_keys(self, runs: Sequence[RunKey], kind: Kind) -> list[CommonKey]:
        """What some runs have logged together; runs that are not there have logged nothing."""

    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage:
        """Every row in the order of FORMAT.md; with `keys`, only rows that have one of them."""

    def series(self, query: ChartQuery) -> list[Series]:
        """Points or exact min/max/mean envelopes for charts."""

    def chart(self, query: ChartQuery) -> Chart:
        """The same for runs, or for groups of runs, where all that is bucketed shares one x."""

    def console(
        self, run: RunKey, limit: int, cursor: str | None = None, start: int | None = None, only: str | None = None
    ) -> ConsolePage:
        """Lines as {"time", "stream", "text"}, in the order of streams and their lines.

        Lines are numbered from 0; `start` is a number, counted from the end if it is negative. `only` leaves the lines
        of stdout or stderr, which are then numbered by themselves; they have no cursor. Raises ValueError.
        """

    def console_search(
        self, run: RunKey, wanted: str, regex: bool, after: int, limit: int, only: str | None = None
    ) -> tuple[list[int], int | None]:
        """The numbers, greater than `after`, of lines with the text (in any case) or the RE2 pattern once escape
        sequences are left out; and the number to go on after, None at the end. Raises ValueError.
        """

    def fold(self, run: RunKey) -> RunState:
        """What the records of a run add up to."""

    def folded(self, run: RunKey) -> Folded:
        """What a copy of the run needs beside its rows, console lines and contents, all as of one moment."""

    def stop_requested(self, run: RunKey) -> float | None:
        """When the run's last processes were asked to stop, None if they were not; costs the same for every run."""

    def alerts(self, run: RunKey) -> list[Alert]:
        """What the run called out, the newest 100."""

    def files(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """By name: digest, size, time of the named files."""

    def close(self) -> None: ...


class Blobs(Protocol):
    """Content-addressed files. A blob is visible only whole and verified."""

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Store; returns the size. Raises ValueError if the content's sha256 is not `digest` (nothing is kept)."""

    async def reached(self, digest: str, size: int) -> tuple[int, bool]:
        """How many bytes are there of content of `size` bytes that comes in parts, and whether it is stored whole."""

    async def extend(self, digest: str, offset: int, size: int, part: bytes) -> tuple[int, bool]:
        """Take in a part of content of `size` bytes; the part with the last of them completes it once its sha256 is
        verified, which may take longer than this call: an empty part at the end asks again. Returns as `reached` does.

        Raises `OffsetMismatch` if the part is not the next one, ValueError if the sha256 of the whole is not `digest`
        (nothing is kept then), `TooManyUploads`, `StorageFull`.
        """

    async def has(self, digests: list[str]) -> set[str]: ...

    async def get(self, digest: str, start: int = 0, end: int | None = None) -> tuple[int, AsyncIterator[bytes]]:
        """Size of the whole, and content from `start` up to but without `end`. Raises LookupError, ValueError if there
        is nothing at `start`."""

    async def delete(self, digests: list[str]) -> None: ...

    async def older(self, before: float) -> list[str]:
        """The digests of what was stored before a Unix time."""
