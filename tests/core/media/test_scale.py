from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from array import array
from typing import Any

import numpy as np
import pytest

from tracker.media import Histogram
from tracker.media.arrays import plain
from tracker.media.scale import finite_range, to_int16, to_uint8

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([False, True]), [0, 255]),
        (np.array([0, 7, 255], dtype=np.uint8), [0, 7, 255]),
        (np.array([0, 7, 255], dtype=np.int64), [0, 7, 255]),
        (np.array([-10, 0, 10]), [0, 128, 255]),
        (np.array([0, 65535], dtype=np.uint16), [0, 255]),
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([-1.0, 0.0, 1.0]), [0, 128, 255]),
        (np.array([0.0, 100.4, 255.0]), [0, 100, 255]),
        (np.array([0.0, 500.0, 1000.0]), [0, 128, 255]),
        (np.array([NAN, INF, -INF, 0.0, 1.0]), [0, 255, 0, 0, 255]),
        (np.array([NAN, NAN]), [0, 0]),
        (np.array([300.0, 300.0, INF]), [0, 0, 255]),
        (np.array([-1.7e308, 1.7e308]), [0, 255]),
    ],
)
def test_values_become_pixels_by_the_documented_rule(values: Any, expected: Any) -> None:
    assert to_uint8(plain(values)).tolist() == expected
    assert to_uint8(plain(values.tolist())).tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 1.0, -1.0, 0.5], [0, 32767, -32767, 16384]),
        ([2.0, -3.0, NAN, INF, -INF], [32767, -32767, 0, 32767, -32767]),
        ([-32768, 0, 32767], [-32768, 0, 32767]),
    ],
)
def test_values_become_16_bit_samples(values: Any, expected: Any) -> None:
    assert to_int16(plain(values)).tolist() == expected
    assert to_int16(plain(np.array(values))).tolist() == expected


def test_integers_beyond_16_bits_are_refused_as_samples() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        to_int16(plain([40_000]))


def test_the_finite_range_ignores_non_finite_values() -> None:
    assert finite_range(plain([NAN, -2.0, INF, 5.0])) == (-2.0, 5.0)
    assert finite_range(plain([NAN])) == (0.0, 0.0)
    assert finite_range(plain([])) == (0.0, 0.0)


WITHOUT_NUMPY = """
import sys, json
from array import array
from tracker.media import Histogram
from tracker.media.arrays import plain
from tracker.media.scale import to_int16, to_uint8
values = array("d", bytes.fromhex(sys.stdin.read()))
histogram = Histogram(values)
print(json.dumps([to_uint8(plain(values)).tolist(), to_int16(plain(values)).tolist(),
                  histogram.bins, histogram.counts, histogram.nonfinite]))
assert "numpy" not in sys.modules
"""


@pytest.mark.parametrize("spread", [1.0, 100.0, 1e308, 1e-310])
def test_pure_python_and_numpy_give_the_same(spread: float) -> None:
    generator = random.Random(3)
    values = array("d", [generator.uniform(-1, 1) * spread for _ in range(2000)] + [NAN, INF, -INF, 0.0])
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMPY], input=values.tobytes().hex(), capture_output=True, text=True, check=True
    )
    pixels, samples, bins, counts, nonfinite = json.loads(done.stdout)
    assert pixels == to_uint8(plain(values)).tolist()
    assert samples == to_int16(plain(values)).tolist()
    histogram = Histogram(np.array(values))
    assert (bins, counts, nonfinite) == (histogram.bins, histogram.counts, histogram.nonfinite)
    assert nonfinite == 3
