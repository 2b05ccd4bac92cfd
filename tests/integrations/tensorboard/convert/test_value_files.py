from __future__ import annotations

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2

from .converted import Converted, convert, in_event
from .values import Value, plugin, strings


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("custom_scalars", "pb"),
        ("graph_keras_model", "json"),
        ("graph_run_metadata", "pb"),
        ("graph_run_metadata_graph", "pb"),
    ],
)
@pytest.mark.parametrize("shape", [[], [1]])
def test_the_one_string_in_a_plugins_tensor_becomes_the_file(
    name: str,
    extension: str,
    shape: list[int],
) -> None:
    found = convert(strings("k", name, shape, [b"content"]))
    (file,) = found.of_kind("file")
    assert found.files[file["digest"]] == b"content"
    assert file["name"].startswith(f"tensorboard/{name}/k.3.")
    assert file["name"].endswith(f".{extension}")
    assert (file["size"], file["path"]) == (7, f"files/{file['digest']}")
    assert file["tensorboard"] == {"tag": "k", "plugin": name, "step": 3}


def test_values_of_unknown_plugins_become_files_with_the_metadata_of_their_tag() -> None:
    converted = Converted()
    first, later = strings("x", "mine", [1], [b"a"], content=b"setup"), strings("x", "", [1], [b"b"])
    converted.add([in_event(first), in_event(later, step=1)])
    values = [Value.FromString(converted.files[file["digest"]]) for file in converted.of_kind("file")]
    assert [value.tensor.string_val[0] for value in values] == [b"a", b"b"]
    assert [value.metadata.plugin_data.content for value in values] == [b"setup", b"setup"]
    assert not converted.skipped


def test_a_value_may_have_only_metadata() -> None:
    value = plugin("flight", "flight", b"positions")
    found = convert(value)
    (file,) = found.of_kind("file")
    assert Value.FromString(found.files[file["digest"]]) == value


def test_a_tag_without_value_is_only_counted() -> None:
    found = convert(Value(tag="video"), Value(tag="loss", simple_value=1))
    assert found.skipped == {("video", "no value"): 1}
    assert found.rows() == [(3, 1.0)]


def test_the_name_of_a_file_depends_on_its_content() -> None:
    converted = Converted()
    converted.add([event_pb2.Event(graph_def=data) for data in (b"a", b"b", b"a")])
    a, b, again = (file["name"] for file in converted.of_kind("file"))
    assert a == again != b


tags = st.text(max_size=300) | st.sampled_from(["", "/", "..", "../../x", "/etc/passwd", ".", "a//b", "a/../b", "a\0b"])


@given(tags, tags)
def test_file_names_stay_in_their_folder_for_any_tag_and_differ_if_tags_do(one: str, other: str) -> None:
    converted = Converted()
    converted.add([in_event(plugin(tag, "mine", b"x")) for tag in (one, other)])
    names = [file["name"] for file in converted.of_kind("file")]
    for name in names:
        assert name.startswith("tensorboard/mine/")
        assert not {"", ".", ".."} & set(name.split("/"))
        assert name.isascii()
        assert name.isprintable()
        assert len(name) < 255
    stems = [name.rsplit(".", 3)[0] for name in names]
    assert (stems[0] == stems[1]) == (one == other)
