"""Resolve the names of columns that filters, sorting and tables use, to functions that read their values from runs.

A name is a member (`state`, `duration`, …), or `config.`, `summary.` or `environment.` followed by a key or a path into
nested objects. Names never reach Python attributes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tracker.wire import RunInfo

MISSING = object()
"""The value of a column in a run that has none."""

MEMBERS = (
    "name", "id", "state", "created", "updated", "duration", "group", "job_type", "tags", "notes", "host", "user",
    "program", "commit", "last_step", "rows", "error", "color", "ordinal",
)  # fmt: skip
"""The members that every table offers as columns."""

TIMES = frozenset({"created", "updated", "seen", "stop_requested", "trashed"})
"""Members that are Unix times."""

_MAX_OBJECTS = 1000
"""Most objects in which a path is searched: with dots in keys, one path can be read in many ways."""

Getter = Callable[["Entry"], Any]

_CHOICE = re.compile(r"(.*)@(min|max|mean|last|step=(-?\d{1,18}))", re.DOTALL)


class Sums(NamedTuple):
    """Statistics of the rows of a run; `places` gives the row of `numbers` for each key."""

    places: dict[str, int]
    numbers: Any
    """float64, keys × (min, max, mean, last); NaN where there is no number."""
    last: dict[str, Any]
    """The last values that are not numbers."""


class Entry(NamedTuple):
    """A run as the table keeps it. It must not be changed."""

    info: RunInfo
    heartbeat: float | None
    """As in `RunState.promise`."""
    sums: Sums
    size: int
    """Size of the run in bytes of JSON."""


class Name(NamedTuple):
    """A resolved name."""

    get: Getter
    time: bool = False
    """Whether its values are Unix times."""
    step: tuple[str, int] | None = None
    """For `@step=N`: the key, and the step up to which its last value is meant. `get` then returns only the summary
    value of exactly this name, which takes precedence."""


def resolve_name(name: str, bare: bool = False) -> Name:
    """Resolve a name. With `bare`, a name that is not a member means a key of the config, else of the summary.

    After `config.` or `summary.` comes a key, or else a path with dots or slashes between keys; a key that matches as a
    whole takes precedence. `summary.<key>@min`, `@max`, `@mean`, `@last` and `@step=N` refer to the key's history. A
    key may be any text, even an empty one. Raises ValueError for a name that no run can have.
    """
    member = _member(name)
    if member is not None:
        return Name(member, time=name in TIMES)
    place, path = _split(name)
    if place != name and place in ("config", "summary", "environment"):
        return Name(_getter(place, path)) if place != "summary" else _summary(path)
    if bare:
        config, summary = _getter("config", name), _summary(name)

        def either(entry: Entry) -> Any:
            found = config(entry)
            return summary.get(entry) if found is MISSING else found

        return Name(either, step=summary.step)
    members = ", ".join(dict.fromkeys([*MEMBERS, *RunInfo.__annotations__]))
    raise ValueError(f"runs have no {name[:100]!r}: use config.…, summary.… or one of {members}")


def _split(name: str) -> tuple[str, str]:
    place, dot, path = name.partition(".")
    if not dot:
        place, dot, path = name.partition("/")
    return place, path


def _member(name: str) -> Getter | None:
    if name in _DERIVED:
        return _DERIVED[name]
    if name in RunInfo.__annotations__:
        return lambda entry: entry.info.get(name, MISSING)
    return None


def _git_commit(entry: Entry) -> Any:
    git = entry.info["environment"].get("git")
    return git.get("commit", MISSING) if isinstance(git, Mapping) else MISSING


def _user(entry: Entry) -> Any:
    if (account := entry.info["user"]) is not None:
        return account
    variables = entry.info["environment"].get("variables")
    return variables.get("USER", MISSING) if isinstance(variables, Mapping) else MISSING


def _command(entry: Entry) -> Any:
    command = entry.info["environment"].get("command")
    return shlex.join(map(str, command)) if isinstance(command, list) else MISSING


_DERIVED: dict[str, Getter] = {
    "duration": lambda entry: max(0.0, entry.info["updated"] - entry.info["created"]),
    "user": _user,
    "commit": _git_commit,
    "command": _command,
}


def _getter(place: str, path: str) -> Getter:
    if "." in path or "/" in path:

        def get(entry: Entry) -> Any:
            members = entry.info[place]  # type: ignore[literal-required]
            return members[path] if path in members else value_at_path(members, path)

        return get
    return lambda entry: entry.info[place].get(path, MISSING)  # type: ignore[literal-required]


def value_at_path(value: Any, path: str) -> Any:
    """Return the value of a key, or else at a path into nested objects; `MISSING` if there is none."""
    waiting = [(value, path)]
    for _ in range(_MAX_OBJECTS):
        if not waiting:
            break
        here, rest = waiting.pop()
        if not isinstance(here, Mapping):
            continue
        found = here.get(rest, MISSING)
        if found is not MISSING:
            return found
        longest = max((len(key) for key in here), default=0)
        ways = [i for i, char in enumerate(rest[: longest + 1]) if char in "./" and rest[:i] in here]
        waiting += [(here[rest[:i]], rest[i + 1 :]) for i in reversed(ways)]
    return MISSING


def _summary(path: str) -> Name:
    plain = _getter("summary", path)
    match = _CHOICE.fullmatch(path)
    if match is None:
        return Name(plain)
    key = match[1]
    if match[3] is not None:
        return Name(plain, step=(key, int(match[3])))
    column = ("min", "max", "mean", "last").index(match[2])

    def choose(entry: Entry) -> Any:
        found = plain(entry)  # a key may have such a name: mAP@mean
        if found is not MISSING:
            return found
        at = entry.sums.places.get(key)
        if at is None:
            return MISSING
        number = float(entry.sums.numbers[at, column])
        if number != number:
            return entry.sums.last.get(key, MISSING) if column == 3 else MISSING
        return number

    return Name(choose)
