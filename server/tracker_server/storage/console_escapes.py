"""Remove terminal escape sequences from lines of console output, and search text that contains them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

# The same as in `server/web/src/run/console/ansi.ts`, which highlights in the page what is found here: CSI and OSC
# sequences, other string sequences with either end, short ones, and single control characters.
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|\Z)|\x1b[PX^_][^\x1b]*(?:\x1b\\|\Z)|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f]"
)

_GAP = r'(?:(?:\\u00[01].|\\[bfr]|\x7f)(?:[^"\\]|\\.)*)?'
"""What may stand between two characters in JSON: a control character and anything after it in the same text."""

_PROBED = 50
"""Characters of a text that a probe looks for; the pattern of a long text would be slow to compile."""


def readable(text: str) -> str:
    """Return the text without escape sequences and control characters, except tabs and line ends."""
    return text if text.isprintable() else _SEQUENCE.sub("", text)


def probe(wanted: str) -> Callable[[str], Any]:
    """Return a fast pre-filter: a search that matches the JSON of every text whose `readable` form contains `wanted`.

    It ignores case, and may match a few other texts. `wanted` must not contain characters that JSON escapes.
    """
    pattern: Any = re2.compile("(?i)" + _GAP.join(re2.escape(character) for character in wanted[:_PROBED]))
    search: Callable[[str], Any] = pattern.search
    return search
