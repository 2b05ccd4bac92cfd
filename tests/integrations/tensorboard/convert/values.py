"""Create values of event files by hand."""

from __future__ import annotations

import io
import struct
import wave
import zlib
from typing import Any

from tensorboard.compat.proto import summary_pb2, types_pb2

Value: Any = summary_pb2.Summary.Value


def plugin(tag: str, name: str, content: bytes = b"", description: str = "") -> Any:
    value = Value(tag=tag)
    value.metadata.plugin_data.plugin_name = name
    value.metadata.plugin_data.content = content
    value.metadata.summary_description = description
    return value


def strings(tag: str, name: str, shape: list[int], parts: list[bytes], **more: Any) -> Any:
    value = plugin(tag, name, **more) if name else Value(tag=tag)
    value.tensor.dtype = types_pb2.DT_STRING
    value.tensor.tensor_shape.SetInParent()
    for length in shape:
        value.tensor.tensor_shape.dim.add(size=length)
    value.tensor.string_val.extend(parts)
    return value


def numbers(tag: str, name: str, dtype: int, shape: list[int], field: str, held: Any) -> Any:
    value = plugin(tag, name) if name else Value(tag=tag)
    value.tensor.dtype = dtype
    for length in shape:
        value.tensor.tensor_shape.dim.add(size=length)
    if field == "tensor_content":
        value.tensor.tensor_content = held
    else:
        getattr(value.tensor, field).extend(held)
    return value


def png(width: int = 2, height: int = 3) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + bytes(3 * width) for _ in range(height)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def wav(rate: int = 8000, frames: int = 400) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * frames))
    return file.getvalue()
