"""Define what all media share: the interface to a run, checks of files and captions, and lists of media."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from tracker.machine.paths import absolute

from .headers import HEAD, sniff

Store = Callable[[bytes], str]
"""Keeps the bytes as a file of the run and returns their SHA-256 in lower-case hex."""

MAX_FILE = 1024**3
"""Bytes of one media file; larger ones are for `tracker.save`, which does not read them into memory."""

MAX_ITEMS = 1000
"""Media in one `MediaList`."""


class Media(ABC):
    """A logged value that is more than a number or a string.

    Data (arrays, figures, images, text) is captured when the object is made; later changes have no effect. A file
    given by its path is checked when the object is made, and read when it is logged.
    """

    @abstractmethod
    def record(self, store: Store) -> dict[str, Any]:
        """Return the `_type` object of FORMAT.md ("Media in rows"), after `store` has taken the content.

        Raises OSError if the file is gone or can no longer be read.
        """


class MediaList(Media):
    """Several media under one key, in order."""

    def __init__(self, items: Sequence[Media]) -> None:
        if len(items) > MAX_ITEMS:
            raise ValueError(f"{len(items)} media under one key; log at most {MAX_ITEMS}, or a selection of them")
        self.items = list(items)

    def record(self, store: Store) -> dict[str, Any]:
        """Return the `_type` object of the list with those of its items."""
        return {"_type": "list", "items": [item.record(store) for item in self.items]}


def stored(kind: str, content: bytes | Path, extension: str, store: Store, **members: Any) -> dict[str, Any]:
    """Store the content (read now if it is a path) and return its `_type` object, without members that are None."""
    data = content if isinstance(content, bytes) else content.read_bytes()
    found = {"_type": kind, "digest": store(data), "size": len(data), "format": extension}
    return found | {name: value for name, value in members.items() if value is not None}


def is_path(value: Any) -> bool:
    """Tell whether `value` is a path, as users write it."""
    return isinstance(value, (str, os.PathLike))


def checked_path(value: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a file that can be read now and is not too large.

    It is absolute because a script may change its directory before it logs. Raises FileNotFoundError,
    IsADirectoryError, PermissionError or ValueError.
    """
    path = Path(absolute(value))
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
    if size > MAX_FILE:
        raise ValueError(f"{path} has {size:,} bytes; media are limited to {MAX_FILE:,}. Use tracker.save for it")
    return path


def file_content(value: Any, what: str, known: Collection[str], extension: str | None) -> tuple[bytes | Path, str]:
    """Return the content and the format of a media file given as path, bytes or binary file object.

    The first bytes decide the format, never the name. It must be in `known` and, if `extension` is given, be that
    one. Raises what `checked_path` raises, and ValueError.
    """
    content: bytes | Path
    if is_path(value):
        content = checked_path(value)
        with content.open("rb") as file:
            head = file.read(HEAD)
    else:
        content = bytes(value.read() if hasattr(value, "read") else value)
        head = content[:HEAD]
    found = sniff(head) or ""
    name = content if isinstance(content, Path) else "the data"
    if found not in known:
        reason = "is empty" if not head else f"is not {what} of a known format ({', '.join(sorted(known))})"
        raise ValueError(f"{name} {reason}")
    if extension is not None and found != extension:
        raise ValueError(f"{name} has the format {found!r}, not {extension!r}")
    return content, found


def caption_text(caption: Any) -> str | None:
    """Return a caption as the log can hold it."""
    return None if caption is None else clean_text(str(caption))


def clean_text(text: str) -> str:
    """Replace lone surrogates, which UTF-8 and so the log cannot hold, by question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
