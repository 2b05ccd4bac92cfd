"""Fill the stream of an event file, with marks at places that depend on the file alone."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from tracker.runlog.records import encode, jsonable

from .convert import Line
from .outcome import Outcome
from .points import Piece, Points, mend, mend_one
from .reader import Metadata, Scalars
from .stream import LINE, Mark, Stream, StreamError

EVERY = 1024 * 1024
"""Bytes of an event file from one mark to the next, at least."""

_TAGS = 4 * 1024 * 1024  # characters of metadata in one mark
_LARGE = 64 * 1024  # bytes of the metadata of one tag

Tell = Callable[[tuple[int, int]], None]
"""Is told bytes of event files and points as they get done."""


class Tags:
    """The first metadata of each tag of a run, and which of it stands in marks: shared by all files of the run."""

    def __init__(self) -> None:
        self.metadata: dict[str, Metadata] = {}
        self.kept: set[str] = set()

    def recall(self, packed: dict[str, str]) -> None:
        """Take in what stands in a mark."""
        for tag, content in packed.items():
            self.metadata.setdefault(tag, Metadata.FromString(base64.b64decode(content)))
            self.kept.add(tag)

    def pack(self) -> dict[str, str]:
        """Return what stands in no mark yet, and take it for kept."""
        packed: dict[str, str] = {}
        left = _TAGS
        if len(self.kept) < len(self.metadata):
            for tag in self.metadata.keys() - self.kept:
                packed[tag] = _packed(self.metadata[tag], left)
                left -= len(packed[tag])
            self.kept.update(packed)
        return dict(sorted(packed.items()))


class Filling:
    """Writes values behind a mark, without those that an import which was killed wrote there before."""

    def __init__(
        self,
        stream: Stream,
        mark: Mark,
        last: Callable[[int], str],
        tags: Tags,
        outcome: Outcome,
        tell: Tell,
    ) -> None:
        """`last` returns the four bytes of the event file before an offset, in hex. `tags` grow while the file is read;
        what comes up is kept with the marks.
        """
        self.rows, self.time = mark.rows, mark.time
        self._stream, self._mark, self._last = stream, mark, last
        self._tags = tags
        self._outcome, self._tell, self._told = outcome, tell, outcome.points
        self._points = Points()

    def scalars(self, found: Scalars) -> None:
        """Write scalar values."""
        times, wrong = mend(found.times, self.time)
        self._outcome.mended += wrong
        piece = Piece(found.tags, found.index, times, found.steps, found.values)
        start = 0
        while start < len(times):
            at = int(found.ends.searchsorted(self._mark.offset + EVERY))
            if at == len(times):
                stop, end = at, None
            else:  # the last value of the event that the mark stands behind
                end = int(found.ends[at])
                stop = int(found.ends.searchsorted(end, "right"))
            self._write(piece.part(start, stop))
            self.rows += stop - start
            self.time = float(times[stop - 1])
            if end is not None:
                self._put_mark(end)
            start = stop

    def lines(self, lines: Iterable[Line], time: float, end: int) -> None:
        """Write the records of one event, which has this time and ends at this offset."""
        self._flush()
        time, wrong = mend_one(time, self.time)
        self._outcome.mended += wrong
        self.time = time
        for line in lines:
            self.rows += line.kind == "log"
            if self._stream.behind:
                if self._stream.behind.popleft() != LINE:
                    raise self._other()
                continue
            self._outcome.media += line.kind in ("log", "file")
            self._stream.add(encode(line.kind, jsonable(line.payload), time, line.step))
        if end - self._mark.offset >= EVERY:
            self._put_mark(end)

    def finish(self, end: int) -> None:
        """All of the file up to this offset was given: write what is left, and a mark if there is anything new."""
        self._flush()
        if self._stream.behind:
            raise self._other()
        if end > self._mark.offset or self._stream.mark != self._mark:
            self._put_mark(end)

    def _write(self, piece: Piece) -> None:
        behind = self._stream.behind
        while behind and len(piece.which):
            left = behind.popleft()
            if left == LINE:
                raise self._other()
            if left > len(piece.which):
                behind.appendleft(left - len(piece.which))
            piece = piece.part(min(left, len(piece.which)))
        self._outcome.points += len(piece.which)
        for line in self._points.add(piece):
            self._stream.add(line)

    def _flush(self) -> None:
        for line in self._points.rest():
            self._stream.add(line)

    def _put_mark(self, end: int) -> None:
        """Write a mark, with the metadata that came up since the last one."""
        self._flush()
        former, self._mark = self._mark, Mark(end, self.rows, self.time, self._last(end))
        if self._stream.behind:
            return  # what is known to be there goes on behind this place
        self._stream.put(self._mark, self._tags.pack())
        self._tell((end - former.offset, self._outcome.points - self._told))
        self._told = self._outcome.points

    def _other(self) -> StreamError:
        return StreamError(f"the file does not hold what was imported before into {self._stream.path}")


def _packed(metadata: Metadata, most: int) -> str:
    """Metadata as text; without the plugin's own part where that is longer than `most` or than anyone needs."""
    if metadata.ByteSize() > min(most, _LARGE):
        metadata = Metadata(plugin_data=Metadata.PluginData(plugin_name=metadata.plugin_data.plugin_name))
    return base64.b64encode(metadata.SerializeToString()).decode()
