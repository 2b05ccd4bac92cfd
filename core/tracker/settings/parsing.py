"""Parse values as people type them: with spaces around them, in quotes, in capitals, or empty."""

from __future__ import annotations

import os
import re
from typing import Any

_TRUE = frozenset(("1", "true", "t", "yes", "y", "on"))
_FALSE = frozenset(("0", "false", "f", "no", "n", "off"))
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"  # characters that are copied from a web page along with text

_ADDRESS = re.compile(
    r"(https?)://((?:[^\s/?#@]*@)?(?:[^\s/?#:@\[\]]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?(?:/[^\s?#]*)?)", re.I
)
_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(?=/|$)")
_PAGE = re.compile(r"/(runs|projects|api)(/|$)|[?#]")  # a page of the dashboard, as copied from a browser


def cleaned(value: Any, quotes: bool = False) -> Any:
    """Return text without spaces and invisible characters around it; None if it is then empty, and counts as not given.

    Other values are returned unchanged. `quotes` also removes a pair of quotes around all of it, which env files leave
    in variables.
    """
    if hasattr(value, "__fspath__"):
        value = os.fspath(value)
    if not isinstance(value, str):
        return value
    text = _stripped(value)
    if quotes and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = _stripped(text[1:-1])
    return text or None


def truth(value: Any) -> bool:
    """Return the value of a switch. Raises ValueError for text other than the usual words."""
    if not isinstance(value, str):
        return bool(value)
    word = value.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def number(value: Any) -> float:
    """Return a number. Raises TypeError or ValueError for anything else, and for NaN."""
    found = float(value)
    if found != found:
        raise ValueError(value)
    return found


def items(value: Any) -> list[str]:
    """Return the items of a list, or of text with commas between items, without empty ones."""
    parts = value.split(",") if isinstance(value, str) else value
    return [text for text in (_stripped(str(part)) for part in parts) if text]


def address(text: str) -> str:
    """Return the address of a server, without a trailing slash. Raises ValueError, which says what is allowed."""
    url = text.rstrip("/")
    found, page = _ADDRESS.fullmatch(url), _PAGE.search(url)
    if found is not None and page is None:
        return f"{found[1].lower()}://{found[2]}"
    example = "http://127.0.0.1:8787"
    if page is not None:
        example = url[: page.start()].rstrip("/")
    elif "://" not in url and _ADDRESS.fullmatch(f"http://{url}"):
        example = f"http://{url}"
    raise ValueError(f"must be the server's address alone and start with http:// or https://, such as {example}")


def is_local(url: str) -> bool:
    """Tell whether a URL leads to this machine's loopback interface."""
    return _LOCAL.match(url) is not None


def _stripped(text: str) -> str:
    former = None
    while text != former:
        former, text = text, text.strip().strip(_INVISIBLE)
    return text
