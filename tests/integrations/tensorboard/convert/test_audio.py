from __future__ import annotations

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")


from .converted import convert
from .values import Value, strings, wav

FLOAT_WAV = wav()[:20] + b"\x03\x00" + wav()[22:]  # which the standard library does not read


def proto(content: bytes) -> Value:
    value = Value(tag="a")
    value.audio.sample_rate, value.audio.num_channels, value.audio.length_frames = 8000.0, 1, 400
    value.audio.encoded_audio_string, value.audio.content_type = content, "audio/wav"
    return value


def test_an_encoded_sound_is_stored_unchanged_with_rate_and_duration() -> None:
    found = convert(proto(wav()))
    sound = found.one("a")
    assert found.files[sound["digest"]] == wav()
    assert (sound["_type"], sound["format"], sound["sample_rate"], sound["duration"]) == ("audio", "wav", 8000, 0.05)


@pytest.mark.parametrize("content", [FLOAT_WAV, b"no sound"], ids=["a header it cannot read", "no sound at all"])
def test_without_a_readable_header_rate_and_duration_come_from_the_event(content: bytes) -> None:
    sound = convert(proto(content)).one("a")
    assert (sound["sample_rate"], sound["duration"]) == (8000, 0.05)


def test_sounds_of_a_tensor_have_their_labels_as_captions() -> None:
    found = convert(strings("a", "audio", [2, 2], [wav(), b"**first**", wav(16000), b""])).one("a")
    assert found["_type"] == "list"
    assert [item.get("caption") for item in found["items"]] == ["**first**", None]
    assert [item["sample_rate"] for item in found["items"]] == [8000, 16000]


def test_labels_may_be_missing() -> None:
    assert convert(strings("a", "audio", [1], [wav()])).one("a")["_type"] == "audio"
    assert len(convert(strings("a", "audio", [3, 1], [wav()] * 3)).one("a")["items"]) == 3


def test_a_tensor_of_another_shape_is_stored_as_a_file() -> None:
    found = convert(strings("a", "audio", [1, 3], [wav()] * 3))
    assert len(found.of_kind("file")) == sum(found.skipped.values()) == 1


@pytest.mark.parametrize(
    "value",
    [
        proto(wav()),
        proto(FLOAT_WAV),
        proto(b""),
        strings("a", "audio", [1, 2], [wav(), b""], content=b"\x10\x0b"),
        strings("a", "audio", [2, 2], [wav(), "é".encode(), wav(), b"b"], content=b"\x10\x0b", description="d"),
        strings("a", "audio", [2], [wav(), wav(9000)], content=b"\x10\x0b"),
        strings("a", "audio", [0, 2], [], content=b"\x10\x0b"),
    ],
    ids=["v1", "v1 float", "v1 empty", "v2", "v2 labelled", "v2 flat", "v2 of none"],
)
def test_a_sound_is_exported_as_it_was_imported(value: Value) -> None:
    found = convert(value)
    payload, again = found.again("a")
    assert again == value
    assert payload == found.one("a")
