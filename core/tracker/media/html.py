"""Log HTML documents."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from .base import MAX_FILE, Media, Store, checked_path, stored

_INJECTED = b'<base target="_blank">'
_PLACES = (rb"<head(\s[^>]*)?>", rb"<html(\s[^>]*)?>", rb"<!doctype[^>]*>")


class Html(Media):
    """An HTML document or fragment.

        run.log({"report": tracker.Html("<h1>Report</h1>")})

    Args:
        data: HTML as str or UTF-8 bytes, a path, or an open file. A str is a path if it has no `<` and ends in `.html`
            or `.htm`.
        inject: Whether to put `<base target="_blank">` at the start of the head, so that links open outside the
            dashboard's frame.

    Raises:
        OSError: The file cannot be read; FileNotFoundError if there is none.
        TypeError: The value is something else.
    """

    def __init__(self, data: Any, inject: bool = True) -> None:
        self.inject = inject
        if isinstance(data, os.PathLike) or (isinstance(data, str) and _looks_like_path(data)):
            self._content: bytes | Path = checked_path(data)
            return
        if hasattr(data, "read"):
            data = data.read()
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"Html takes a string of HTML, a path or an open file, not {type(data).__name__}")
        if len(data) > MAX_FILE:
            raise ValueError(f"HTML of {len(data):,} bytes; at most {MAX_FILE:,}")
        self._content = bytes(data)

    def record(self, store: Store) -> dict[str, Any]:
        """Return `_type` html."""
        content = self._content if isinstance(self._content, bytes) else self._content.read_bytes()
        return stored("html", _with_base(content) if self.inject else content, "html", store)


def _looks_like_path(text: str) -> bool:
    return text.lower().endswith((".html", ".htm")) and "<" not in text and "\n" not in text


def _with_base(document: bytes) -> bytes:
    for place in _PLACES:
        found = re.search(place, document, re.IGNORECASE)
        if found:  # before the document type, it would put the browser into quirks mode
            return document[: found.end()] + _INJECTED + document[found.end() :]
    return _INJECTED + document
