"""Convert sounds. The encoded bytes stay as they are; only their header is read."""

from __future__ import annotations

from typing import Any

import tracker

from .lines import ConversionError, Store, Value, one_or_list, unknown_media, with_origin
from .tensors import STRING, shape_of, strings

_PROTO_FIELDS = ("sample_rate", "num_channels", "length_frames", "content_type")


def from_proto(value: Value, store: Store) -> dict[str, Any]:
    """Return the payload for a Summary.Audio. Rate and duration come from the sound, else from the event."""
    audio = value.audio
    payload = _sound(audio.encoded_audio_string, store)
    if "sample_rate" not in payload and audio.sample_rate > 0:
        payload |= {"sample_rate": audio.sample_rate, "duration": audio.length_frames / audio.sample_rate}
    return with_origin(payload, value, **{name: getattr(audio, name) for name in _PROTO_FIELDS})


def from_tensor(value: Value, store: Store) -> dict[str, Any]:
    """Return the payload for a tensor of k sounds, or of k x 2: sounds and labels, which become captions."""
    shape, parts = shape_of(value.tensor), strings(value.tensor)
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] not in (1, 2)):
        raise ConversionError("sounds in a tensor that does not have k or k x 2 strings")
    width = shape[1] if len(shape) == 2 else 1
    items = [_sound(parts[at], store) for at in range(0, len(parts), width)]
    if width == 2:
        for item, label in zip(items, parts[1::2], strict=True):
            if label:
                item["caption"] = label.decode("utf-8", "replace")
    return with_origin(one_or_list(items), value, shape=list(shape) if width == 1 or not items else None)


def to_proto(payload: dict[str, Any], contents: list[bytes], value: Value) -> None:
    """Write a payload, with the bytes of its sounds, into a value, in its original form."""
    origin = payload.get("tensorboard", {})
    if "num_channels" in origin:
        for name in _PROTO_FIELDS:
            setattr(value.audio, name, origin[name])
        value.audio.encoded_audio_string = contents[0]
        return
    items = payload["items"] if payload["_type"] == "list" else [payload]
    shape = origin.get("shape", [len(items), 2])
    value.metadata.plugin_data.plugin_name = "audio"
    value.metadata.plugin_data.content = b"\x10\x0b"  # AudioPluginData: encoding WAV
    value.tensor.dtype = STRING
    for length in shape:
        value.tensor.tensor_shape.dim.add(size=length)
    for item, content in zip(items, contents, strict=True):
        value.tensor.string_val.append(content)
        if shape[-1:] == [2] and len(shape) == 2:
            value.tensor.string_val.append(item.get("caption", "").encode())


def _sound(content: bytes, store: Store) -> dict[str, Any]:
    try:
        return tracker.Audio(content).record(store)
    except ValueError:
        return unknown_media("audio", content, store)
