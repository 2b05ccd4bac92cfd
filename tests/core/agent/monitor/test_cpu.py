from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any


def burn(seconds: float = 0.15) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_a_busy_machine_has_a_high_percentage(average: Callable[..., dict[str, float]]) -> None:
    values = average("cpu", between=burn)
    assert 0 < values["cpu/percent"] <= 100
    assert 0 <= values["cpu/iowait_percent"] <= 100
    assert 0 < values["cpu/cores"] <= os.cpu_count()  # type: ignore[operator]


def test_there_is_no_percentage_before_the_second_sample(monitor: Callable[..., Any]) -> None:
    made, written = monitor("cpu")
    made.tick(0.0)
    made.stop()
    assert written[0].keys() == {"cpu/cores"}
