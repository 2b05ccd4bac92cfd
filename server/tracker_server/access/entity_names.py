"""Say which names accounts and teams may have, and which names look alike.

Accounts and teams share one namespace, in which case does not count. A name may have letters of any script, but must
not look like another one: `ada` in Latin letters, and the same word with a Cyrillic `а`.

How a name looks follows UTS #39 (https://www.unicode.org/reports/tr39/): each character is replaced by the one that it
looks like. `tools/look_alikes.py` writes the tables from Unicode's files.
"""

from __future__ import annotations

import functools
import json
import re
from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from tracker.names import NAME_RULE, is_project_name, is_reserved

from .errors import Refused

RESERVED = frozenset(
    """
    account accounts admin administrator administrators admins all anonymous anybody anyone api assets audit auth
    callback comments compare docs entities entity everybody everyone group groups guest health help home internal key
    keys link links live local login logout me member members nobody none null oauth oidc owner owners personal private
    project projects public render report reports run runs s self server session sessions settings share shared sign-in
    sign-out signin signout static support system team teams token tracker trash undefined user users viewer viewers
    welcome whoami you
    """.split()
)
"""Names that nobody may have, since they are parts of addresses or stand for someone else."""

_WORD = re.compile(r"[ _.\-]+")

_TOGETHER = (  # "highly restrictive" in UTS #39, section 5.2
    frozenset({"Latin", "Han", "Hiragana", "Katakana"}),
    frozenset({"Latin", "Han", "Bopomofo"}),
    frozenset({"Latin", "Han", "Hangul"}),
)


class Looks(NamedTuple):
    """How a name looks. Names of which any of both are equal may be taken for each other.

    Two are needed: a capital `I` looks like a small `l`, so `AIice` looks like `Alice`. A small `i` does not, so `Kari`
    and `Karl` are two names.
    """

    skeleton: str
    """How it looks in small letters. It is equal for names that differ only in case."""
    written: str
    """How it looks as it is written."""


def folded(name: str) -> str:
    """Return what is equal for names that differ only in case."""
    return normalize("NFC", normalize("NFKC", name).casefold())


def looks(name: str) -> Looks:
    """Return how a name looks."""
    return Looks(_look(folded(name)).casefold(), _look(normalize("NFKC", name)).casefold())


def are_alike(one: Looks, other: Looks) -> bool:
    """Return whether two names may be taken for each other."""
    return not set(one).isdisjoint(other)


def checked(name: str) -> str:
    """Return the name in the form that is stored.

    Raises `Refused` if no account or team may have it. Whether it is free is not checked.
    """
    name = normalize("NFC", name)
    if not is_project_name(name):
        raise Refused(f"the name {name[:140]!r} {NAME_RULE}")
    if name != name.strip() or "  " in name:
        raise Refused(f"the name {name!r} must not begin or end with a space, or have two in a row")
    if not any(c.isalnum() for c in name):
        raise Refused(f"the name {name!r} needs a letter or a digit")
    if normalize("NFKC", name) != name:
        raise Refused(f"the name {name!r} has letters in a special form: use {normalize('NFKC', name)!r}")
    if is_reserved(name) or any(are_alike(looks(name), one) for one in _reserved_looks()):
        raise Refused(f"the name {name!r} is reserved: choose another one")
    for word in _WORD.split(name):
        mixed = _scripts(word)
        if len(mixed) > 1 and not any(mixed <= allowed for allowed in _TOGETHER):
            raise Refused(
                f"the name {name!r} mixes {' and '.join(sorted(mixed))} letters in one word, which may look like "
                "another name: use one script"
            )
    return name


@functools.cache
def _reserved_looks() -> list[Looks]:
    return [looks(word) for word in RESERVED]


@functools.cache
def _tables() -> tuple[dict[str, str], list[tuple[int, int, str]], list[int]]:
    """Return what characters look like, the ranges of scripts, and their first characters."""
    read: dict[str, Any] = json.loads(Path(__file__).with_name("look_alikes.json").read_text())
    ranges = [(first, last, script) for first, last, script in read["scripts"]]
    return read["prototypes"], ranges, [first for first, _, _ in ranges]


def _look(text: str) -> str:
    """Return the skeleton of UTS #39, section 4."""
    prototypes = _tables()[0]
    return normalize("NFD", "".join(prototypes.get(c, c) for c in normalize("NFD", text)))


def _scripts(word: str) -> set[str]:
    """Return the scripts of the letters of a word; letters that many scripts share have none."""
    _, ranges, starts = _tables()
    found = set()
    for code in map(ord, word):
        at = bisect_right(starts, code) - 1
        if at >= 0 and code <= ranges[at][1]:
            found.add(ranges[at][2])
    return found
