"""Read many scalar events at once.

The payload of a scalar event is a head (the time, and the step unless it is 0) and a rest. In the rest, only the value
changes from one event of a tag to the next. So the reader parses one event of each tag with protobuf, as a template.
Events whose rest equals that of a template, apart from the value, are then read in columns. Nothing is assumed: the
constant bytes are compared, and the checksum covers all bytes.
"""

from __future__ import annotations

from hashlib import shake_256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checksums import CONTRIBUTIONS, REACH, unmasked, value
from .framing import FRAME, HEADER, Offsets, gather
from .value_position import MOST_STEP_BYTES, ValuePosition, find_value_position

MIN_RECORDS = 4
"""The fewest records of one length that are read in columns; fewer are faster one by one."""
_MOST_TEMPLATES = 1 << 16

_TIME, _STEP, _SUMMARY = 0x09, 0x10, 0x2A
_CONTINUES = np.uint64(0x0080808080808080)
_LAST_BYTES = np.array([0x80 << 8 * place for place in range(MOST_STEP_BYTES)], np.uint64)
# Any odd numbers do. They come from a hash because numpy.random takes long to import.
_ODD_FACTORS = np.frombuffer(shake_256().digest(REACH + 8), "<u8") | np.uint64(
    1
)  # any; numpy.random takes long to import

Words = NDArray[np.uint64]


class ScalarColumns:
    """The scalar values of some records. Only the entries of `proven` records have a meaning."""

    def __init__(self, data: bytes, starts: Offsets, lengths: Offsets) -> None:
        self.data = data
        self.starts = starts
        self.lengths = lengths
        count = len(starts)
        self.proven = np.zeros(count, np.bool_)
        self.index = np.empty(count, np.int32)
        self.times = np.empty(count, np.float64)
        self.steps = np.empty(count, np.int64)
        self.values = np.empty(count, np.float64)


class _TemplateGroup:
    """All templates whose rests have the same length and the same place of the value."""

    def __init__(self, size: int, place: ValuePosition) -> None:
        self.size = size
        self.start, self.end = place.start, place.end
        self.templates: dict[bytes, int] = {}
        mask = np.zeros(_padded(size), np.uint8)
        mask[:size] = 255
        mask[self.start : self.end] = 0
        self.mask = mask.view("<u8")
        self._sorted: tuple[Words, Words, NDArray[np.int32], NDArray[np.uint32]] | None = None

    def add(self, rest: bytes, tag: int) -> None:
        self.templates[rest] = tag
        self._sorted = None

    def find(self, rows: Words) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.uint32]]:
        """Return for each row whether it fits a template, its tag, and the checksum of its rest with 0 as value."""
        if self._sorted is None:
            words = np.array([np.frombuffer(rest.ljust(8 * len(self.mask), b"\0"), "<u8") for rest in self.templates])
            keys = words @ _ODD_FACTORS[: len(self.mask)]
            order = np.argsort(keys)
            tags = np.fromiter(self.templates.values(), np.int32)
            checksums = np.array([value(rest) for rest in self.templates], np.uint32)
            self._sorted = keys[order], words[order], tags[order], checksums[order]
        keys, words, tags, checksums = self._sorted
        masked = rows & self.mask
        place = keys.searchsorted(masked @ _ODD_FACTORS[: len(self.mask)])
        equal = words.take(place, 0, mode="clip") == masked
        same = equal[:, 0].copy()
        for column in range(1, equal.shape[1]):  # several times as fast as all(1)
            same &= equal[:, column]
        return same, tags.take(place, mode="clip"), checksums.take(place, mode="clip")


class Templates:
    """Learns scalar events, and reads more events like them."""

    def __init__(self, check: bool) -> None:
        self._check = check
        self._layouts: dict[int, dict[tuple[int, int], _TemplateGroup]] = {}
        self._count = 0

    def learn(self, payload: bytes, tag: int) -> bytes | None:
        """Learn an event with one scalar; return the key of all events like it, None if it cannot be a template."""
        if len(payload) > REACH:
            return None
        place = find_value_position(payload)
        if place is None:
            return None
        rest = place.constant(payload)
        layouts = self._layouts.setdefault(len(rest), {})
        layout = layouts.get(place[1:])
        if layout is None:
            layout = layouts[place[1:]] = _TemplateGroup(len(rest), place)
        if rest not in layout.templates:
            if self._count == _MOST_TEMPLATES:
                return None
            self._count += 1
            layout.add(rest, tag)
        return rest

    def read(self, columns: ScalarColumns, which: NDArray[np.intp]) -> None:
        """Read the records that fit a template, among those that `which` names."""
        if not self._layouts:
            return
        starts, lengths = columns.starts[which], columns.lengths[which]
        fit = (lengths >= HEADER) & (lengths <= REACH) & (starts + lengths + FRAME + 8 <= len(columns.data))
        if not fit.all():
            which, starts, lengths = which[fit], starts[fit], lengths[fit]
        with np.errstate(invalid="ignore"):  # signalling NaNs are values too
            _Reader(self._layouts, self._check, columns, which).read(starts + HEADER, lengths)


