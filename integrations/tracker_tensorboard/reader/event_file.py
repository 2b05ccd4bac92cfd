"""Read an event file, and continue where reading stopped."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .framing import FRAME, HEADER, Offsets, checksum_holds, length_at, whole_records
from .record_search import RecordSearch
from .results import Damage, Event, Message, Metadata, Scalars
from .scalar_columns import MIN_RECORDS, ScalarColumns, Templates
from .scalar_values import note_metadata, parse, scalars

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest payload to read. A larger one counts as damage, even if its checksum is right."""

_BLOCK, _AFTER_DAMAGE = 1024 * 1024, 2 * 1024
"""Bytes of one read; few after damage, since bytes after more damage are read again."""

# After this was freed once, glibc keeps the memory of blocks, instead of returning it to the kernel each time. That
# saves a quarter of the time for small files.
bytes(4 * _BLOCK)


class EventFile:
    """Reads an event file from a record to its end, and again as it grows.

    The sequence of values, messages and damage depends only on the bytes of the file. It does not depend on when the
    file is read, how long it is by then, or where reading begins; only the grouping of Scalars does. `metadata` is all
    that passes from record to record: the first metadata of each tag, since later events may omit it. To continue at an
    offset with a new EventFile, pass the former `metadata`. Files of one run may share it. Memory use is some
    megabytes, or the size of the largest record.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        offset: int = 0,
        metadata: dict[str, Metadata] | None = None,
        check: bool = True,
    ) -> None:
        """Read from `offset`, which must be 0, or the `offset` or an `end` of an earlier reading.

        Without `check`, damage inside a record may be missed; damage of the frames is found.
        """
        self.path = Path(path)
        self.offset = offset
        """Everything in the file before this offset has been delivered."""
        self.metadata = {} if metadata is None else metadata
        self.tags: list[str] = []
        self._tag_indexes: dict[str, int] = {}
        self._check = check
        self._templates = Templates(check)
        self._size = offset
        self._searched = 0

    @property
    def pending(self) -> int:
        """Bytes after `offset` that the last `read` saw, but that are no complete record.

        They are a torn or unfinished record, or damage without a complete record after it.
        """
        return max(0, self._size - self.offset)

    def read(self) -> Iterator[Scalars | Message | Damage]:
        """Yield the content of the complete records that the file has now, in order.

        Each item counts as delivered when it is yielded: if you stop after it, the next `read` continues there.
        Raises OSError if the file cannot be read.
        """
        with self.path.open("rb", buffering=0) as file:
            yield from self._read(file.fileno())

    def _read(self, fd: int) -> Iterator[Scalars | Message | Damage]:
        self._size = os.fstat(fd).st_size
        search = RecordSearch(fd, self._size, LARGEST)
        block = _BLOCK
        while self.offset < self._size:
            wanted = min(block, self._size - self.offset)
            data = os.pread(fd, wanted, self.offset)
            if len(data) < wanted:  # the file was cut short meanwhile
                self._size = self.offset + len(data)
            starts, lengths = whole_records(data)
            reason: str | None = None
            if len(starts):
                reason = yield from self._deliver(data, starts, lengths)
                block = min(8 * block, _BLOCK)
            elif len(data) < HEADER:
                return
            else:
                length = length_at(data, 0)
                if length is None:
                    reason = "bad length checksum"
                elif self.offset + FRAME + length > self._size:
                    return
                elif length <= LARGEST:
                    block = FRAME + length
                elif search.sound(self.offset, length):
                    yield self._damage(self.offset + FRAME + length, f"a record of {length:,} bytes")
                else:
                    reason = "bad checksum"
            if reason is not None:
                self._searched, found = search.next_record(max(self.offset + 1, self._searched))
                if not found:
                    return
                yield self._damage(self._searched, reason)
                block = _AFTER_DAMAGE

    def _damage(self, end: int, reason: str) -> Damage:
        start, self.offset = self.offset, end
        return Damage(start, end, reason)

    def _deliver(
        self, data: bytes, starts: Offsets, lengths: Offsets
    ) -> Generator[Scalars | Message | Damage, None, str | None]:
        """Yield the content of complete records. Stop at a bad checksum, and return it as the reason."""
        base = self.offset
        columns = ScalarColumns(data, starts, lengths)
        pieces = _ScalarParts(columns, self.tags, base)
        every = np.arange(len(starts))
        self._templates.read(columns, every)
        others: NDArray[np.intp] = every[~columns.proven]
        patience = MIN_RECORDS
        while len(others):
            learnt: set[bytes] = set()
            again = 0
            for i in map(int, others):
                start, length = int(starts[i]), int(lengths[i])
                end = start + FRAME + length
                if self._check and not checksum_holds(data, start, length):
                    yield from self._flush(pieces, i, base + start)
                    return "bad checksum"
                payload = data[start + HEADER : end - 4]
                event = parse(payload)
                found = None
                if event is not None and event.HasField("summary"):
                    note_metadata(event, self.metadata)
                    found = scalars(event, self.metadata)
                if found is None:
                    yield from self._flush(pieces, i, base + start)
                    pieces.begin = i + 1
                    if event is None:
                        yield self._damage(base + end, "unreadable event")
                    else:
                        self.offset = base + end
                        yield Message(event, base + start, base + end)
                elif len(found) == 1 and event is not None:
                    ((tag, number),) = found
                    place = self._tag_index(tag)
                    columns.index[i] = place
                    columns.times[i] = event.wall_time
                    columns.steps[i] = event.step
                    columns.values[i] = number
                    alike = self._learn(payload, event, place)
                    if alike in learnt:
                        again += 1
                        if again == patience:
                            break  # the rest may fit the templates now
                    elif alike is not None:
                        learnt.add(alike)
                elif event is not None:
                    pieces.add(i, event, [(self._tag_index(tag), number) for tag, number in found])
            others = others[others > i]
            if len(others):
                self._templates.read(columns, others)
                remaining = others[~columns.proven[others]]
                # If that does not help, trying each time would take a time that is quadratic in the size of the block.
                patience = MIN_RECORDS if len(remaining) < len(others) // 2 else 2 * patience
                others = remaining
        yield from self._flush(pieces, len(starts), base + int(starts[-1] + lengths[-1]) + FRAME)
        return None

    def _learn(self, payload: bytes, event: Event, place: int) -> bytes | None:
        value = event.summary.value[0]
        # A later event may bring metadata for the tag, which says that its tensors are not scalars.
        if value.HasField("tensor") and value.tag not in self.metadata:
            return None
        return self._templates.learn(payload, place)

    def _tag_index(self, tag: str) -> int:
        place = self._tag_indexes.get(tag)
        if place is None:
            place = self._tag_indexes[tag] = len(self.tags)
            self.tags.append(tag)
        return place

    def _flush(self, pieces: _ScalarParts, stop: int, end: int) -> Iterator[Scalars]:
        """Yield the values before the record `stop` that are not yielded yet; `end` is the offset after them."""
        found = pieces.take(stop, end)
        if found is not None:
            self.offset = end
            yield found


class _ScalarParts:
    """Collects consecutive scalar values: parts of the columns, and events with several values between them."""

    def __init__(self, columns: ScalarColumns, tags: list[str], base: int) -> None:
        self._ends = columns.starts + columns.lengths + (base + FRAME)
        self.begin = 0
        """The first record that is not in a part yet."""
        self._columns = columns
        self._tags = tags
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(self, record: int, event: Event, values: list[tuple[int, float]]) -> None:
        """Add the values of the event in the given record."""
        self._close(record)
        self.begin = record + 1
        places, numbers = zip(*values, strict=True)
        self._parts.append(
            (
                np.array(places, np.int32),
                np.full(len(values), event.wall_time),
                np.full(len(values), event.step, np.int64),
                np.array(numbers, np.float64),
                np.full(len(values), self._ends[record]),
            )
        )

    def take(self, stop: int, end: int) -> Scalars | None:
        """Return all values before the record `stop`; None if there are none."""
        self._close(stop)
        self.begin = stop
        parts, self._parts = self._parts, []
        if not parts:
            return None
        joined = parts[0] if len(parts) == 1 else [np.concatenate(part) for part in zip(*parts, strict=True)]
        index, times, steps, values, ends = joined
        return Scalars(self._tags, index, times, steps, values, ends, end)

    def _close(self, stop: int) -> None:
        if self.begin < stop:
            cut = slice(self.begin, stop)
            columns = self._columns
            found = (columns.index[cut], columns.times[cut], columns.steps[cut], columns.values[cut])
            self._parts.append((*found, self._ends[cut]))
