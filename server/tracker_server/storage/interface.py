"""The interface of the storage, which routes depend on; `sql.py` and its neighbours implement it over SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tracker.names import RunKey
from tracker.runlog.alerts import Alert
from tracker.runlog.fold import RunState
from tracker.wire import (
    ChartQuery,
    Comment,
    CommonKey,
    Folded,
    GroupQuery,
    KeyInfo,
    ProjectInfo,
    Report,
    ReportContent,
    Resumption,
    RowPage,
    RunInfo,
    Series,
    StoredProject,
    TableColumns,
    TableGroups,
    TablePage,
    TableQuery,
)

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

Kind = Literal["history", "system"]

Visibility = Literal["private", "internal"]
"""Who reads a project: the members of its entity, or every account."""

MAX_LINES = 100_000
"""Lines in one upload: each costs some microseconds, even an empty one."""

MAX_EXPRESSION = 1_000_000
"""Most characters of a filter expression."""


class OffsetMismatch(Exception):
    """Lines or a part of a file do not begin where the server's copy ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the server's copy continues at byte {offset}")
        self.offset = offset


class NoSuchRun(LookupError):
    """The run is not on this server."""


class RunDeleted(Exception):
    """The run was deleted on the server, and uploads must not create it again."""

    def __init__(self, run: RunKey, when: float) -> None:
        at = datetime.fromtimestamp(when, timezone.utc).isoformat(" ", "seconds")
        super().__init__(
            f"the run {'/'.join(run)} was deleted on the server at {at}, so uploads of it are refused; local files "
            "are kept. To upload it again: `tracker sync --again DIR`"
        )


class NoSuchProject(LookupError):
    """The project is not on this server."""


class NameTaken(Exception):
    """Another project or run has the name; nothing was changed."""


class NamesChanged(Exception):
    """The entity was renamed or removed a moment ago, and whoever asks does not know yet; nothing was changed."""


class CopyStopped(Exception):
    """A copy was not completed, since the server stops; nothing is left of it."""

    def __init__(self) -> None:
        super().__init__("the server stops: copy the project again later")


class NoSuchView(LookupError):
    """The project has no view of that name."""


class NoSuchReport(LookupError):
    """The project has no report of that id, or the report no such version."""


class NoSuchComment(LookupError):
    """There is no such comment."""


class ReportChanged(Exception):
    """The report has a newer version than the one to replace: `current`."""

    def __init__(self, current: Report) -> None:
        super().__init__("somebody else has changed the report: compare your changes with theirs, and save again")
        self.current = current


class StorageFull(Exception):
    """There is no space left; nothing of the batch was stored."""


class TooManyUploads(Exception):
    """There are too many unfinished uploads; nothing of this part was stored."""


class TooManyLines(ValueError):
    """An upload has more than `MAX_LINES` lines."""


class OverBudget(ValueError):
    """The query takes too long, or its client has disconnected."""


class ExpressionError(ValueError):
    """An invalid filter expression; the error is in the `length` characters from `position` on."""

    def __init__(self, problem: str, position: int, length: int) -> None:
        super().__init__(problem)
        self.position, self.length = position, length

    def pointed(self, text: str) -> str:
        """Return the problem, with the line of the text below it and the position marked."""
        start = text.rfind("\n", 0, self.position) + 1
        line = text[start:].partition("\n")[0]
        at = self.position - start
        cut = max(0, at - 60)
        marks = " " * (at - cut) + "^" * max(1, min(self.length, 100 - (at - cut), len(line) - at))
        return f"{self}\n  {line[cut : cut + 100]}\n  {marks}"


class By(NamedTuple):
    """Who writes: what the storage must know of the principal of a request."""

    id: int | None = None
    """The number of the account, or of the team of a service key, in `entities`; None for the owner."""
    may_read: Callable[[str, str], bool] | None = None
    """Whether they may read a project (entity, project); None if they may read all of them."""


OWNER = By()
"""The owner of a server without accounts, and the server itself."""


