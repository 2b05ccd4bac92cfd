"""A store of content for the tests of media."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec

import pytest

# Arrays and pictures are compared with what numpy, Pillow and matplotlib make of them. Where these are not installed,
# the other
# tests show that media work without them.
if not all(find_spec(name) for name in ("numpy", "PIL", "matplotlib")):
    collect_ignore = [
        f"test_{name}.py"
        for name in ("arrays", "audio", "convert", "histogram", "image", "plotly", "scale", "table", "video")
    ]


class MemoryStore(dict[str, bytes]):
    """Keeps content by digest, as a run does with its `files` folder."""

    def __call__(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self[digest] = data
        return digest

    def content(self, record: dict) -> bytes:
        """The stored content that a record names, after checking what the record says about it."""
        data = self[record["digest"]]
        assert record["size"] == len(data)
        return data


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
