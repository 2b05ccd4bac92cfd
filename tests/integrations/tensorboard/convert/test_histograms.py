from __future__ import annotations

import math
import struct
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from hypothesis import given
from hypothesis import strategies as st
from tensorboard import data_compat
from tensorboard.compat.proto import types_pb2
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.util import tensor_util

from .converted import Converted, convert, in_event
from .values import Value, numbers

HUGE = sys.float_info.max


def proto(limits: list[float], buckets: list[float], **members: float) -> Value:
    value = Value(tag="h")
    value.histo.bucket_limit.extend(limits)
    value.histo.bucket.extend(buckets)
    for name, number in members.items():
        setattr(value.histo, name, number)
    return value


def rows(*rows: tuple[float, float, float]) -> Value:
    content = b"".join(struct.pack("<3d", *row) for row in rows)
    return numbers("h", "histograms", types_pb2.DT_DOUBLE, [len(rows), 3], "tensor_content", content)


def shown_by_tensorboard(value: Value) -> Any:
    return tensor_util.make_ndarray(data_compat.migrate_value(value).tensor)


def test_a_proto_gives_the_bins_that_tensorboard_shows_between_min_and_max() -> None:
    value = proto([-HUGE, -1, 0, 1, HUGE, HUGE], [0, 2, 3, 0.5, 4, 0], min=-3, max=7, num=9.5, sum=1, sum_squares=2)
    found = convert(value).one("h")
    assert found["bins"] == [-3, -1, 0, 1, 7]
    assert found["counts"] == [2, 3, 0.5, 4]
    shown = shown_by_tensorboard(value)
    assert [*shown[:, 0], shown[-1, 1]] == found["bins"]


def test_counts_are_integers_if_all_are_whole() -> None:
    found = convert(proto([1, 2], [3, 4], min=0, max=2, num=7)).one("h")
    assert found["counts"] == [3, 4]
    assert all(type(count) is int for count in found["counts"])


def test_a_proto_without_counts_is_one_empty_bin() -> None:
    found = convert(proto([0, 1], [0, 0], min=HUGE, max=-HUGE)).one("h")
    assert (found["bins"], found["counts"]) == ([0, 1], [0])


def test_equal_numbers_get_one_bin_around_them() -> None:
    found = convert(proto([2, 3], [0, 5], min=2, max=2, num=5, sum=10)).one("h")
    assert (found["bins"], found["counts"]) == ([1.5, 2.5], [5])
    assert found["tensorboard"]["min"] == found["tensorboard"]["max"] == 2


def test_a_tensor_keeps_its_bins_including_empty_ones() -> None:
    found = convert(rows((0, 1, 0), (1, 2, 5), (2, 4, 0))).one("h")
    assert found == {"_type": "histogram", "bins": [0, 1, 2, 4], "counts": [0, 5, 0]}


@pytest.mark.parametrize(
    ("data", "bins", "counts"),
    [([], [0, 1], [0]), ([7.0] * 4, [6.5, 7.5], [4]), ([1e300] * 2, None, [2])],
    ids=["nothing", "one value", "one huge value"],
)
def test_histograms_that_tensorflow_writes_for_no_or_equal_data(
    data: list[float],
    bins: list[float] | None,
    counts: list[int],
) -> None:
    (value,) = histogram_pb("h", np.array(data), buckets=6).value
    found = convert(value).one("h")
    assert found["counts"] == counts
    assert found["bins"] == bins or (bins is None and found["bins"][0] < 1e300 < found["bins"][1])


def test_buckets_at_nan_and_infinity_are_counted_as_nonfinite() -> None:
    found = convert(rows((math.nan, math.nan, 3), (0, 1, 2), (1, math.inf, 4))).one("h")
    assert (found["bins"], found["counts"], found["nonfinite"]) == ([0, 1], [2], 7)


def test_a_histogram_of_float32_and_of_int64_is_exact() -> None:
    single = np.array([[0.1, 0.2, 3]], "<f4")
    found = convert(numbers("h", "histograms", types_pb2.DT_FLOAT, [1, 3], "tensor_content", single.tobytes())).one("h")
    assert found["bins"] == [float(np.float32(0.1)), float(np.float32(0.2))]
    found = convert(numbers("h", "histograms", types_pb2.DT_INT64, [1, 3], "int64_val", [0, 1, 3])).one("h")
    assert (found["bins"], found["counts"]) == ([0, 1], [3])


@pytest.mark.parametrize(
    "value",
    [
        proto([1, 2], [3]),
        numbers("h", "histograms", types_pb2.DT_DOUBLE, [2], "double_val", [1, 2]),
        numbers("h", "histograms", types_pb2.DT_DOUBLE, [2, 3], "tensor_content", b"short"),
        numbers("h", "histograms", types_pb2.DT_DOUBLE, [100_000_000, 3], "double_val", [1]),
    ],
    ids=["lengths differ", "no k x 3", "content too short", "claims to be huge"],
)
def test_an_invalid_histogram_is_stored_as_a_file_with_the_reason(value: Value) -> None:
    found = convert(value)
    assert found.rows("h") == []
    (file,) = found.of_kind("file")
    assert Value.FromString(found.files[file["digest"]]) == value
    assert list(found.skipped) == [("h", file["tensorboard"]["reason"])]


anything = st.floats(width=64)
triples = st.tuples(anything, anything, anything)
sound = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8, unique=True).map(sorted)


@given(st.lists(triples, max_size=6))
def test_any_tensor_gives_ascending_bins_and_is_exported_as_it_was(data: list[tuple[float, float, float]]) -> None:
    converted = Converted()
    converted.add([in_event(rows(*data))])
    found = converted.one("h")
    assert all(a < b for a, b in zip(found["bins"], found["bins"][1:], strict=False))
    assert all(map(math.isfinite, found["bins"]))
    assert len(found["counts"]) == len(found["bins"]) - 1 >= 1
    payload, value = converted.again("h")
    assert repr(payload) == repr(found)
    assert repr(tensor_util.make_ndarray(value.tensor).tolist()) == repr([list(row) for row in data])


@given(sound, st.data())
def test_any_proto_is_exported_with_the_bins_that_tensorboard_shows(limits: list[float], data: st.DataObject) -> None:
    count = st.floats(0, 1e9)
    buckets = data.draw(st.lists(count, min_size=len(limits), max_size=len(limits)))
    filled = [at for at, bucket in enumerate(buckets) if bucket > 0]
    low = limits[filled[0]] - 1 if filled else 0.0
    value = proto(
        limits, buckets, min=low, max=limits[filled[-1]] if filled else 0.0, num=sum(buckets), sum=3, sum_squares=4
    )
    converted = Converted()
    converted.add([in_event(value)])
    payload, again = converted.again("h")
    assert payload == converted.one("h")
    assert shown_by_tensorboard(again).tobytes() == shown_by_tensorboard(value).tobytes()
    for name in ("min", "max", "num", "sum", "sum_squares"):
        assert getattr(again.histo, name) == getattr(value.histo, name)
