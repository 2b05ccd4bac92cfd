"""The runs table, and what is done to many runs at once."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Filter = dict[str, Any]
"""A condition on runs, as users of such libraries write it, for example
`{"config.lr": {"$lt": 1e-3}, "summary.acc": {"$gte": .9}, "state": "finished", "$or": [{…}, {…}]}`.
Operators: `$eq $ne $lt $lte $gt $gte $in $nin $exists $regex $contains $and $or $not`."""


class Sort(TypedDict, total=False):
    """A column to sort by."""

    column: str
    descending: bool


class TableQuery(TypedDict, total=False):
    """Which runs of a project, in what order, and which of their columns (named as in docs/reference/filters.md)."""

    filter: str
    """An expression (docs/reference/filters.md); empty: all runs."""
    search: str
    """Text to be found in a run's name, id, notes, tags or group, or a pattern between slashes."""
    sort: list[Sort]
    """By default the newest runs come first."""
    columns: list[str]
    offset: int
    limit: int
    ids: list[str]
    """Only these runs."""
    trashed: bool
    """Those in the trash, in place of all others."""


class TablePage(TypedDict):
    """Some rows of the runs table, by column; null where a run lacks the value."""

    total: int
    """How many runs match."""
    version: int
    """Grows with each change of the project's runs."""
    runs: list[str]
    columns: dict[str, list[Any]]


class _ColumnInfo(TypedDict):
    name: str
    kind: Literal["run", "config", "summary"]
    type: Literal["number", "text", "boolean", "time", "list", "media", "mixed"]
    count: int
    """How many runs have it."""
    distinct: int
    """How many different values there are; 1,000 means that or more."""
    differs: bool
    """Whether not all runs have the same."""


class ColumnInfo(_ColumnInfo, total=False):
    """One column of the runs table."""

    min: float
    max: float
    values: list[str]
    """The texts (of lists: the elements) there are, if they are 20 or fewer."""


class TableColumns(TypedDict):
    """Columns of a project's runs table, and how many runs it has."""

    version: int
    total: int
    matching: int
    """How many columns there are that match the search, listed or not."""
    columns: list[ColumnInfo]
    """At most 1,000 of those, and the ones that were asked for by name."""


_Except = TypedDict("_Except", {"except": list[str]}, total=False)


class GroupQuery(TableQuery, _Except, total=False):
    """Which runs are drawn together how, by one of `by` and `except`; `columns` are summed up in each group.

    Groups are sorted by the mean of a number, else by the value; `count` is their size, by which they are sorted by
    default, the largest first.
    """

    by: list[str]
    """Runs in a group have the same in these columns."""


class Summed(TypedDict, total=False):
    """What the runs of a group have in a column: of numbers how many are finite, their mean, standard deviation
    (n - 1; 0 of one), min and max; of other values how many different ones, and the value if that is one.
    """

    n: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    distinct: int
    value: Any


class RunGroup(TypedDict):
    """Runs that have the same in some columns."""

    key: dict[str, Any]
    count: int
    runs: list[str]
    """Ids, the newest first, at most 1,000."""
    values: dict[str, Summed]
    filter: str
    """An expression that selects these runs (beside the search of the query)."""


class TableGroups(TypedDict):
    """Some of the groups; `total` counts all of them."""

    total: int
    version: int
    groups: list[RunGroup]


class Edits(TypedDict, total=False):
    """Changes to what runs are called; they are appended to the runs as records, as `update()` does."""

    set: dict[str, Any]
    """New values of name, notes, group, job_type, color, tags."""
    add_tags: list[str]
    remove_tags: list[str]
    stop: bool


class Changed(TypedDict):
    """How many runs were changed."""

    changed: int
