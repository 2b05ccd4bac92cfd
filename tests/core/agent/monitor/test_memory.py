from __future__ import annotations

from collections.abc import Callable

import pytest


def test_used_and_available_memory_add_up_to_the_total(average: Callable[..., dict[str, float]]) -> None:
    values = average("memory")
    total, available = values["memory/total_bytes"], values["memory/available_bytes"]
    assert 0 < available < total
    assert values["memory/used_percent"] == pytest.approx(100 * (total - available) / total, abs=0.5)
