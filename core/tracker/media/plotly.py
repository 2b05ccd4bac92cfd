"""Log Plotly figures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from .arrays import MISSING, is_array, scalar, to_plain_list
from .base import MAX_FILE, Media, Store, checked_path, stored


class Plotly(Media):
    """A Plotly figure.

        run.log({"curve": tracker.Plotly(figure)})

    Numbers that JSON lacks become null, which Plotly draws as gaps.

    Args:
        figure: The figure, its dict (`data`, and perhaps `layout` and `frames`), or a path to its JSON.

    Raises:
        OSError: The file cannot be read; FileNotFoundError if there is none.
        TypeError: The value is not a figure.
        ValueError: The JSON is not a figure.
    """

    def __init__(self, figure: Any) -> None:
        if isinstance(figure, (str, os.PathLike)):
            path = checked_path(figure)
            _check(path.read_bytes(), f"{path} ")
            self._content: bytes | Path = path
            return
        if hasattr(figure, "to_json"):
            content = figure.to_json().encode()
        elif hasattr(figure, "to_plotly_json"):
            content = orjson.dumps(figure.to_plotly_json(), _json_value, orjson.OPT_NON_STR_KEYS)
        elif isinstance(figure, dict):
            content = orjson.dumps(figure, _json_value, orjson.OPT_NON_STR_KEYS)
        else:
            raise TypeError(f"Plotly takes a figure, its dict or the path of its JSON, not {type(figure).__name__}")
        _check(content, "the value ")
        self._content = content

    def record(self, store: Store) -> dict[str, Any]:
        """Return `_type` plotly."""
        return stored("plotly", self._content, "json", store)


def _check(content: bytes, what: str) -> None:
    if len(content) > MAX_FILE:
        raise ValueError(f"{what}has {len(content):,} bytes; at most {MAX_FILE:,}")
    try:
        figure = orjson.loads(content)
    except ValueError:
        raise ValueError(f"{what}is not JSON; for a page written by write_html use tracker.Html") from None
    if not isinstance(figure, dict) or not isinstance(figure.get("data"), list):
        raise ValueError(f"{what}is not a Plotly figure: it has no list 'data'")


def _json_value(value: Any) -> Any:
    """Return plain data for a value that orjson cannot write."""
    if is_array(value):
        return to_plain_list(value)
    number = scalar(value)
    if number is not MISSING:
        return number
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    if hasattr(value, "isoformat"):  # subclasses of datetime, such as those of pandas
        return value.isoformat()
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    raise TypeError(f"a Plotly figure cannot hold a value of type {type(value).__name__}")
