from __future__ import annotations

from math import prod

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from hypothesis import given
from hypothesis import strategies as st

from .converted import Converted, convert, in_event
from .values import strings

HUGE = [[1_000_000_000], [2**62, 2**62], [0, 2_000_000_000], [2_000_000_000, 0]]


@pytest.mark.parametrize("shape", [[], [1], [1, 1]])
def test_one_string_of_any_rank_becomes_a_text(shape: list[int]) -> None:
    found = convert(strings("t", "text", shape, [b"# title\n"])).one("t")
    assert (found["_type"], found["value"]) == ("text", "# title\n")


def test_several_strings_become_a_table_whose_columns_are_the_last_axis() -> None:
    assert convert(strings("t", "text", [2], [b"a", b"b"])).table("t") == {"columns": ["0"], "data": [["a"], ["b"]]}
    table = convert(strings("t", "text", [2, 1, 2], [b"a", b"b", b"c", b"d"])).table("t")
    assert table == {"columns": ["0", "1"], "data": [["a", "b"], ["c", "d"]]}


def test_bytes_that_are_not_utf8_are_shown_with_replacements_and_kept() -> None:
    found = convert(strings("t", "text", [], [b"caf\xe9"]))
    assert found.one("t")["value"] == "caf\N{REPLACEMENT CHARACTER}"
    assert found.again("t")[1].tensor.string_val[0] == b"caf\xe9"


def test_a_text_too_long_for_a_row_becomes_a_file() -> None:
    long = b"x" * 3_000_000
    found = convert(strings("t", "text", [], [long]))
    assert found.one("t")["_type"] == "table"
    payload, value = found.again("t")
    assert list(value.tensor.string_val) == [long]
    assert payload == found.one("t")


def test_a_shape_that_claims_a_billion_strings_is_refused() -> None:
    found = convert(*(strings(str(shape), "text", shape, [b"a"][: 0 not in shape]) for shape in HUGE))
    assert found.rows() == []
    assert sum(found.skipped.values()) == len(HUGE)


shapes = st.lists(st.integers(0, 3), max_size=3)


@given(shapes, st.data())
def test_texts_of_any_shape_and_bytes_are_exported_as_they_were(shape: list[int], data: st.DataObject) -> None:
    size = prod(shape)
    parts = data.draw(
        st.lists(st.binary(max_size=4) | st.text(max_size=4).map(str.encode), min_size=size, max_size=size)
    )
    value = strings("t", "text", shape, parts)
    converted = Converted()
    converted.add([in_event(value)])
    payload, again = converted.again("t")
    assert again.tensor == value.tensor
    assert payload == converted.one("t")
