"""Create event files byte by byte, and read them with a second, simple reader: record by record, by protobuf alone."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from google_crc32c import value as crc32c
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from tracker_tensorboard.reader import LARGEST, Damage, EventFile, Message, Scalars

START = 1.7e9
Found = list[tuple[Any, ...]]


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def header(length: int) -> bytes:
    size = struct.pack("<Q", length)
    return size + masked(size)


def record(payload: bytes) -> bytes:
    return header(len(payload)) + payload + masked(payload)


def event(*values: summary_pb2.Summary.Value, time: float = START, step: int = 0, **members: Any) -> bytes:
    found = event_pb2.Event(wall_time=time, step=step, **members)
    if values:
        found.summary.value.extend(values)
    return record(found.SerializeToString())


def simple(tag: str, number: float) -> summary_pb2.Summary.Value:
    return summary_pb2.Summary.Value(tag=tag, simple_value=number)


def catboost(tag: str, number: float) -> summary_pb2.Summary.Value:
    return summary_pb2.Summary.Value(tag=tag, simple_value=number, node_name=tag)


def tensor(tag: str, plugin: str | None = "scalars", shape: Iterable[int] = (), **members: Any) -> Any:
    content = tensor_pb2.TensorProto(**members)
    content.tensor_shape.SetInParent()
    for size in shape:
        content.tensor_shape.dim.add(size=size)
    value = summary_pb2.Summary.Value(tag=tag, tensor=content)
    if plugin is not None:
        value.metadata.plugin_data.plugin_name = plugin
    return value


def float_content(tag: str, number: float) -> summary_pb2.Summary.Value:
    return tensor(tag, dtype=types_pb2.DT_FLOAT, tensor_content=struct.pack("<f", number))


def float_val(tag: str, number: float) -> summary_pb2.Summary.Value:
    return tensor(tag, dtype=types_pb2.DT_FLOAT, float_val=[number])


def double_content(tag: str, number: float) -> summary_pb2.Summary.Value:
    return tensor(tag, dtype=types_pb2.DT_DOUBLE, tensor_content=struct.pack("<d", number))


def double_val(tag: str, number: float) -> summary_pb2.Summary.Value:
    return tensor(tag, dtype=types_pb2.DT_DOUBLE, double_val=[number])


SHAPES = [simple, catboost, float_content, float_val, double_content, double_val]


def histogram(tag: str = "weights") -> summary_pb2.Summary.Value:
    return summary_pb2.Summary.Value(tag=tag, histo=summary_pb2.HistogramProto(min=0, max=1, num=2, sum=1))


def flat(items: Iterable[Scalars | Message | Damage]) -> Found:
    """Return what was read, value by value, with numbers as text: -0.0 differs from 0.0, and NaN equals NaN."""
    found: Found = []
    for item in items:
        if isinstance(item, Scalars):
            columns = (item.index.tolist(), item.times.tolist(), item.steps.tolist(), item.values.tolist())
            found += [(item.tags[i], repr(t), s, repr(v)) for i, t, s, v in zip(*columns, strict=True)]
        elif isinstance(item, Message):
            found.append((item.start, item.end, item.event.SerializeToString()))
        else:
            found.append(tuple(item))
    return found


def read(path: Path, **options: Any) -> Found:
    return flat(EventFile(path, **options).read())


def read_slowly(data: bytes) -> tuple[Found, int]:
    """Return the content of a file of simple and float values, and the offset up to which it is usable."""
    found: Found = []
    at = 0
    while at + 12 <= len(data):
        payload = _payload(data, at)
        if isinstance(payload, bytes):
            end = at + 16 + len(payload)
            try:
                found += _values(event_pb2.Event.FromString(payload), at, end)
            except DecodeError:
                found.append((at, end, "unreadable event"))
            at = end
            continue
        if payload == "incomplete":
            break
        further = at + 1
        while further + 12 <= len(data) and _payload(data, further, LARGEST) in ("bad checksum", "bad length checksum"):
            further += 1
        if further + 12 > len(data) or _payload(data, further, LARGEST) == "incomplete":
            break
        found.append((at, further, payload))
        at = further
    return found, at


def _payload(data: bytes, at: int, largest: int = 2**64) -> bytes | str:
    (length,) = struct.unpack("<Q", data[at : at + 8])
    if length > largest or masked(data[at : at + 8]) != data[at + 8 : at + 12]:
        return "bad length checksum"
    end = at + 12 + length
    if end + 4 > len(data):
        return "incomplete"
    payload = data[at + 12 : end]
    return payload if masked(payload) == data[end : end + 4] else "bad checksum"


def _values(found: event_pb2.Event, start: int, end: int) -> Found:
    numbers = [(value.tag, _number(value)) for value in found.summary.value]
    if not numbers or None in [number for _, number in numbers]:
        return [(start, end, found.SerializeToString())]
    return [(tag, repr(found.wall_time), found.step, repr(number)) for tag, number in numbers]


def _number(value: summary_pb2.Summary.Value) -> float | None:
    if value.WhichOneof("value") == "simple_value":
        return value.simple_value  # type: ignore[no-any-return]
    if value.WhichOneof("value") != "tensor":
        return None
    layout, field = {1: ("<f", "float_val"), 2: ("<d", "double_val")}[value.tensor.dtype]
    content = value.tensor.tensor_content
    return struct.unpack(layout, content)[0] if content else getattr(value.tensor, field)[0]  # type: ignore[no-any-return]
