"""Make text safe for a terminal: names, paths and messages come from whoever logged a run or runs a server."""

from __future__ import annotations

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_KEPT = "\u200c\u200d"  # joiners within words and emoji, which move nothing


def clean(text: object, lines: bool = False) -> str:
    """Return text without anything that a terminal obeys.

    Control and escape characters, and those that change the direction of writing, become `�`. Line breaks and tabs
    become spaces, unless `lines` keeps them.
    """
    given = str(text)
    if given.isprintable():
        return given
    return "".join(c if c.isprintable() or c in _KEPT else _replacement(c, lines) for c in given)


def _replacement(character: str, lines: bool) -> str:
    if character == "\n" and lines:
        return character
    if character in "\n\t":
        return " "
    return character if character in _SPACES else "�"
