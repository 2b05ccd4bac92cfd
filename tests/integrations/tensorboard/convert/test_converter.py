"""Guarantees for events of all sorts: order, resumption, and errors that affect only one value."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, types_pb2

from tracker_tensorboard.convert import Converter

from .converted import Converted, in_event
from .values import Value, numbers, plugin, png, strings, wav


def mixed() -> event_pb2.Event:
    image = Value(tag="im")
    image.image.encoded_image_string = png()
    return in_event(
        Value(tag="loss", simple_value=0.5),
        strings("t", "text", [], [b"hello"]),
        numbers("bad", "histograms", types_pb2.DT_DOUBLE, [7], "double_val", [1]),
        image,
        numbers("acc", "scalars", types_pb2.DT_DOUBLE, [], "double_val", [0.25]),
        Value(tag="nan", simple_value=float("nan")),
        step=-5,
    )


def test_each_value_of_an_event_is_a_row_of_its_own_in_their_order() -> None:
    converted = Converted()
    converted.add([mixed()])
    rows = [(record.step, *record.payload) for record in converted.records if record.kind == "log"]
    assert rows == [(-5, tag) for tag in ("loss", "t", "im", "acc", "nan")]
    assert {record.time for record in converted.records} == {1.5}
    assert converted.one("loss") == 0.5
    assert converted.one("acc") == 0.25
    assert converted.one("nan") != converted.one("nan")


def test_an_invalid_value_becomes_a_file_and_does_not_affect_others() -> None:
    converted = Converted()
    converted.add([mixed()])
    (file,) = converted.of_kind("file")
    assert Value.FromString(converted.files[file["digest"]]).tag == "bad"
    reason = "a histogram that is not a tensor of k x 3 numbers"
    assert converted.skipped == {("bad", reason): 1}
    assert file["tensorboard"] == {"tag": "bad", "plugin": "other", "step": -5, "reason": reason}


def test_a_value_too_large_for_a_line_becomes_a_file() -> None:
    converted = Converted()
    labelled = strings("a", "audio", [1, 2], [wav(), b"x" * 8 * 2**20])
    converted.add([in_event(labelled, Value(tag="loss", simple_value=1))])
    assert [file["tensorboard"]["tag"] for file in converted.of_kind("file")] == ["a"]
    assert [step for step, _ in converted.rows()] == [0]


def test_a_tag_too_large_for_a_line_does_not_affect_other_values() -> None:
    converted = Converted()
    converted.add([in_event(Value(tag="x" * 8 * 2**20, simple_value=1), Value(tag="loss", simple_value=1))])
    assert len(converted.of_kind("file")) == 1
    assert converted.one("loss") == 1


def test_a_converter_that_continues_with_the_metadata_makes_the_same_lines() -> None:
    events = [
        in_event(strings("t", "text", [], [b"1"]), plugin("m", "mesh", b"first")),
        in_event(strings("t", "", [], [b"2"]), strings("m", "", [1], [b"data"]), step=1),
        in_event(strings("t", "images", [], [b"3"]), step=2),
    ]
    whole, first = Converted(), Converted()
    whole.add(events)
    first.add(events[:1])
    second = Converted()
    second.converter = Converter(second.store, first.converter.metadata)
    second.add(events[1:])
    assert first.records + second.records == whole.records
    assert [value["value"] for _, value in whole.rows("t")] == ["1", "2", "3"]


def test_errors_of_the_store_are_raised() -> None:
    def store(_content: bytes) -> str:
        raise OSError(28, "No space left on device")

    image = Value(tag="im")
    image.image.encoded_image_string = png()
    with pytest.raises(OSError, match="No space"):
        Converter(store).lines(in_event(image), 0)


def test_the_memory_for_reasons_is_bounded() -> None:
    converted = Converted()
    converted.add([in_event(*(Value(tag=f"{start + i}") for i in range(1000))) for start in range(0, 12_000, 1000)])
    assert sum(converted.skipped.values()) == 12_000
    assert len(converted.skipped) == 10_001


PLUGINS = ["", "scalars", "histograms", "images", "audio", "text", "pr_curves", "hparams", "mesh", "graphs", "own"]
dtypes = st.sampled_from([n for n in types_pb2.DataType.values() if n < 100])


@st.composite
def values(draw: st.DrawFn) -> Value:
    value = Value(tag=draw(st.sampled_from("abc")))
    if draw(st.booleans()):
        value.metadata.plugin_data.plugin_name = draw(st.sampled_from(PLUGINS))
        value.metadata.plugin_data.content = draw(st.binary(max_size=6))
    kind = draw(st.sampled_from(["tensor", "tensor", "histo", "image", "audio", "none"]))
    floats = st.lists(st.floats(), max_size=4)
    if kind == "histo":
        value.histo.bucket.extend(draw(floats))
        value.histo.bucket_limit.extend(draw(floats))
        value.histo.min, value.histo.max = draw(st.floats()), draw(st.floats())
    elif kind == "image":
        value.image.encoded_image_string = draw(st.binary(max_size=40) | st.just(png()[:30]))
    elif kind == "audio":
        value.audio.encoded_audio_string = draw(st.binary(max_size=40) | st.integers(12, 60).map(lambda n: wav()[:n]))
        value.audio.sample_rate = draw(st.floats(width=32))
    elif kind == "tensor":
        value.tensor.dtype = draw(dtypes)
        for length in draw(st.lists(st.integers(-1, 6) | st.integers(), max_size=3)):
            value.tensor.tensor_shape.dim.add(size=max(min(length, 2**63 - 1), -(2**63)))
        value.tensor.string_val.extend(draw(st.lists(st.binary(max_size=5), max_size=6)))
        value.tensor.float_val.extend(draw(floats))
        value.tensor.half_val.extend(draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)))
        value.tensor.int_val.extend(draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)))
        value.tensor.tensor_content = draw(st.just(b"") | st.binary(max_size=48))
    return value


@settings(max_examples=400)
@given(st.lists(values(), max_size=4))
def test_any_value_is_converted_kept_or_counted(drawn: list[Any]) -> None:
    """Each value becomes a row, a file, hyperparameters or a count, for any content of a plugin's tensor."""
    converted = Converted()
    for value in drawn:
        before, counted = len(converted.records), sum(converted.skipped.values())
        converted.add([in_event(value)])
        assert len(converted.records) > before or sum(converted.skipped.values()) > counted
