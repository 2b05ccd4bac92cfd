from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest


def test_the_space_is_that_of_the_filesystem_of_the_run_directory(
    average: Callable[..., dict[str, float]], tmp_path: Path
) -> None:
    values = average("disk")
    there = shutil.disk_usage(tmp_path)
    assert values["disk/free_bytes"] == pytest.approx(there.free, rel=0.05)
    assert values["disk/used_percent"] == pytest.approx(100 * there.used / (there.used + there.free), abs=2)


def test_rates_are_the_counts_of_the_disks_divided_by_the_seconds_between_samples(monitor: Callable[..., Any]) -> None:
    made, written = monitor("disk", average_over=1e9, sample_interval=1e9)
    counted = [psutil.disk_io_counters(nowrap=False)]
    made.tick(0.0)
    counted.append(psutil.disk_io_counters(nowrap=False))
    counted.append(psutil.disk_io_counters(nowrap=False))
    made.tick(4.0)
    counted.append(psutil.disk_io_counters(nowrap=False))
    made.stop()
    for key, field in (("disk/read_bytes_per_s", "read_bytes"), ("disk/write_bytes_per_s", "write_bytes")):
        a, b, c, d = (getattr(c, field) for c in counted)
        assert c - b <= round(4.0 * written[0][key]) <= d - a