class _Reader:
    """Reads the records that `which` names. All arrays have its length and order."""

    def __init__(
        self,
        layouts: dict[int, dict[tuple[int, int], _TemplateGroup]],
        check: bool,
        columns: ScalarColumns,
        which: NDArray[np.intp],
    ) -> None:
        self._layouts = layouts
        self._check = check
        self._columns = columns
        self._which = which

    def read(self, payloads: Offsets, lengths: Offsets) -> None:
        data = self._columns.data
        times = gather(data, "<u8", payloads + 1)
        sizes, steps, varints = self._steps(gather(data, "<u8", payloads + 9))
        self._columns.times[self._which] = times.view("<f8")
        self._columns.steps[self._which] = steps
        heads = self._head_checksums(times, varints, sizes)
        at = payloads + sizes
        rests = lengths - sizes
        rests[(sizes == 0) | (gather(data, "u1", payloads) != _TIME)] = 0
        order = np.argsort(rests.astype(np.uint16), kind="stable")
        ends = np.flatnonzero(np.diff(rests[order], append=REACH + 1)) + 1
        begin = 0
        for end in ends.tolist():
            some = order[begin:end]
            begin = end
            size = int(rests[some[0]])
            if len(some) >= MIN_RECORDS and size in self._layouts:
                self._rests(size, some, at[some], heads[some])

    def _steps(self, words: Words) -> tuple[Offsets, NDArray[np.int64], Words]:
        """Return the sizes of heads (0 if invalid), the steps and their bytes, from the 8 bytes after the times."""
        first = words & np.uint64(0xFF)
        varints = words >> np.uint64(8)
        last = ~varints & _CONTINUES
        last &= ~last + np.uint64(1)  # the first byte that does not continue
        sizes = _LAST_BYTES.searchsorted(last) + 11
        sizes[first == _SUMMARY] = 9
        sizes[((first != _STEP) & (first != _SUMMARY)) | ((first == _STEP) & (last == 0))] = 0
        varints &= (last << np.uint64(1)) - np.uint64(1)
        varints[sizes == 9] = 0
        steps = np.zeros(len(words), np.uint64)
        for place in range(int(sizes.max(initial=10)) - 10):
            steps |= varints >> np.uint64(place) & np.uint64(0x7F << 7 * place)
        return sizes, steps.view(np.int64), varints

    def _head_checksums(self, times: Words, varints: Words, sizes: Offsets) -> NDArray[np.uint32]:
        result = np.zeros(len(sizes), np.uint32)
        if not self._check:
            return result
        for size in np.flatnonzero(np.bincount(sizes)).tolist():
            if size == 0:
                continue
            all_alike = bool((sizes == size).all())
            some: Any = slice(None) if all_alike else np.flatnonzero(sizes == size)
            blank = bytes((_TIME,)) + bytes(8) + (bytes((_STEP,)) + bytes(size - 10) if size > 9 else b"")
            time, step = times[some].view(np.uint8).reshape(-1, 8), varints[some].view(np.uint8).reshape(-1, 8)
            checksum = np.full(len(time), value(blank), np.uint32)
            _contribute(checksum, time, range(8), size - 2)
            _contribute(checksum, step, range(size - 10), size - 11)
            result[some] = checksum
        return result

    def _rests(self, size: int, some: NDArray[np.intp], at: Offsets, heads: NDArray[np.uint32]) -> None:
        """Find the rests of one length that fit a template, and read them."""
        columns = self._columns
        width = _padded(size)
        bytes_ = gather(columns.data, f"V{width}", at).view(np.uint8).reshape(-1, width)
        for layout in self._layouts[size].values():
            same, tags, checksums = layout.find(bytes_.view("<u8"))
            if self._check:
                _contribute(checksums, bytes_, range(layout.start, layout.end), size - 1 - layout.start)
                # The head's checksum changes that of the rest as its four bytes would.
                _contribute(checksums, heads.view(np.uint8).reshape(-1, 4), range(4), size - 1)
                stored = np.ascontiguousarray(bytes_[:, size : size + 4]).view("<u4")[:, 0]
                same &= checksums == unmasked(stored)
            if same.all():
                self._set_values(layout, some, bytes_, tags)
                return
            self._set_values(layout, some[same], bytes_[same], tags[same])
            keep = ~same
            some, bytes_, heads = some[keep], bytes_[keep], heads[keep]

    def _set_values(
        self, layout: _TemplateGroup, some: NDArray[np.intp], bytes_: NDArray[np.uint8], tags: NDArray[np.int32]
    ) -> None:
        found = self._which[some]
        values = np.ascontiguousarray(bytes_[:, layout.start : layout.end])
        self._columns.values[found] = values.view(f"<f{layout.end - layout.start}")[:, 0]
        self._columns.index[found] = tags
        self._columns.proven[found] = True


def _contribute(checksums: NDArray[np.uint32], rows: NDArray[np.uint8], places: range, behind: int) -> None:
    """Apply the contributions of the bytes at `places` to checksums; `behind` bytes follow the first one."""
    for place in places:
        checksums ^= CONTRIBUTIONS[behind].take(rows[:, place])
        behind -= 1


def _padded(size: int) -> int:
    """Return the bytes of the words that hold a rest and its checksum."""
    return (size + 4 + 7) // 8 * 8
