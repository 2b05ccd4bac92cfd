"""Row 28: event files with any bytes in them.

`TRACKER_TEST_EXAMPLES` says how many are tried; without it few are, as this is also part of the whole suite.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integrations.tensorboard.reader.crafted import (
    SHAPES,
    event,
    flat,
    header,
    histogram,
    read_slowly,
    record,
    simple,
)
from tracker_tensorboard.reader import Damage, EventFile

EXAMPLES = int(os.environ.get("TRACKER_TEST_EXAMPLES", "100"))

tags = st.sampled_from(["loss", "acc", "train/loss", "", "x" * 70])
numbers = st.sampled_from([0.0, 1.0, -2.5, float("nan"), float("inf"), 1e-40])
steps = st.sampled_from([0, 1, 100, 127, 16380, 2**40, 2**60, -1])
runs = st.builds(
    lambda shape, tag, number, step, count: b"".join(
        event(shape(tag, number), time=1e9 + i, step=step + i) for i in range(count)
    ),
    st.sampled_from(SHAPES),
    tags,
    numbers,
    steps,
    st.integers(1, 30),
)
others = st.sampled_from(
    [event(histogram()), event(simple("a", 1), simple("b", 2)), event(file_version="brain.Event:2"), record(b"")]
)
payloads = st.binary(max_size=60).map(record)  # sound records of anything
lies = st.builds(lambda length, rest: header(length) + rest, st.integers(0, 2**64 - 1), st.binary(max_size=30))
pieces = st.one_of(runs, runs, others, payloads, lies, st.binary(max_size=60), st.integers(0, 600).map(bytes))
harms = st.tuples(st.floats(0, 1), st.sampled_from(["flip", "drop", "insert", "double", "cut"]), st.binary(max_size=20))


def harm(data: bytes, where: float, how: str, junk: bytes) -> bytes:
    at = int(where * len(data))
    if how == "flip":
        return data[:at] + bytes(byte ^ 0x10 for byte in data[at : at + 1]) + data[at + 1 :]
    if how == "drop":
        return data[:at] + data[at + len(junk) :]
    if how == "insert":
        return data[:at] + junk + data[at:]
    return data[:at] + data[at // 2 :] if how == "double" else data[:at]


@given(st.lists(pieces, max_size=8), st.lists(harms, max_size=4), st.integers(0, 5000))
@settings(max_examples=EXAMPLES, deadline=None)
def test_of_any_bytes_each_is_read_set_aside_or_pending_as_record_by_record(
    parts: list[bytes], harmed: list[tuple[float, str, bytes]], first: int
) -> None:
    data = b"".join(parts)
    for where, how, junk in harmed:
        data = harm(data, where, how, junk)
    expected = read_slowly(data)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "tfevents")
        path.write_bytes(data[:first])
        file = EventFile(path)
        items = list(file.read())
        path.write_bytes(data)
        items += file.read()
        assert (flat(items), file.offset) == expected
        at = 0  # damage, and the ends of all else, go forward through the file
        for item in items:
            assert item.end > at or isinstance(item, Damage)
            at = item.end
        unchecked = EventFile(path, check=False)
        for _ in unchecked.read():
            pass
        assert unchecked.offset + unchecked.pending == len(data)
