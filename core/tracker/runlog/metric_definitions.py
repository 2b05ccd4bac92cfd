"""Collect metric definitions, and find the one that applies to a key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Any

MAX_DEFINITIONS = 10_000
MAX_GLOBS = 200
"""The most names that are defined, and the most globs among them: each glob is tried on each key."""

_MEMBERS = ("name", "step_metric", "summary", "goal")


class Definitions:
    """The payloads of `metric` records in order, without members that a later record of the same name replaces."""

    def __init__(self, metrics: Iterable[dict[str, Any]] = ()) -> None:
        self._all: dict[int, dict[str, Any]] = {}
        self._named: dict[str, list[int]] = {}
        self._globs: dict[str, re.Pattern[str]] = {}
        self._next = 0
        for metric in metrics:
            self.add(metric)

    def __iter__(self) -> Any:
        return iter(self._all.values())

    def __repr__(self) -> str:
        return f"Definitions({list(self)})"

    def __len__(self) -> int:
        return len(self._all)

    def add(self, payload: dict[str, Any]) -> bool:
        """Add a sound payload; return whether there was room for it."""
        name = payload["name"]
        if name not in self._named:
            glob = "*" in name or "?" in name
            if len(self._named) >= MAX_DEFINITIONS or (glob and len(self._globs) >= MAX_GLOBS):
                return False
            self._named[name] = []
            if glob:
                self._globs[name] = re.compile(translate(name.replace("[", "[[]")))  # only * and ? are special
        metric = {member: payload[member] for member in _MEMBERS if member in payload}
        kept = []
        for number in self._named[name]:
            rest = {k: v for k, v in self._all[number].items() if k == "name" or k not in metric}
            if len(rest) > 1:
                self._all[number] = rest
                kept.append(number)
            else:
                del self._all[number]
        self._all[self._next] = metric
        self._named[name] = [*kept, self._next]
        self._next += 1
        return True

    def definition_for(self, key: str, member: str) -> dict[str, Any]:
        """Return the definition whose `member` applies to `key`: an exact name, else the last glob; {} if none does."""
        found = self._of(key, member)
        if found is None:
            best = -1
            for name, pattern in self._globs.items():
                if pattern.match(key) and self._named[name][-1] > best:
                    one = self._of(name, member)
                    if one is not None and one[0] > best:
                        best, found = one[0], one
        return {} if found is None else found[1]

    def _of(self, name: str, member: str) -> tuple[int, dict[str, Any]] | None:
        for number in self._named.get(name, ()):
            if self._all[number].get(member) is not None:
                return number, self._all[number]
        return None
