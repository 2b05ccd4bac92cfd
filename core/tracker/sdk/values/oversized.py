"""Keep records that are too long for a line: large members become files of the run, the others stay in its log."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from tracker.runlog.long_records import ROOM, size, split

_WORTH = 64 * 1024  # bytes of a member that is worth a file of its own
_TEXT = 10_000  # characters that stay of a text that becomes a file
_ABOUT = ("name", "group", "job_type", "tags", "notes")
_ODD = re.compile(r"[^\w.+=@-]+")
_DEPTH = 20
_MANY = 10_000  # members from which an object, such as a vocabulary, becomes one file
_SUBJECTS = {kind: f"oversized/{kind}" for kind in ("config", "summary", "meta")}
"""Folders of the files. Rows name their files by digest alone, since there may be one per step."""

Store = Callable[[bytes], str]
"""Keeps content as a file of the run and returns its digest; may raise OSError."""


class Parts(NamedTuple):
    """Short records (kind and payload) that replace one that is too long, and the reasons why something is lost."""

    records: list[tuple[str, dict[str, Any]]]
    lost: list[str]


def parts(kind: str, payload: Any, store: Store) -> Parts:
    """Return the records to write in place of one that is too long.

    Members that are too large become files, and their place in the record names the file (`{"_type": "file", "digest":
    …}`). Texts that must stay text are cut after their beginning. A config or summary that is too long although all its
    members are small is split into several records, a row into several rows.
    """
    if kind not in ("log", *_SUBJECTS) or not isinstance(payload, dict):
        return Parts([], [f"it is lost ({kind}, {size(payload):,} bytes)"])
    shrinking = _Shrinking(kind, store)
    room = ROOM if kind == "log" else sum(map(size, payload.values())) + ROOM
    if kind == "meta":
        small = {name: shrinking.text(value, name) for name, value in payload.items()}
    elif kind == "log":
        small = shrinking.members(payload, room, "")
    else:
        small = {name: shrinking.member(value, ROOM, str(name)) for name, value in payload.items()}
    records = [*shrinking.files, *((kind, part) for part in split(small))]
    unfit = (name for name, value in small.items() if size(name) + size(value) + 2 > ROOM)
    shrinking.lost += [f"a name of {size(name):,} bytes" for name in unfit]
    return Parts(records, shrinking.lost)


def shortened(header: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the payload of a stream's first line without what makes it too long, and the texts that were cut."""
    cut = {name: value for name, value in header.items() if size(value) >= _WORTH}
    texts = {name: value for name, value in cut.items() if name in _ABOUT}
    kept = {name: value for name, value in header.items() if name not in cut}
    return {**kept, **{name: _beginning(value) for name, value in texts.items()}}, texts


class _Shrinking:
    """Makes one record smaller."""

    def __init__(self, kind: str, store: Store) -> None:
        self._subject = _SUBJECTS.get(kind)
        self._store = store
        self.files: list[tuple[str, dict[str, Any]]] = []
        self.lost: list[str] = []

    def members(self, members: dict[str, Any], room: int, path: str, depth: int = 0) -> dict[str, Any]:
        """Move members to files, the largest first, until the rest fits or only small ones are allowed."""
        sizes = {name: size(name) + size(value) + 2 for name, value in members.items()}
        total = sum(sizes.values())
        found = dict(members)
        for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if total <= room or sizes[name] < _WORTH:
                break
            allowed = max(sizes[name] - (total - room), _WORTH)
            found[name] = self.member(members[name], allowed, f"{path}/{name}" if path else str(name), depth)
            total += size(name) + size(found[name]) + 2 - sizes[name]
        return found

    def member(self, value: Any, room: int, path: str, depth: int = 0) -> Any:
        """Return a value that fits: itself, an object with some members in files, or a reference to its file."""
        if size(value) <= room:
            return value
        if type(value) is dict and "_type" not in value and len(value) <= _MANY and depth < _DEPTH:
            smaller = self.members(value, room, path, depth + 1)
            if size(smaller) <= room:
                return smaller
        return self._aside(value, path)

    def text(self, value: Any, name: str) -> Any:
        """Return a text, or a list of texts, cut after its beginning if it is too long; the whole becomes a file."""
        if size(value) < _WORTH:
            return value
        kept = self._aside(value, name)
        more = f"… ({kept['size']:,} bytes, the whole is the file {kept['name']})" if isinstance(kept, dict) else "…"
        return _beginning(value, more)

    def _aside(self, value: Any, path: str) -> Any:
        text = isinstance(value, str)
        content = value.encode() if text else orjson.dumps(value)
        kind = "txt" if text else "json"
        try:
            digest = self._store(content)
        except OSError as error:
            self.lost.append(f"{path[:200]!r} of {len(content) / 2**20:.1f} MiB could not be kept as a file: {error}")
            return f"<lost: {len(content):,} bytes>"
        kept: dict[str, Any] = {"_type": "file", "digest": digest, "size": len(content), "format": kind}
        if self._subject is not None:
            kept["name"] = _file_name(f"{self._subject}/{path}", kind)
            file = {"name": kept["name"], "digest": digest, "size": len(content), "path": f"files/{digest}"}
            self.files.append(("file", file))
        return kept


def _beginning(value: Any, more: str = "…") -> Any:
    if isinstance(value, list):
        return [str(item)[:100] for item in value[:100]]
    return f"{str(value)[:_TEXT]}{more}"


def _file_name(path: str, kind: str) -> str:
    name = "/".join([_ODD.sub("_", part).lstrip(".")[:80] or "_" for part in path.split("/")][:8])
    if name != path:  # another path may give the same name
        name = f"{name}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"
    return f"{name}.{kind}"
