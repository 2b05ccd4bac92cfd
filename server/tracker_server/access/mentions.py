"""Find the accounts that a text mentions as `@name`.

Only accounts that may read the project can be mentioned. Any other name stays plain text, whether such an account
exists or not.
"""

from __future__ import annotations

import re

from tracker_server.markdown_parser import parse

from .entity_names import folded
from .principal import Principal
from .roles import may
from .snapshot import Snapshot

MAX_MENTIONS = 50
"""Most accounts that one comment mentions."""

_LONGEST = 128
_AT = re.compile(r"(?<![\w@/.+-])@(?=\w)")
_END = re.compile(r"(?<=\w)(?!\w)")


def mentioned(snapshot: Snapshot, entity: str, project: str, text: str) -> list[Principal]:
    """Return the accounts that the Markdown mentions and that may read the project, in order.

    Code mentions nobody: `@property` is a decorator there.
    """
    found: dict[int, Principal] = {}
    if not snapshot.principals:
        return []
    for part in _plain(text):
        for at in _AT.finditer(part):
            one = _longest(snapshot, part[at.end() : at.end() + _LONGEST])
            if one is not None and one.id is not None and _reads(snapshot, one, entity, project):
                found[one.id] = one
                if len(found) == MAX_MENTIONS:
                    return list(found.values())
    return list(found.values())


def completions(snapshot: Snapshot, entity: str, project: str, start: str, limit: int) -> list[str]:
    """Return names of accounts that may read the project and of which a word begins with `start`, ignoring case."""
    wanted = folded(start)
    names = []
    for one in snapshot.principals.values():
        name = folded(one.name)
        begins = name.startswith(wanted) or any(word.startswith(wanted) for word in re.split(r"[ _.-]+", name))
        if begins and _reads(snapshot, one, entity, project):
            names.append((not name.startswith(wanted), name, one.name))
    return [name for _, _, name in sorted(names)[:limit]]


def _reads(snapshot: Snapshot, who: Principal, entity: str, project: str) -> bool:
    return may(who, "read", entity, snapshot.project(entity, project))


def _longest(snapshot: Snapshot, text: str) -> Principal | None:
    """Return the account whose name the text begins with; of several, that with the longest name."""
    for end in reversed([found.end() for found in _END.finditer(text)]):
        known = snapshot.entities.get(folded(text[:end]))
        if known is not None and known.id in snapshot.principals:
            return snapshot.principals[known.id]
    return None


def _plain(text: str) -> list[str]:
    """Return the parts of Markdown that are text."""
    found: list[str] = []
    for token in parse(text):
        line = ""
        for child in token.children or ():
            if child.type == "text":
                line += child.content
            elif child.type in ("softbreak", "hardbreak", "code_inline", "html_inline", "image"):
                found.append(line)
                line = ""
        found.append(line)
    return [part for part in found if "@" in part]
