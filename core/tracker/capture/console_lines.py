"""Turn what a process writes into lines to keep; of redrawn lines, a state every few seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

INTERVAL = 5.0
"""Seconds between the kept states of redrawn lines."""

_LONGEST = 64 * 1024  # characters of a line; a longer one becomes several
_HIGHEST = 256  # lines that a redrawn block may have
_CONTROL = re.compile(r"\r\n|[\r\n]|\x1b\[(\d*)A|\x1b\[2K")  # the movements of progress bars


class Lines:
    """Splits one stream of text into lines, with colors and other escape sequences as they are.

    A line goes to `emit` when it is complete. Text that a carriage return or an upward move of the cursor overwrites is
    kept only every `INTERVAL` seconds, and in its last state. Lines above the cursor are held back until it stays below
    them. Not thread-safe.
    """

    def __init__(self, emit: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._rows = [""]  # the block that may be redrawn, usually only the current line
        self._row = 0
        self._height = 1
        self._returned = False  # the cursor is back at the start of its line
        self._drawn: float | None = None  # when a state of the redrawn lines was last kept
        self._moved = 0.0

    def feed(self, text: str) -> None:
        """Handle the next piece of text."""
        rows = self._rows
        if self._height == 1 and not self._returned and "\r" not in text and "\x1b" not in text:
            if text == "\n":  # as `print` ends its lines
                line, rows[0], self._drawn = rows[0], "", None
                self._emit(line)
            elif "\n" in text:
                first, *more = text.split("\n")
                more[:0], rows[0], self._drawn = [rows[0] + first], more.pop(), None
                for line in more:
                    self._emit(line)
            else:
                rows[0] += text
        else:
            at = 0
            for control in _CONTROL.finditer(text):
                self._put(text[at : control.start()])
                at = control.end()
                self._move(control[0], control[1])
            self._put(text[at:])
        if len(self._rows[self._row]) > _LONGEST:
            self._emit(self._rows[self._row])
            self._rows[self._row] = ""

    def close(self) -> None:
        """Keep the rest: an unfinished line, and the last state of redrawn lines."""
        for row in self._rows:
            if row:
                self._emit(row)
        self._rows, self._row, self._height = [""], 0, 1
        self._returned, self._drawn = False, None

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._returned:
            self._returned = False
            if self._rows[self._row] and self._height == 1 and self._due():
                self._emit(self._rows[self._row])
            self._rows[self._row] = text
        else:
            self._rows[self._row] += text

    def _move(self, control: str, count: str | None) -> None:
        if control == "\r":
            self._returned = True
        elif control == "\x1b[2K":
            self._returned = True  # the next text replaces the line, which stays until then
        elif control.endswith("\n"):
            self._down()
        else:
            self._up(min(int(count or 1), _HIGHEST))

    def _down(self) -> None:
        self._returned = False
        self._row += 1
        if self._row < len(self._rows):
            return
        self._rows.append("")
        if self._height > 1 and self._clock() - self._moved > INTERVAL:  # redrawing has ended
            self._height = 1
        while len(self._rows) > self._height:
            self._emit(self._rows.pop(0))
        self._row = len(self._rows) - 1
        if self._height == 1:
            self._drawn = None

    def _up(self, count: int) -> None:
        self._moved = self._clock()
        self._returned = False
        if self._height > 1 and self._row == len(self._rows) - 1 and self._due():
            for row in self._rows:
                if row:
                    self._emit(row)
        self._row -= count
        if self._row < 0:  # those lines are kept already
            self._rows[:0] = [""] * -self._row
            self._row = 0
        self._height = max(self._height, len(self._rows))

    def _due(self) -> bool:
        """Tell whether to keep a state of the redrawn lines; not the first one, which is incomplete."""
        now = self._clock()
        if self._drawn is None:
            self._drawn = now
        elif now - self._drawn >= INTERVAL:
            self._drawn = now
            return True
        return False
