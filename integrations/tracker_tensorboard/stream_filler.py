"""Write the values of an event file to its stream, with marks at places that depend only on the file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from tracker.runlog.records import encode, jsonable

from .convert import Line
from .event_times import repair_time, repair_times
from .import_result import ImportResult
from .points import PointArrays, PointBatcher
from .reader import Metadata, Scalars
from .resumable_stream import LINE, Mark, ResumableStream, StreamError

MARK_INTERVAL = 1024 * 1024
"""Minimum bytes of an event file between two marks."""

_MAX_METADATA = 4 * 1024 * 1024  # characters of metadata in one mark
_MAX_TAG_METADATA = 64 * 1024  # bytes of the metadata of one tag

OnProgress = Callable[[tuple[int, int]], None]
"""Gets the bytes of event files and the points of each part that is done."""


class TagMetadata:
    """The first metadata of each tag of a run, and which of it is in marks. All files of the run share it."""

    def __init__(self) -> None:
        self.metadata: dict[str, Metadata] = {}
        self.packed_tags: set[str] = set()

    def recall(self, packed: dict[str, str]) -> None:
        """Add the metadata from a mark."""
        for tag, content in packed.items():
            self.metadata.setdefault(tag, Metadata.FromString(base64.b64decode(content)))
            self.packed_tags.add(tag)

    def pack(self) -> dict[str, str]:
        """Return the metadata that is in no mark yet; the caller writes it to one."""
        packed: dict[str, str] = {}
        left = _MAX_METADATA
        if len(self.packed_tags) < len(self.metadata):
            for tag in self.metadata.keys() - self.packed_tags:
                packed[tag] = _encoded(self.metadata[tag], left)
                left -= len(packed[tag])
            self.packed_tags.update(packed)
        return dict(sorted(packed.items()))


class StreamFiller:
    """Writes values after a mark, and leaves out those that a killed import has written there already."""

    def __init__(
        self,
        stream: ResumableStream,
        mark: Mark,
        last_bytes: Callable[[int], str],
        tags: TagMetadata,
        result: ImportResult,
        on_progress: OnProgress,
    ) -> None:
        """`last_bytes` returns the four bytes of the event file before an offset, in hex. `tags` grows while the file
        is read; new entries are written with the marks.
        """
        self.rows, self.time = mark.rows, mark.time
        self._stream, self._mark, self._last_bytes = stream, mark, last_bytes
        self._tags = tags
        self._result, self._on_progress, self._reported = result, on_progress, result.points
        self._points = PointBatcher()

    def scalars(self, found: Scalars) -> None:
        """Write scalar values."""
        times, wrong = repair_times(found.times, self.time)
        self._result.repaired_times += wrong
        piece = PointArrays(found.tags, found.index, times, found.steps, found.values)
        start = 0
        while start < len(times):
            at = int(found.ends.searchsorted(self._mark.offset + MARK_INTERVAL))
            if at == len(times):
                stop, end = at, None
            else:  # the last value of the event before the mark
                end = int(found.ends[at])
                stop = int(found.ends.searchsorted(end, "right"))
            self._write(piece.slice(start, stop))
            self.rows += stop - start
            self.time = float(times[stop - 1])
            if end is not None:
                self._put_mark(end)
            start = stop

    def lines(self, lines: Iterable[Line], time: float, end: int) -> None:
        """Write the records of one event, with its time and the offset of its end."""
        self._flush()
        time, wrong = repair_time(time, self.time)
        self._result.repaired_times += wrong
        self.time = time
        for line in lines:
            self.rows += line.kind == "log"
            if self._stream.after_mark:
                if self._stream.after_mark.popleft() != LINE:
                    raise self._mismatch()
                continue
            self._result.media += line.kind in ("log", "file")
            self._stream.add(encode(line.kind, jsonable(line.payload), time, line.step))
        if end - self._mark.offset >= MARK_INTERVAL:
            self._put_mark(end)

    def finish(self, end: int) -> None:
        """Write what is left of the file up to `end`, and a mark if anything is new."""
        self._flush()
        if self._stream.after_mark:
            raise self._mismatch()
        if end > self._mark.offset or self._stream.mark != self._mark:
            self._put_mark(end)

    def _write(self, piece: PointArrays) -> None:
        behind = self._stream.after_mark
        while behind and len(piece.which):
            left = behind.popleft()
            if left == LINE:
                raise self._mismatch()
            if left > len(piece.which):
                behind.appendleft(left - len(piece.which))
            piece = piece.slice(min(left, len(piece.which)))
        self._result.points += len(piece.which)
        for line in self._points.add(piece):
            self._stream.add(line)

    def _flush(self) -> None:
        for line in self._points.flush():
            self._stream.add(line)

    def _put_mark(self, end: int) -> None:
        """Write a mark, with the metadata that is new since the last one."""
        self._flush()
        former, self._mark = self._mark, Mark(end, self.rows, self.time, self._last_bytes(end))
        if self._stream.after_mark:
            return  # the stream already has lines beyond this place
        self._stream.add_mark(self._mark, self._tags.pack())
        self._on_progress((end - former.offset, self._result.points - self._reported))
        self._reported = self._result.points

    def _mismatch(self) -> StreamError:
        return StreamError(f"the file does not hold what was imported before into {self._stream.path}")


def _encoded(metadata: Metadata, most: int) -> str:
    """Return metadata as text, without the plugin's own part if that is too long."""
    if metadata.ByteSize() > min(most, _MAX_TAG_METADATA):
        metadata = Metadata(plugin_data=Metadata.PluginData(plugin_name=metadata.plugin_data.plugin_name))
    return base64.b64encode(metadata.SerializeToString()).decode()
