"""Define the shapes of the runs table, and of edits of many runs."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Filter = dict[str, Any]
"""A condition on runs as a dict, for example
`{"config.lr": {"$lt": 1e-3}, "summary.acc": {"$gte": .9}, "state": "finished", "$or": [{…}, {…}]}`.
Operators: `$eq $ne $lt $lte $gt $gte $in $nin $exists $regex $contains $and $or $not`."""


class Sort(TypedDict, total=False):
    """A column to sort by."""

    column: str
    descending: bool


class TableQuery(TypedDict, total=False):
    """The runs of a project to return, their order, and their columns (named as in docs/reference/filters.md)."""

    filter: str
    """An expression (docs/reference/filters.md); empty: all runs."""
    search: str
    """Text to find in a run's name, id, notes, tags or group, or a pattern between slashes."""
    sort: list[Sort]
    """Default: the newest runs first."""
    columns: list[str]
    offset: int
    limit: int
    ids: list[str]
    """Only these runs."""
    trashed: bool
    """Runs in the trash instead of all others."""


class TablePage(TypedDict):
    """Rows of the runs table, by column; null where a run lacks the value."""

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
    """How many runs have a value."""
    distinct: int
    """How many different values there are; 1,000 means 1,000 or more."""
    differs: bool
    """Whether the runs have different values."""


class ColumnInfo(_ColumnInfo, total=False):
    """One column of the runs table."""

    min: float
    max: float
    values: list[str]
    """The different texts, or elements of lists, if they are 20 or fewer."""


class TableColumns(TypedDict):
    """The columns of a project's runs table, and how many runs it has."""

    version: int
    total: int
    matching: int
    """How many columns match the search, listed or not."""
    columns: list[ColumnInfo]
    """At most 1,000 matching columns, and those that were requested by name."""


_Except = TypedDict("_Except", {"except": list[str]}, total=False)


class GroupQuery(TableQuery, _Except, total=False):
    """How to group runs, by one of `by` and `except`; `columns` are summarized in each group.

    Groups are sorted by the mean of numbers, else by the value. By default they are sorted by `count`, their size, with
    the largest first.
    """

    by: list[str]
    """Runs in a group have the same values in these columns."""


class Summed(TypedDict, total=False):
    """The values of a group's runs in a column. Numbers: the count of finite ones, their mean, standard deviation
    (n - 1; 0 for one number), min and max. Other values: how many different ones there are, and the value if it is one.
    """

    n: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    distinct: int
    value: Any


class RunGroup(TypedDict):
    """Runs with the same values in some columns."""

    key: dict[str, Any]
    count: int
    runs: list[str]
    """At most 1,000 ids, the newest runs first."""
    values: dict[str, Summed]
    filter: str
    """An expression that selects these runs, in addition to the search of the query."""


class TableGroups(TypedDict):
    """A page of groups; `total` counts all groups."""

    total: int
    version: int
    groups: list[RunGroup]


class Edits(TypedDict, total=False):
    """Changes of the labels of runs; they are appended to the runs as records, as `update()` does."""

    set: dict[str, Any]
    """New values of name, notes, group, job_type, color, tags."""
    add_tags: list[str]
    remove_tags: list[str]
    stop: bool


class Changed(TypedDict):
    """How many runs were changed."""

    changed: int
