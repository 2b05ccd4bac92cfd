"""Count what an import brought, and note what it could not import."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from .convert import SkipReason

_MAX_GAPS = 1000


class Gap(NamedTuple):
    """Bytes of an event file that could not be imported, and why."""

    file: str
    start: int
    end: int
    reason: str


class ImportResult:
    """The result of an import, added up over files. It can be pickled."""

    def __init__(self) -> None:
        self.points = 0
        """Scalar values."""
        self.media = 0
        """Rows of other values, and files."""
        self.skipped: Counter[SkipReason] = Counter()
        """Values that are files of the run since they could not be converted, and empty values."""
        self.repaired_times = 0
        """Events with an impossible wall time, which got the time before."""
        self.damaged: list[Gap] = []
        """The first gaps that damage left."""
        self.gaps = 0
        """The number of all such gaps."""
        self.rewritten: list[str] = []
        """Files that were replaced since the last import. The new content has a stream of its own."""
        self.examined: set[str] = set()
        """Files that were examined. The ones that are in none of the following are imported to their end."""
        self.pending: dict[str, Gap] = {}
        """Ends of files that are no complete record yet."""
        self.shortened: dict[str, Gap] = {}
        """Parts that were imported from files which are shorter now."""
        self.failed: dict[str, str] = {}
        """Files that could not be imported, and why."""

    @property
    def complete(self) -> bool:
        """Whether everything in the files was imported and converted."""
        return not (self.skipped or self.gaps or self.pending or self.failed)

    def note_damage(self, gap: Gap) -> None:
        """Count a gap that damage left."""
        self.gaps += 1
        if len(self.damaged) < _MAX_GAPS:
            self.damaged.append(gap)

    def add(self, other: ImportResult) -> None:
        """Add the result of another import of the same run."""
        self.points += other.points
        self.media += other.media
        self.skipped += other.skipped
        self.repaired_times += other.repaired_times
        self.damaged = (self.damaged + other.damaged)[:_MAX_GAPS]
        self.gaps += other.gaps
        self.rewritten += other.rewritten
        self.examined |= other.examined
        for mine, theirs in (
            (self.pending, other.pending),
            (self.shortened, other.shortened),
            (self.failed, other.failed),
        ):
            for name in other.examined:
                mine.pop(name, None)
            mine.update(theirs)  # type: ignore[arg-type]
