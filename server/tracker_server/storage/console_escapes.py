"""Lines of a console as people read them: without the sequences that tell a terminal colours, titles and places."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

# As `server/web/src/run/console/ansi.ts` has them, which marks in the page what is found here: sequences of CSI, OSC
# and the other strings with either end, the short ones, and lone control characters.
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|\Z)|\x1b[PX^_][^\x1b]*(?:\x1b\\|\Z)|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f]"
)

_GAP = r'(?:(?:\\u00[01].|\\[bfr]|\x7f)(?:[^"\\]|\\.)*)?'
"""In JSON: a control character and anything after it in the same text; or nothing."""

_PROBED = 50
"""Characters of a text that a probe looks for: with all of a long one it would be slow to compile."""


def readable(text: str) -> str:
    """Return the text without escape sequences and control characters other than tabs and line ends."""
    return text if text.isprintable() else _SEQUENCE.sub("", text)


def probe(wanted: str) -> Callable[[str], Any]:
    """Return a search that finds something in the JSON of every text that has `wanted`, in any case, once it is
    `readable`, and of few others.

    `wanted` has no character that JSON writes differently.
    """
    pattern: Any = re2.compile("(?i)" + _GAP.join(re2.escape(character) for character in wanted[:_PROBED]))
    search: Callable[[str], Any] = pattern.search
    return search