class Page(NamedTuple):
    """Some items, the cursor of the next page (None after the last), and the number of all items."""

    items: list[Any]
    cursor: str | None
    total: int


class ReportPlace(NamedTuple):
    """Where a report is, and what rights to it depend on."""

    entity: str
    project: str
    is_draft: bool
    author: int | None
    """The number of the account that created it."""


class CommentPlace(NamedTuple):
    """What comments are on: exactly one of a run and a report."""

    entity: str
    project: str
    run: str | None = None
    report: str | None = None


class Appended(NamedTuple):
    """The result of an upload: the new offset, the digests in its lines, and whether the run is in the trash."""

    offset: int
    digests: list[str]
    trashed: bool


class Line(NamedTuple):
    """One series of a chart, of a run or (with its standard deviation) of a group. See `wire.FrameSeries`."""

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
    """The series of a chart, and the x that all series of buckets share."""

    lines: list[Line]
    grid: Array | None


class ConsolePage(NamedTuple):
    """Lines, the cursor of the next page (None after the last), the number of all lines, and that of the first one."""

    items: list[dict[str, Any]]
    cursor: str | None
    total: int
    start: int


class Storage(Protocol):
    """Stores runs and their metrics. Methods are synchronous and thread-safe; the app calls them in worker threads.

    Exactly once: `append` stores the batch and the stream's new offset in one transaction, which is durable before it
    returns.
    """

    def offsets(self, run: RunKey) -> dict[str, int]:
        """Return the offset of each stream in bytes; empty for an unknown run."""

    def read(self, stream: str, data: bytes) -> Any:
        """Parse whole lines of a stream for `append`. This needs no lock and takes most of the time.

        Raises ValueError for lines that will never be accepted, `TooManyLines` for more than `MAX_LINES`.
        """

    def append(self, run: RunKey, stream: str, offset: int, lines: Any, by: By = OWNER) -> Appended:
        """Store whole lines (bytes, or the result of `read`) at byte `offset` of the stream.

        A new run and its project are created; the run then belongs to `by`. A run in the trash accepts lines like any
        other.

        Raises `OffsetMismatch`, `RunDeleted`, `StorageFull`.
        """

    def digests(self, run: RunKey) -> list[str]:
        """Return every digest in the records of the run (files and media)."""

    def names_digest(self, run: RunKey, digest: str) -> bool:
        """Return whether a record of the run names the digest; False for an unknown run."""

    def digests_in_use(self, digests: list[str]) -> set[str]:
        """Return those of `digests` that any run holds."""

    def held(self, run: RunKey, digests: list[str]) -> set[str]:
        """Return those of `digests` that the run holds (see `possessions`): the content of others must not be shown.

        An unknown run holds none.
        """

    def possesses(self, digest: str, by: By) -> bool:
        """Return whether `by` has sent the content of a digest."""

    def possess(self, run: RunKey, digest: str, size: int, by: By) -> None:
        """Store that `by` has sent the content of a digest through a run, which then holds it, if it names it.

        The run need not exist.
        """

    def forget(self, digests: list[str]) -> None:
        """Forget who has sent these contents, which are deleted."""

    def uses(self, entity: str, digest: str) -> bool:
        """Return whether a run of an entity holds the digest."""

    def usage(self, entity: str) -> tuple[int, list[str]]:
        """Return how many bytes of files the runs of an entity hold, and the digests whose size is not stored yet.

        Each content counts once. Files of runs in the trash count until these are deleted.
        """

    def put_sizes(self, sizes: dict[str, int]) -> None:
        """Store the sizes of contents by their digests."""

    def append_all(self, batches: Sequence[tuple[RunKey, str, bytes]], by: By = OWNER) -> None:
        """Store lines as new streams of existing runs, all of them or none. Raises `NoSuchRun`, `StorageFull`."""

    def resolve(self, run: RunKey) -> RunKey:
        """Return the present name of a run that was moved, or whose project was moved or renamed.

        Other names, also unknown ones, are returned as they are. This takes about a microsecond.
        """

    def resolve_project(self, entity: str, project: str) -> tuple[str, str]:
        """Return the present entity and name of a project; see `resolve`."""

    def names_changed(self) -> None:
        """Notice that others, such as commands, may have moved projects. Fast, and safe in any thread."""

    def set_visibility(self, entity: str, project: str, visibility: Visibility) -> None:
        """Decide who reads a project besides the members of its entity. Raises `NoSuchProject`."""

    def rename_project(self, entity: str, project: str, new_entity: str, new_name: str) -> None:
        """Rename a project, or move it to another entity. Raises `NoSuchProject`, `NameTaken`.

        The former name leads to it (`resolve_project`) until a project has that name.
        """

    def copy_project(
        self, entity: str, project: str, new_entity: str, new_name: str, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Copy a project with its notes, views and runs; the content of files is shared.

        Runs keep their ids and users; those in the trash are left out. Each run is copied as of one moment, and the
        project appears when all of it is there. This may take minutes, in which it holds the lock only briefly.
        Raises `NoSuchProject`, `NameTaken`, and `CopyStopped` once `stop` returns true.
        """

    def delete_project(self, entity: str, project: str) -> list[str]:
        """Delete a project and all that belongs to it; return the digests that its runs named.

        Its runs are deleted like single ones: uploads of them raise `RunDeleted`. Its name is free for a new project.
        Raises `NoSuchProject`.
        """

    def move_runs(self, runs: Sequence[RunKey], entity: str, project: str) -> list[RunKey]:
        """Move runs to another project; return the former names of those that were not there already.

        The former names lead to them (`resolve`). Either all runs are moved, or none. The cost of each does not grow
        with its rows. Raises `NoSuchRun`, `NoSuchProject`, and `NameTaken` if the project has, or had before a move,
        another run with one of the ids.
        """

    def projects(self) -> list[ProjectInfo]:
        """Return all projects, the most recently updated first."""

    def project(self, entity: str, project: str) -> StoredProject:
        """Return a project with the names of its views. Raises `NoSuchProject`."""

    def view(self, entity: str, project: str, name: str) -> Any:
        """Return a saved view. Raises `NoSuchProject`, `NoSuchView`."""

    def put_view(self, entity: str, project: str, name: str, view: Any, by: By = OWNER) -> None:
        """Save a view, replacing one of this name. Raises `NoSuchProject`, ValueError if there are too many."""

    def delete_view(self, entity: str, project: str, name: str) -> None:
        """Delete a view. Raises `NoSuchProject`, `NoSuchView`."""

    def reports(
        self, entity: str, project: str, search: str, limit: int, cursor: str | None, drafts: bool = True
    ) -> Page:
        """Return a page of `ReportInfo`, those saved last first. Raises `NoSuchProject`, ValueError."""

    def report_place(self, report: str) -> ReportPlace:
        """Return where a report is. Raises `NoSuchReport`."""

    def report(self, entity: str, project: str, report: str, version: int | None = None) -> Report:
        """Return a version of a report, by default the current one. Raises `NoSuchProject`, `NoSuchReport`."""

    def report_versions(self, entity: str, project: str, report: str, limit: int, cursor: str | None) -> Page:
        """Return a page of `ReportVersion`, the newest first. Raises `NoSuchProject`, `NoSuchReport`, ValueError."""

    def create_report(self, entity: str, project: str, content: ReportContent, by: By = OWNER) -> Report:
        """Store a new report of `by`. Raises `NoSuchProject`, ValueError if there are too many."""

    def save_report(
        self, entity: str, project: str, report: str, replaces: int, content: ReportContent, by: By = OWNER
    ) -> Report:
        """Store a new version in place of the version `replaces`.

        Raises `ReportChanged` if that is not the current one, `NoSuchProject`, `NoSuchReport`, and ValueError if there
        are too many versions.
        """

    def delete_report(self, entity: str, project: str, report: str) -> None:
        """Delete a report with its versions and comments. Raises `NoSuchProject`, `NoSuchReport`."""

    def comments(self, on: CommentPlace, limit: int, cursor: str | None) -> Page:
        """Return a page of `Comment`, the oldest first. Raises `NoSuchRun`, `NoSuchReport`, ValueError."""

    def comment(self, comment: int) -> tuple[Comment, CommentPlace, int | None]:
        """Return a comment, what it is on, and the number of its author. Raises `NoSuchComment`."""

    def add_comment(self, on: CommentPlace, text: str, mentions: Sequence[int], by: By = OWNER) -> Comment:
        """Store a comment of `by`, which mentions the accounts with these numbers.

        Raises `NoSuchRun`, `NoSuchReport`, and ValueError if there are too many.
        """

    def edit_comment(self, comment: int, text: str, mentions: Sequence[int]) -> Comment:
        """Replace the text of a comment. Raises `NoSuchComment`, also for a deleted one."""

    def delete_comment(self, comment: int) -> None:
        """Delete the text of a comment; that there was one stays visible. Raises `NoSuchComment`."""

    def table(self, entity: str, project: str, query: TableQuery) -> TablePage:
        """Return rows of the runs table. Columns may be numpy arrays, in which NaN is null.

        Raises `ExpressionError` for an invalid filter, ValueError for other errors in the query.
        """

    def columns(
        self,
        entity: str,
        project: str,
        search: str = "",
        wanted: Sequence[str] = (),
        ids: Sequence[str] | None = None,
    ) -> TableColumns:
        """Return the columns of the runs table.

        With `search`, only columns whose name contains the text (ignoring case) are listed. Columns in `wanted` are
        listed in addition, if runs have them. For many runs the result may be about a second old. With `ids`, the
        result is as if there were only these runs.
        """

    def groups(self, entity: str, project: str, query: GroupQuery) -> TableGroups:
        """Return runs in groups. Raises the same errors as `table`."""

    def trash(self, runs: Sequence[RunKey], when: float | None) -> int:
        """Move runs to the trash at a Unix time, or with None restore them; return how many have changed.

        Runs in the trash are in no list and no count. Uploads for them are stored.
        """

    def trashed(self, before: float) -> list[RunKey]:
        """Return the runs that were moved to the trash before a Unix time."""

    def runs(
        self, entity: str, project: str, filters: dict[str, Any] | str, order: str, limit: int, cursor: str | None
    ) -> Page:
        """Return a page of matching runs (`RunInfo`); `filters` is an object or an expression.

        `order` is a comma-separated list of names, each with an optional leading `-` or `+`: a `RunInfo` member,
        `config.…` or `summary.…` (dots or slashes lead into nested config). Raises ValueError for an invalid filter or
        order.
        """

    def users(self, runs: Sequence[RunKey]) -> dict[RunKey, int | None]:
        """Return the numbers of the accounts that wrote these runs first; unknown runs are omitted."""

    def run(self, run: RunKey) -> RunInfo:
        """Return one run. Raises `NoSuchRun`, as the following methods do for an unknown run."""

    def delete(self, run: RunKey) -> list[str]:
        """Delete the run and all its data; return the digests that it named. Later uploads raise `RunDeleted`."""

    def readmit(self, run: RunKey) -> None:
        """Allow a deleted run to be uploaded again. Raises `NoSuchRun` if no run of this name was deleted."""

    def is_deleted(self, run: RunKey) -> None:
        """Raise `RunDeleted` if the run was deleted."""

    @property
    def has_deferred_work(self) -> bool:
        """Whether there is deferred work. Fast, and safe in any thread."""

    def prepare_deferred_work(self) -> bool:
        """Read the data for the next piece of deferred work, so that `do_deferred_work` holds the lock only briefly.

        Return whether there is anything to do. Call it from one thread at a time, and not during `do_deferred_work`.
        """

    def do_deferred_work(self) -> bool:
        """Do a piece of deferred work, such as removing rows of deleted runs; return whether there is more."""

    def edits(self, run: RunKey, limit: int, cursor: str | None) -> Page:
        """Return the changes of a run from outside its processes (`wire.Edit`), the newest first.

        Raises ValueError for an invalid cursor.
        """

    def keys(self, run: RunKey, kind: Kind) -> list[KeyInfo]:
        """Return the logged keys of a run, in the order of their first values."""

    def common_keys(self, runs: Sequence[RunKey], kind: Kind) -> list[CommonKey]:
        """Return the logged keys of several runs; unknown runs have none."""

    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage:
        """Return rows in the order of FORMAT.md; with `keys`, only rows that have one of them."""

    def series(self, query: ChartQuery) -> list[Series]:
        """Return points or exact min/max/mean envelopes for charts."""

    def chart(self, query: ChartQuery) -> Chart:
        """Return the same for runs or groups of runs, with one shared x for all series of buckets."""

    def console(
        self, run: RunKey, limit: int, cursor: str | None = None, start: int | None = None, only: str | None = None
    ) -> ConsolePage:
        """Return lines as {"time", "stream", "text"}, in the order of streams and their lines.

        Lines are numbered from 0. `start` is the number of the first line, counted from the end if it is negative.
        `only` selects the lines of stdout or stderr, which then have line numbers of their own and no cursor. Raises
        ValueError for an invalid cursor.
        """

    def console_search(
        self, run: RunKey, wanted: str, regex: bool, after: int, limit: int, only: str | None = None
    ) -> tuple[list[int], int | None]:
        """Return the numbers of lines after `after` that contain the text (ignoring case) or match the RE2 pattern.

        Escape sequences are ignored. The second value is the number after which to continue, None at the end. Raises
        ValueError for an invalid pattern.
        """

    def fold(self, run: RunKey) -> RunState:
        """Return the state of a run, derived from all its records."""

    def folded(self, run: RunKey) -> Folded:
        """Return all that a copy of the run needs besides rows, console lines and files, as of one moment."""

    def resumption(self, run: RunKey) -> Resumption:
        """Return what a process needs to resume the run."""

    def stop_requested(self, run: RunKey) -> float | None:
        """Return when the run's last processes were asked to stop, or None. The cost does not grow with the run."""

    def alerts(self, run: RunKey) -> list[Alert]:
        """Return the latest 100 alerts of the run."""

    def files(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """Return digest, size and time of the named files, by name."""

    def close(self) -> None:
        """Close all connections."""


class Blobs(Protocol):
    """Stores files by the digest of their content. A blob becomes visible only when it is complete and verified."""

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Store content and return its size. Raises ValueError, and keeps nothing, if its sha256 is not `digest`."""

    async def reached(self, digest: str, size: int, account: int | None = None) -> tuple[int, bool]:
        """Return how many bytes of an upload in parts have arrived, and whether the content is stored whole.

        Each account has its own uploads. For an account stored content is not there: it must send all of it.
        """

    async def extend(
        self,
        digest: str,
        offset: int,
        size: int,
        part: bytes,
        account: int | None = None,
        verified: Callable[[], Awaitable[None]] | None = None,
    ) -> tuple[int, bool]:
        """Add a part to an upload of `size` bytes; return the same as `reached`.

        The last part starts the verification of the sha256, which may take longer than this call: an empty part at the
        end asks again. `verified` is called in between, once the sha256 is known to be right.

        Raises `OffsetMismatch` if the part is not the next one, ValueError if the sha256 of the whole is not `digest`
        (nothing is kept then), `TooManyUploads`, `StorageFull`.
        """

    async def sizes(self, digests: list[str]) -> dict[str, int]:
        """Return the sizes of those digests whose content is stored."""

    async def has(self, digests: list[str]) -> set[str]: ...

    async def get(self, digest: str, start: int = 0, end: int | None = None) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size of the whole, and the content from `start` up to but without `end`.

        Raises LookupError if the digest is not stored, ValueError if `start` is past the end.
        """

    async def delete(self, digests: list[str]) -> None: ...

    async def older(self, before: float) -> list[str]:
        """Return the digests of content that was stored before a Unix time."""
