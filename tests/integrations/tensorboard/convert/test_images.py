from __future__ import annotations

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")


from .converted import Converted, convert
from .values import Value, plugin, png, strings

GIF = b"GIF89a\x04\x00\x05\x00" + bytes(20)
BOMB = png()[:16] + b"\x7f\xff\xff\xff" * 2 + png()[24:]


def proto(content: bytes, width: int = 2, height: int = 3) -> Value:
    value = Value(tag="im")
    value.image.width, value.image.height, value.image.colorspace = width, height, 3
    value.image.encoded_image_string = content
    return value


def test_an_encoded_image_is_stored_unchanged() -> None:
    found = convert(proto(png()))
    image = found.one("im")
    assert found.files[image["digest"]] == png()
    assert (image["_type"], image["format"], image["width"], image["height"]) == ("image", "png", 2, 3)


def test_the_format_comes_from_the_bytes_and_the_size_from_the_header() -> None:
    image = convert(proto(GIF, 1, 1)).one("im")
    assert (image["format"], image["width"], image["height"]) == ("gif", 4, 5)


def test_a_tensor_of_one_image_gives_an_image_and_of_several_a_list() -> None:
    one = convert(strings("im", "images", [3], [b"2", b"3", png()])).one("im")
    assert (one["_type"], one["width"], one["height"]) == ("image", 2, 3)
    found = convert(strings("im", "images", [4], [b"2", b"3", png(), GIF]))
    several = found.one("im")
    assert several["_type"] == "list"
    assert [item["format"] for item in several["items"]] == ["png", "gif"]
    assert [found.files[item["digest"]] for item in several["items"]] == [png(), GIF]


def test_an_image_of_unknown_format_has_a_row_and_does_not_affect_others() -> None:
    found = convert(strings("im", "images", [5], [b"2", b"3", b"what?", png(), b""]))
    assert [item["format"] for item in found.one("im")["items"]] == ["bin", "png", "bin"]


def test_an_image_that_would_decompress_to_gigabytes_is_not_decompressed() -> None:
    image = convert(proto(BOMB)).one("im")
    assert (image["width"], image["height"]) == (0x7FFFFFFF, 0x7FFFFFFF)


def test_later_values_may_omit_the_metadata_and_the_first_wins() -> None:
    converted = Converted()
    first = strings("im", "images", [3], [b"2", b"3", png()])
    later = strings("im", "", [3], [b"2", b"3", GIF])
    other = strings("im", "text", [3], [b"2", b"3", GIF])
    from .converted import in_event

    converted.add([in_event(first), in_event(later, step=1), in_event(other, step=2)])
    assert [(step, value["format"]) for step, value in converted.rows("im")] == [(0, "png"), (1, "gif"), (2, "gif")]


@pytest.mark.parametrize("parts", [[], [b"2"], [b"x", b"y", png()]], ids=["nothing", "one", "no numbers"])
def test_images_without_their_size_are_stored_as_a_file(parts: list[bytes]) -> None:
    found = convert(strings("im", "images", [len(parts)], parts))
    assert [file["tensorboard"]["tag"] for file in found.of_kind("file")] == ["im"]
    assert sum(found.skipped.values()) == 1


@pytest.mark.parametrize(
    "value",
    [
        proto(png()),
        proto(GIF, 9, 9),
        proto(b""),
        strings("im", "images", [3], [b"2", b"3", png()], description="what it shows"),
        strings("im", "images", [4], [b"2", b"3", png(), GIF]),
        strings("im", "images", [3], [b"8", b"8", b"not an image"]),
        strings("im", "images", [2], [b"2", b"3"]),
    ],
    ids=["v1", "v1 of other size", "v1 empty", "v2", "v2 of several", "v2 of no image", "v2 of none"],
)
def test_an_image_is_exported_as_it_was_imported(value: Value) -> None:
    found = convert(value)
    payload, again = found.again("im")
    assert again == value
    assert payload == found.one("im")


def test_name_and_description_of_a_tag_are_stored_with_the_value() -> None:
    value = plugin("im", "images", description="**markdown**")
    value.metadata.display_name = "Pictures"
    value.tensor.CopyFrom(strings("im", "images", [3], [b"2", b"3", png()]).tensor)
    origin = convert(value).one("im")["tensorboard"]
    assert origin == {"display_name": "Pictures", "description": "**markdown**"}
