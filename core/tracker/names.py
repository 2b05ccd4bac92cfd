"""Check names of projects and entities, and identify a run (`RunKey`)."""

from __future__ import annotations

import re
from typing import NamedTuple


class RunKey(NamedTuple):
    """The name of one run, on a server and in a directory.

    `is_project_name` says what `entity` and `project` may be, `tracker.runlog.records.RUN_ID` what `id` may be.
    """

    entity: str
    project: str
    id: str


NAME_RULE = (
    "must be 1–128 letters of any script, digits, spaces or _ . - (no slash: it separates names) "
    "and not start with a dot"
)
"""The rule of `is_project_name`, for error texts after the name."""

_PLAIN = re.compile(r"(?!\.)[\w .-]{1,128}", re.ASCII)
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that are invisible."""


def is_project_name(name: str) -> bool:
    """Tell whether a project or an entity may have this name.

    It has 1–128 letters and marks of any script, digits, spaces and `_ . -`, at most 255 bytes of UTF-8, in Unicode's
    form NFC, and does not start with a dot. A slash separates names. Characters that are invisible or change the
    direction of text could make one name look like another.
    """
    if _PLAIN.fullmatch(name):
        return True
    if name.isascii() or not 1 <= len(name) <= 128 or name[0] in ". ":
        return False
    try:
        if len(name.encode()) > 255:  # too long for the name of a folder
            return False
    except UnicodeEncodeError:  # a lone surrogate
        return False
    from unicodedata import category, is_normalized  # few names need it

    letters = all(c in " _.-" or category(c)[0] in "LMN" for c in name) and not _UNSEEN.search(name)
    return letters and category(name[0])[0] != "M" and is_normalized("NFC", name)


def normal_name(name: str) -> str:
    """Return a name in the form that is stored, so that text typed on another system has the same code points."""
    if name.isascii():
        return name
    from unicodedata import normalize

    return normalize("NFC", name)


def is_reserved(part: str) -> bool:
    """Tell whether a file system may treat a name as `.git` or `.tracker`, whose content controls what programs do.

    Such names differ in case, dots, spaces and invisible characters (CVE-2014-9390, CVE-2019-1352).
    """
    plain = re.sub(r"[^\x21-\x7e]", "", part).casefold().split(":")[0].rstrip(".")
    return plain in (".git", ".tracker") or re.fullmatch(r"(git|tracke)~\d", plain) is not None
