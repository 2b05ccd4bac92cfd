"""Which values of rows are not kept, by the same rule wherever a run is read."""

from __future__ import annotations

MAX_KEYS = 100_000
"""Keys that the rows of a run (of a kind: history, system) may have. Values of further keys are refused and counted."""

RESERVED = frozenset({"_step", "_timestamp", "_runtime"})
"""Names of the columns that each row has anyway; values under them are refused and counted likewise."""
