"""A store of content for the tests of media."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.core.media.memory_store import MemoryStore

# Arrays and pictures are compared with what numpy, Pillow and matplotlib make of them. Where these are not installed,
# the other
# tests show that media work without them.
if not all(find_spec(name) for name in ("numpy", "PIL", "matplotlib")):
    collect_ignore = [
        f"test_{name}.py"
        for name in ("arrays", "audio", "convert", "histogram", "image", "plotly", "scale", "table", "video")
    ]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
