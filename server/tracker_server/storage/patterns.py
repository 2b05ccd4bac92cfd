"""Compile regular expressions of users with RE2, which matches in linear time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2

MAX_PATTERN = 500
"""Most characters of a regular expression."""


def pattern(wanted: str, flags: str = "") -> Callable[[str], Any]:
    """Compile an RE2 pattern; return its `search`. Raises ValueError if it is invalid or too long."""
    if len(wanted) > MAX_PATTERN:
        raise ValueError(f"the pattern has {len(wanted):,} characters; at most {MAX_PATTERN} are allowed")
    # RE2 and not `re`: with backtracking a short pattern could keep the server busy for years.
    options = re2.Options()
    options.max_mem, options.log_errors = 1 << 20, False
    try:
        search: Callable[[str], Any] = re2.compile(flags + wanted, options).search
    except (re2.error, UnicodeError) as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(error)  # RE2 says it in bytes
        raise ValueError(f"the pattern is invalid: {text}") from None
    return search
