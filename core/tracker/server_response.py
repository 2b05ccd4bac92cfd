"""Read a server's response, which may be anything, within limits of size and time."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Any

import orjson
import requests
import urllib3

from .errors import ServerError, Unreachable
from .terminal import clean

SMALL = 16 << 20
"""The most bytes of a response without rows."""
LARGE = 256 << 20
"""The most bytes of a response with rows."""
LONGEST_WAIT = 300.0
"""The most seconds that a server may ask a client to wait."""

_MESSAGE = 64 << 10  # the most bytes of a refusal
_MOST_SHOWN = 2000  # the most characters shown of it
_SECONDS = 600.0  # the most for a whole response
_DEEPEST = 200  # the deepest nesting; the run log allows 100
_BLOCK = 1 << 18


def blocks(response: requests.Response) -> Iterator[bytes]:
    """Yield the body of a response in pieces of at most 256 KiB, however well it is compressed.

    Raises `Unreachable` if it breaks off, `ServerError` for an encoding that was not requested.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise ServerError(f"{clean(response.url)} answered in an encoding that was not requested", response.status_code)
    inflater = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
    try:
        for piece in response.raw.stream(_BLOCK, decode_content=False):
            if inflater is None:
                yield piece
                continue
            yield inflater.decompress(piece, _BLOCK)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, _BLOCK)
    except zlib.error as error:
        raise Unreachable(f"the response of {clean(response.url)} is damaged ({error})") from error
    except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
        raise Unreachable(f"{clean(response.url)} broke off in mid-response ({type(error).__name__})") from error


def read(response: requests.Response, most: int) -> bytes:
    """Return the body of a response.

    Raises `ServerError` if it has more than `most` bytes, `Unreachable` if it takes minutes, and what `blocks` raises.
    """
    content, deadline = bytearray(), time.monotonic() + _SECONDS
    with response:
        for block in blocks(response):
            content += block
            if len(content) > most:
                raise ServerError(f"{clean(response.url)} sent more than {most >> 20} MiB", response.status_code)
            if time.monotonic() > deadline:
                raise Unreachable(f"{clean(response.url)} has not completed its response in {_SECONDS:g} seconds")
    return bytes(content)


def parse(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a body; None for anything else, and for one nested deeper than tracker's objects."""
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) and not _too_deep(answer) else None


def message(response: requests.Response) -> str:
    """Return the error text of a refusal, cleaned and shortened; its reason phrase if it has none."""
    try:
        answer = parse(read(response, _MESSAGE)) or {}
    except ServerError:
        answer = {}
    error = answer.get("error")
    text = clean(error if isinstance(error, str) else response.reason or "no reason given", lines=True)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def retry_after(response: requests.Response) -> float | None:
    """Return how many seconds a server asks the client to wait, at most `LONGEST_WAIT`; None if it does not ask."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):  # absent, or a date, which would need clocks that agree
        return None
    return min(max(0.0, seconds), LONGEST_WAIT) if seconds == seconds else None


def _too_deep(answer: Any) -> bool:
    level: list[Any] = [answer]
    for _ in range(_DEEPEST):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True
