"""The content of a file does not depend on when it is read, how much of it exists by then, or where reading begins."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tests.integrations.tensorboard.reader.crafted import (
    SHAPES,
    Found,
    event,
    flat,
    header,
    histogram,
    read_slowly,
    record,
    simple,
)
from tracker_tensorboard.reader import EventFile

numbers = st.floats(width=32)
steps = st.integers(0, 40_000)
tags = st.sampled_from(["loss", "acc", "x", "train/loss"])
scalar = st.builds(
    lambda shape, tag, number, step: event(shape(tag, number), step=step), st.sampled_from(SHAPES), tags, numbers, steps
)
runs = st.builds(
    lambda shape, tag, step, count: b"".join(event(shape(tag, i), step=step + i) for i in range(count)),
    st.sampled_from(SHAPES),
    tags,
    steps,
    st.integers(1, 60),
)
several = st.builds(lambda tag, number: event(simple(tag, number), simple("other", 1)), tags, numbers)
others = st.sampled_from([event(histogram()), record(b""), record(b"\xff"), event(file_version="brain.Event:2")])
damage = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda part, cut: part[:cut], scalar, st.integers(0, 60)),
    st.builds(lambda length: header(length), st.integers(0, 300)),
    st.builds(bytes, st.integers(0, 200)),
)
files = st.lists(st.one_of(scalar, runs, several, others, damage), max_size=12).map(b"".join)


def grown(data: bytes, cuts: list[int], reopened: bool) -> tuple[Found, int]:
    """Read a growing file at each of these sizes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "tfevents")
        path.write_bytes(b"")
        file = EventFile(path)
        found: Found = []
        for cut in [*sorted(cuts), len(data)]:
            path.write_bytes(data[:cut])
            if reopened:
                file = EventFile(path, file.offset, file.metadata)
            found += flat(file.read())
        assert file.pending == len(data) - file.offset
        return found, file.offset


@given(files, st.lists(st.integers(0, 3000), max_size=6), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_file_gives_the_same_items_however_it_grew(data: bytes, cuts: list[int], reopened: bool) -> None:
    found = grown(data, [min(cut, len(data)) for cut in cuts], reopened)
    assert found == grown(data, [], False)
    assert found == read_slowly(data)
