from __future__ import annotations

import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Text


def test_text_is_written_into_the_row(store: MemoryStore) -> None:
    assert Text("a\né").record(store) == {"_type": "text", "value": "a\né"}
    assert Text("a\udfff").record(store)["value"] == "a?"
    assert not store


def test_only_strings_of_limited_length_are_text() -> None:
    with pytest.raises(TypeError, match="not bytes"):
        Text(b"a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1,048,577 characters"):
        Text("a" * (1024**2 + 1))
