"""Provide a store of content for the tests of media."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.core.media.memory_store import MemoryStore

# Arrays and images are compared with the results of numpy, Pillow and matplotlib. Without these, the other tests show
# that media work without them.
if not all(find_spec(name) for name in ("numpy", "PIL", "matplotlib")):
    collect_ignore = [
        f"test_{name}.py"
        for name in ("arrays", "audio", "convert", "histogram", "image", "plotly", "scale", "table", "video")
    ]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
