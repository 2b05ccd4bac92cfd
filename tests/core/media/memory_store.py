"""Store content in memory for the tests of media."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


class MemoryStore(dict[str, bytes]):
    """Keeps content by digest, as a run does with its `files` folder."""

    def __call__(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self[digest] = data
        return digest

    def content(self, record: Mapping[str, Any]) -> bytes:
        """Return the stored content that a record names, after checking its digest and size."""
        data = self[record["digest"]]
        assert record["size"] == len(data)
        return data
