"""Find the next complete record after damage."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from .checksums import CONTRIBUTIONS, append, extend, masked, unmasked, value
from .framing import FRAME, HEADER, Offsets, gather

_WINDOW, _WIDEST = 1 << 12, 1 << 20
_STEP = 1 << 16
_OF_ZEROS = np.uint32(value(bytes(8)))


class RecordSearch:
    """Searches an open file for records, in a time that is linear in its bytes, whatever they are."""

    def __init__(self, fd: int, size: int, largest: int) -> None:
        self._fd = fd
        self._size = size
        self._largest = largest
        self._checksums = _RangeChecksums(fd)

    def next_record(self, start: int) -> tuple[int, bool]:
        """Return the offset of the first record at or after `start`, and True.

        Both checksums of the record are right, and its payload has at most `largest` bytes. If there is none, return
        the offset to continue at when the file has grown, and False. The search waits at a right header whose record is
        incomplete. Otherwise, the next record would depend on the time of reading.
        """
        window = _WINDOW
        while start + FRAME <= self._size:
            data = os.pread(self._fd, min(window, self._size - start), start)
            if len(data) < FRAME:
                break
            for at, length in self._headers(data):
                end = start + at + FRAME + length
                if end > self._size:
                    return start + at, False
                if self._sound(start + at + HEADER, length):
                    return start + at, True
            start += len(data) - HEADER + 1
            window = min(2 * window, _WIDEST)
        return start, False

    def sound(self, at: int, length: int) -> bool:
        """Tell whether the payload of the complete record at `at` matches its checksum, without loading it at once."""
        return self._sound(at + HEADER, length)

    def _headers(self, data: bytes) -> list[tuple[int, int]]:
        """Return offsets and lengths of all headers with a right checksum and an allowed length, in order."""
        # Bytes alone rule out most places: no length has a bit in its upper half, and no checksum of one is zero.
        clear = np.frombuffer(data, np.uint8) == 0
        clear = clear[:-3] & clear[1:-2] & clear[2:-1] & clear[3:]
        count = len(data) - HEADER + 1
        at: Offsets = np.flatnonzero(clear[4 : 4 + count] & ~clear[8 : 8 + count])
        quads = _quads(data, at)
        low = quads.view("<u4")[:, 0]
        checksum = np.full(len(at), _OF_ZEROS)
        for place in range(4):
            checksum ^= CONTRIBUTIONS[7 - place].take(quads[:, place])
        right = (checksum == unmasked(_quads(data, at + 8).view("<u4")[:, 0])) & (low <= self._largest)
        return list(zip(at[right].tolist(), low[right].tolist(), strict=True))

    def _sound(self, start: int, length: int) -> bool:
        stored = os.pread(self._fd, 4, start + length)
        if length <= _STEP:
            checksum = value(os.pread(self._fd, length, start))
        else:
            checksum = self._checksums.of(start, start + length)
        return masked(checksum) == int.from_bytes(stored, "little")


def _quads(data: bytes, at: Offsets) -> NDArray[np.uint8]:
    """Return the four bytes at each offset, as rows."""
    return gather(data, "V4", at).view(np.uint8).reshape(-1, 4)


class _RangeChecksums:
    """Computes the checksum of any range of a file, with one pass over the file and two short reads for a range."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._first = 0
        self._known = [0]  # of the bytes from `_first` on, at each `_STEP`

    def of(self, start: int, end: int) -> int:
        if not self._first <= start <= self._first + len(self._known) * _STEP:
            self._first, self._known = start, [0]
        return append(self._until(start), self._until(end), end - start)

    def _until(self, end: int) -> int:
        whole, rest = divmod(end - self._first, _STEP)
        while len(self._known) <= whole:
            at = self._first + (len(self._known) - 1) * _STEP
            self._known.append(extend(self._known[-1], os.pread(self._fd, _STEP, at)))
        rest_of_it = os.pread(self._fd, rest, self._first + whole * _STEP)
        return int(extend(self._known[whole], rest_of_it))
