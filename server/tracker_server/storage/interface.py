"""What the server asks of its storage. Written once over SQL (`sql.py` and its neighbours); routes know only this."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple, Protocol

from tracker.wire import ChartQuery, KeyInfo, ProjectInfo, RowPage, RunInfo, Series

Kind = Literal["history", "system"]


class RunKey(NamedTuple):
    """Names one run; all three match the patterns of `tracker.runlog.records`."""

    entity: str
    project: str
    id: str


class OffsetMismatch(Exception):
    """Lines were offered that do not stand where the server's copy of the stream ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the stream continues at byte {offset}")
        self.offset = offset


class NoSuchRun(LookupError):
    """The run is not on this server."""


class StorageFull(Exception):
    """The store could not be written for lack of space; nothing of the batch was kept."""


class Page(NamedTuple):
    """Some of many things, and the cursor for the next ones (None after the last)."""

    items: list[Any]
    cursor: str | None
    total: int


class Storage(Protocol):
    """Runs and their metrics. Methods are synchronous and thread-safe; the app calls them in worker threads.

    Exactly once: `append` stores the batch and the stream's new offset in one transaction that is durable before it
    returns.
    """

    def offsets(self, run: RunKey) -> dict[str, int]:
        """How far each stream's copy goes, in bytes; empty for an unknown run."""

    def append(self, run: RunKey, stream: str, offset: int, data: bytes) -> tuple[int, list[str]]:
        """Store whole lines that stand at byte `offset` of the stream; make run and project on first sight.

        Returns the new offset and the digests that these lines name. Raises `OffsetMismatch`, `StorageFull`.
        """

    def digests(self, run: RunKey) -> list[str]:
        """Every digest that records of the run name (files and media)."""

    def digests_in_use(self, digests: list[str]) -> set[str]:
        """Those of `digests` that records of any run name. The app deletes the blobs of the others with a run."""

    def projects(self) -> list[ProjectInfo]: ...

    def runs(
        self, entity: str, project: str, filters: dict[str, Any], order: str, limit: int, cursor: str | None
    ) -> Page:
        """`RunInfo`s that match.

        `order` is a comma-separated list of names, each with an optional leading `-` or `+`: a `RunInfo` member,
        `config.…` or `summary.…` (dots or slashes go into nested config). Raises ValueError for a bad filter or order.
        """

    def run(self, run: RunKey) -> RunInfo: ...

    def delete(self, run: RunKey) -> None:
        """Forget the run and all its data. Uploads for it are refused from then on only by making it anew."""

    def keys(self, run: RunKey, kind: Kind) -> list[KeyInfo]: ...

    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage:
        """Every row in the order of FORMAT.md; with `keys`, only rows that have one of them."""

    def series(self, query: ChartQuery) -> list[Series]:
        """Points or exact min/max/mean envelopes for charts."""

    def console(self, run: RunKey, limit: int, cursor: str | None) -> Page: ...

    def files(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """By name: digest, size, time of the named files."""

    def close(self) -> None: ...


class Blobs(Protocol):
    """Content-addressed files. A blob is visible only whole and verified."""

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Store; returns the size. Raises ValueError if the content's sha256 is not `digest` (nothing is kept)."""

    async def has(self, digests: list[str]) -> set[str]: ...

    async def get(self, digest: str) -> tuple[int, AsyncIterator[bytes]]:
        """Size and content. Raises LookupError."""

    async def delete(self, digests: list[str]) -> None: ...
