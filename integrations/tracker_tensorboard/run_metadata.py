"""Write the name, group, config and companion files of an imported run, if they are new or have changed.

They go to streams of their own: `edits-tb_….jsonl` and `system-tb_….jsonl`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracker.random_names import random_id
from tracker.runlog.reader import read_stream
from tracker.runlog.records import encode, jsonable
from tracker.runlog.writer import header

_STREAM_PREFIX = "tb_"


class RunMetadata:
    """Knows what earlier imports wrote about a run, and writes what is new."""

    def __init__(self, directory: Path, run: dict[str, str]) -> None:
        self._directory = directory
        self._run = run
        self._noted: dict[str, dict[str, Any]] = {"meta": {}, "config": {}, "file": {}}
        for path in sorted(directory.glob(f"*-{_STREAM_PREFIX}*.jsonl")):
            if not path.name.startswith("history"):
                self._read(path)

    def write_changes(self, meta: dict[str, Any], config: dict[str, Any]) -> None:
        """Write the members of `meta` (name, group) and `config` that are new or have changed."""
        lines = []
        for kind, members in (("meta", meta), ("config", config)):
            new = {k: v for k, v in jsonable(members).items() if self._noted[kind].get(k) != v}
            if new:
                lines.append((kind, new))
        self._write("edits", lines)

    def keep_file(self, name: str, path: Path, store_file: Callable[[Path, Path], tuple[str, int]]) -> bool:
        """Store a file with the run, unless it is stored already; return whether it was new. Raises OSError."""
        status = path.stat()
        mark = {"size": status.st_size, "changed": status.st_mtime_ns}
        if self._noted["file"].get(name) == mark:
            return False
        digest, size = store_file(self._directory, path)
        payload = {"name": name, "digest": digest, "size": size, "path": f"files/{digest}", "tensorboard": mark}
        self._write("system", [("file", payload)])
        return True

    def _read(self, path: Path) -> None:
        for parsed in read_stream(path):
            for record in parsed.records:
                self._learn(record.kind, record.payload)

    def _learn(self, kind: str, payload: dict[str, Any]) -> None:
        if kind == "file":
            self._noted["file"][payload["name"]] = payload.get("tensorboard")
        elif kind in self._noted:
            self._noted[kind].update(jsonable(payload))

    def _write(self, stream: str, lines: list[tuple[str, dict[str, Any]]]) -> None:
        if not lines:
            return
        now = time.time()
        # Names sort by time. If this write is cut short, the next import does not find it and writes it again.
        path = self._directory / f"{stream}-{_STREAM_PREFIX}{time.time_ns():016x}{random_id(4)}.jsonl"
        records = [("run", header(stream, **self._run)), *lines]
        with path.open("xb") as file:
            file.write(b"".join(encode(kind, payload, now) for kind, payload in records))
        for kind, payload in lines:
            self._learn(kind, payload)
