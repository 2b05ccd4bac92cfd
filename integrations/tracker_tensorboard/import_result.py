"""What an import brought, and what it could not bring."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from .convert import SkipReason

_MAX_GAPS = 1000


class Gap(NamedTuple):
    """Bytes of an event file that gave nothing, and why."""

    file: str
    start: int
    end: int
    reason: str


class ImportResult:
    """What an import brought, added up over files. Can be pickled."""

    def __init__(self) -> None:
        self.points = 0
        """Scalar values."""
        self.media = 0
        """Rows of other values, and files."""
        self.skipped: Counter[SkipReason] = Counter()
        """Values that are kept as files because they could not be converted, or that hold nothing."""
        self.repaired_times = 0
        """Events whose wall time was none."""
        self.damaged: list[Gap] = []
        """The first thousand gaps."""
        self.gaps = 0
        """How many gaps there are."""
        self.rewritten: list[str] = []
        """Files that are not what was imported from them before: they have streams of their own now."""
        self.examined: set[str] = set()
        """Files that were looked at; those of them that are in none of the following are imported to their end."""
        self.pending: dict[str, Gap] = {}
        """Ends of files that are no whole record yet."""
        self.shortened: dict[str, Gap] = {}
        """What was imported of files that are shorter now."""
        self.failed: dict[str, str] = {}
        """Files that could not be imported, and why."""

    @property
    def complete(self) -> bool:
        """Whether all that the files hold was imported as what it is."""
        return not (self.skipped or self.gaps or self.pending or self.failed)

    def note_damage(self, gap: Gap) -> None:
        """Take in a gap that damage left."""
        self.gaps += 1
        if len(self.damaged) < _MAX_GAPS:
            self.damaged.append(gap)

    def add(self, other: ImportResult) -> None:
        """Take in what another import of the same run brought."""
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
