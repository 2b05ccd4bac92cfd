"""Reading scalar events, in columns and one by one."""

from __future__ import annotations

import math
import random
import struct
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tensorboard.compat.proto import summary_pb2, types_pb2

from tests.integrations.tensorboard.reader.crafted import (
    SHAPES,
    START,
    catboost,
    event,
    float_content,
    histogram,
    read,
    read_slowly,
    record,
    simple,
    tensor,
)
from tracker_tensorboard.reader import EventFile, Message, Scalars, event_file, scalar_values

TAGS = ["loss", "acc", "train/accuracy", "a" * 60, "", "τ/😀", "lose"]


def same(path: Path, records: Iterable[bytes]) -> None:
    """Assert that both readers find the same in the whole file, without damage."""
    data = b"".join(records)
    path.write_bytes(data)
    expected, usable = read_slowly(data)
    assert usable == len(data)
    file = EventFile(path)
    found = read(path)
    assert found == expected
    list(file.read())
    assert (file.offset, file.pending) == (len(data), 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_to_write_a_scalar_is_read_exactly(path: Path, shape: Callable[..., Any]) -> None:
    chance = random.Random(1)
    same(
        path,
        [event(file_version="brain.Event:2")]
        + [
            event(shape(tag, chance.uniform(-1, 1)), time=START + chance.random(), step=step)
            for step in range(150)
            for tag in TAGS
        ],
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_of_a_large_file_few_scalars_are_read_one_by_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, shape: Callable[..., Any]
) -> None:
    parsed = 0

    def counting(payload: bytes) -> Any:
        nonlocal parsed
        parsed += 1
        return scalar_values.parse(payload)

    monkeypatch.setattr(event_file, "parse", counting)
    same(path, [event(shape(tag, step), time=START + step, step=step * 9) for step in range(2500) for tag in TAGS])
    assert parsed < 200  # of two readings


def test_all_ways_to_write_scalars_can_be_mixed_with_other_events(path: Path) -> None:
    chance = random.Random(2)
    records = []
    for step in range(4000):
        tag = f"{chance.choice(TAGS)}{chance.randrange(3)}"
        values = [chance.choice(SHAPES)(tag, chance.random())]
        if step % 97 == 0:
            values = [histogram()]
        elif step % 31 == 0:
            values = [simple("a", 1), simple("b", 2), float_content("c", 3)]
        elif step % 53 == 0:
            values = [simple("a", 1), histogram()]
        records.append(event(*values, time=START + step, step=chance.randrange(30000)))
    same(path, records)


def test_steps_of_any_size_are_read_exactly(path: Path) -> None:
    steps = [0, 1, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**35, 2**49 - 1, 2**49, 2**62, 2**63 - 1, -1, -(2**63)]
    same(path, [event(simple("loss", i), step=step) for step in steps for i in range(40)])


def test_times_and_values_of_any_kind_are_read_exactly(path: Path) -> None:
    odd = [math.nan, math.inf, -math.inf, -0.0, 1e-45, 3.4e38, 0.1]
    same(path, [event(simple("loss", v), time=t, step=i) for i in range(3) for v in odd for t in (*odd, START, -1.0)])


def test_signalling_nans_are_read_as_values(path: Path) -> None:
    bits = event(simple("loss", 1.0), step=7)[12:-4].replace(struct.pack("<f", 1.0), b"\x01\x00\xa0\x7f")
    path.write_bytes(b"".join([event(simple("loss", 1.0), step=7)] * 40 + [record(bits)] * 40))
    assert [value for *_, value in read(path)] == ["1.0"] * 40 + ["nan"] * 40


def test_fields_can_be_reordered_unknown_repeated_or_encoded_with_extra_bytes(path: Path) -> None:
    time = struct.pack("<d", START)
    number = struct.pack("<f", 1.5)
    loss = b"\x0a\x04loss\x15" + number
    payloads = [
        b"\x2a\x0d\x0a\x0b" + loss + b"\x10\x07\x09" + time,  # summary first
        b"\x09" + time + b"\x10\x07\x2a\x0d\x0a\x0b\x15" + number + b"\x0a\x04loss",  # value first
        b"\x09" + time + b"\x10\x87\x80\x00\x2a\x0d\x0a\x0b" + loss,  # a long varint
        b"\x09" + time + b"\x09" + time + b"\x10\x01\x10\x07\x2a\x0d\x0a\x0b" + loss,  # twice
        b"\x09" + time + b"\x10\x07\x2a\x10\x0a\x0e" + loss + b"\xf8\x07\x2a",  # unknown field
        b"\x09" + time + b"\x10\x07\x2a\x12\x0a\x10" + loss + b"\x15" + number,  # the value twice
        b"\x09" + time + b"\x10\x07\x2a\x0d\x0a\x0b" + loss + b"\x2a\x0d\x0a\x0b" + loss,  # two summaries
        b"\x2a\x0d\x0a\x0b" + loss,  # no time
    ]
    same(path, [record(payload) for payload in payloads for _ in range(30)])


def test_events_without_values_are_read_as_messages(path: Path) -> None:
    empty = event(simple("loss", 1))
    path.write_bytes(empty + record(b"") + record(b"\x2a\x00") + empty)
    first, *messages, last = EventFile(path).read()
    assert isinstance(first, Scalars)
    assert isinstance(last, Scalars)
    assert [type(item) for item in messages] == [Message, Message]
    assert [(item.start, item.end) for item in messages if isinstance(item, Message)] == [
        (len(empty), len(empty) + 16),
        (len(empty) + 16, len(empty) + 34),
    ]


def test_thousands_of_tags_and_tags_too_long_for_columns_are_read(path: Path) -> None:
    tags = [f"tag{i}" for i in range(3000)] + ["x" * 600, "y" * 3000]
    same(path, [event(simple(tag, step), step=step) for step in range(4) for tag in tags])


def test_the_pattern_of_tags_can_change_anywhere(path: Path) -> None:
    records = []
    for step in range(6000):
        tags = TAGS[:4] if step % 1100 else TAGS
        records += [event(catboost(tag, step), time=START + step, step=step) for tag in tags]
    same(path, records)


def test_tags_keep_their_indices_throughout_a_file(path: Path) -> None:
    path.write_bytes(
        b"".join(
            event(simple(f"t{i % 50}", i), histogram()) if i % 9 == 0 else event(simple(f"t{i % 50}", i))
            for i in range(500)
        )
    )
    pieces = [item for item in EventFile(path).read() if isinstance(item, Scalars)]
    assert len(pieces) > 1
    assert all(piece.tags is pieces[0].tags for piece in pieces)
    assert sorted(pieces[0].tags) == sorted(set(pieces[0].tags))


@pytest.mark.parametrize(
    ("dtype", "members", "expected"),
    [
        ("DT_FLOAT", {"float_val": [0.1]}, 0.10000000149011612),
        ("DT_DOUBLE", {"double_val": [0.1]}, 0.1),
        ("DT_HALF", {"half_val": [0x3555]}, 0.333251953125),
        ("DT_HALF", {"half_val": [0x3EAAA000]}, 0.333251953125),  # as PyTorch writes it
        ("DT_HALF", {"half_val": [-0x41556000]}, -0.333251953125),
        ("DT_HALF", {"tensor_content": b"\x55\x35"}, 0.333251953125),
        ("DT_BFLOAT16", {"half_val": [0x3EAB]}, 0.333984375),
        ("DT_BFLOAT16", {"half_val": [0x3EAB0000]}, 0.333984375),
        ("DT_BFLOAT16", {"tensor_content": b"\xab\x3e"}, 0.333984375),
        ("DT_INT8", {"int_val": [-128]}, -128.0),
        ("DT_UINT8", {"int_val": [255]}, 255.0),
        ("DT_UINT8", {"uint32_val": [255]}, 255.0),  # as PyTorch writes it
        ("DT_INT16", {"tensor_content": b"\x00\x80"}, -32768.0),
        ("DT_UINT16", {"int_val": [65535]}, 65535.0),
        ("DT_INT32", {"int_val": [-(2**31)]}, -(2.0**31)),
        ("DT_UINT32", {"uint32_val": [2**32 - 1]}, 2.0**32 - 1),
        ("DT_INT64", {"int64_val": [2**53]}, 2.0**53),
        ("DT_UINT64", {"uint64_val": [2**63]}, 2.0**63),
        ("DT_BOOL", {"bool_val": [True]}, 1.0),
        ("DT_BOOL", {"tensor_content": b"\x00"}, 0.0),
        ("DT_FLOAT", {"float_val": [1, 2]}, None),
        ("DT_FLOAT", {}, None),
        ("DT_FLOAT", {"tensor_content": b"\x00\x00"}, None),
        ("DT_INT8", {"int_val": [300]}, None),
        ("DT_STRING", {"string_val": [b"1"]}, None),
        ("DT_COMPLEX64", {"scomplex_val": [1, 0]}, None),
    ],
)
def test_only_tensors_of_one_number_are_scalars_for_any_type(
    path: Path, dtype: str, members: dict[str, Any], expected: float | None
) -> None:
    for shape in ((), (1,), (1, 1)):
        value = tensor("x", shape=shape, dtype=getattr(types_pb2, dtype), **members)
        path.write_bytes(event(value, step=3) * 3)
        items = list(EventFile(path).read())
        if expected is None:
            assert [type(item) for item in items] == [Message] * 3
        else:
            (scalars,) = items
            assert isinstance(scalars, Scalars)
            assert scalars.values.tolist() == [expected] * 3
    several = tensor("x", shape=(2,), dtype=getattr(types_pb2, dtype), **members)
    path.write_bytes(event(several))
    assert [type(item) for item in EventFile(path).read()] == [Message]


@pytest.mark.parametrize(
    ("plugin", "scalar"), [("scalars", True), ("tensor", True), ("", True), ("pr_curves", False), ("own", False)]
)
def test_the_first_metadata_of_a_tag_says_whether_its_tensors_are_scalars(
    path: Path, plugin: str, scalar: bool
) -> None:
    def value(plugin: str | None) -> summary_pb2.Summary.Value:
        return tensor("x", plugin, dtype=types_pb2.DT_FLOAT, float_val=[1])

    later = [event(value(other), step=i) for i in range(30) for other in (None, "scalars", "own")]
    path.write_bytes(b"".join([event(value(None)) * 30, event(value(plugin)), *later]))
    kinds = [len(entry) == 4 for entry in read(path)]
    assert kinds == [True] * 30 + [scalar] * 91


def test_reading_continues_with_the_metadata_of_an_earlier_reading(path: Path) -> None:
    first = event(tensor("x", "own", dtype=types_pb2.DT_FLOAT, float_val=[1]))
    path.write_bytes(first + event(tensor("x", None, dtype=types_pb2.DT_FLOAT, float_val=[2])))
    before = EventFile(path)
    whole = [type(item) for item in before.read()]
    after = EventFile(path, len(first), before.metadata)
    assert whole == [Message, Message]
    assert [type(item) for item in after.read()] == [Message]
    assert after.metadata["x"].plugin_data.plugin_name == "own"


def test_files_of_one_run_can_share_the_metadata_of_their_tags(tmp_path: Path) -> None:
    first, second = tmp_path / "tfevents.1", tmp_path / "tfevents.2"
    first.write_bytes(event(tensor("x", "own", dtype=types_pb2.DT_FLOAT, float_val=[1])))
    second.write_bytes(event(tensor("x", None, dtype=types_pb2.DT_FLOAT, float_val=[1])))
    metadata: dict[str, Any] = {}
    assert [type(item) for path in (first, second) for item in EventFile(path, metadata=metadata).read()] == [
        Message
    ] * 2
    assert [type(item) for item in EventFile(second).read()] == [Scalars]


def test_a_large_file_is_read_with_little_memory(path: Path) -> None:
    block = b"".join(event(simple(f"tag{i % 30}", i), time=START + i, step=i) for i in range(20_000))
    with path.open("wb") as file:
        for _ in range(30):
            file.write(block)
    tracemalloc.start()
    try:
        count = sum(len(item.values) for item in EventFile(path).read() if isinstance(item, Scalars))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 600_000
    assert path.stat().st_size > 25 * 2**20
    assert peak < 16 * 2**20
