from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.runlog import records
from tracker.runlog.records import (
    LATEST,
    MAX_DEPTH,
    MAX_LINE,
    MAX_STEP,
    Record,
    decode_special,
    encode,
    encode_points,
    jsonable,
    parse,
    parse_rows,
    with_checksum,
)

FORMAT = Path(records.__file__).with_name("FORMAT.md")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | text
keys = text.filter(lambda key: key != "_type")
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))
payloads = st.dictionaries(text, values, max_size=5)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal in value and type; NaN equals NaN, and -0.0 is not 0.0."""
    return repr(one) == repr(other)


@given(payload=payloads, step=st.integers(-MAX_STEP, MAX_STEP), time=st.integers(-(2**52), 2**52))
def test_what_is_encoded_is_parsed_back_exactly(payload: dict[str, Any], step: int, time: int) -> None:
    line = encode("log", jsonable(payload), time / 1e6, step)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    (record,), corrupt, consumed = parse(line)
    assert (corrupt, consumed) == (0, len(line))
    assert same(record, Record(time / 1e6, step, "log", payload))


def _sealed(rest: bytes) -> bytes:
    return with_checksum(rest + b"\n")


ODD_LINES = {
    "another kind": encode("config", {"a": 1}, 2.0),
    "points": encode_points(["a"], [0, 0], [2.0, 3.0], [1, 2], [0.5, 0.25]),
    "damaged": encode("log", {"a": 1.0}, 2.0, 5).replace(b"1.0", b"2.0"),
    "damaged checksum": encode("log", {"a": 1.0}, 2.0, 5).replace(b'{"c":"', b'{"d":"'),
    "two without a newline": encode("log", {"a": 1.0}, 2.0, 5)[:-1] + encode("log", {"a": 2.0}, 2.0, 6),
    "empty": b"\n",
    "no step": _sealed(b'"t":1,"log":{"a":1}}'),
    "another member": _sealed(b'"t":1,"s":1,"u":1,"log":{"a":1}}'),
    "another order": _sealed(b'"s":1,"t":1,"log":{"a":1}}'),
    "payload first": _sealed(b'"log":{"a":1},"s":1,"t":1}'),
    "a member twice": _sealed(b'"t":1,"log":3,"s":1,"log":{"a":1}}'),
    "a step twice": _sealed(b'"t":1,"s":1,"s":2,"log":{"a":1}}'),
    "the checksum twice": _sealed(b'"t":1,"c":1,"s":2,"log":{"a":1}}'),
    "a key twice": _sealed(b'"t":1,"s":1,"log":{"a":1,"a":2}}'),
    "a step that is no integer": _sealed(b'"t":1,"s":1.5,"log":{"a":1}}'),
    "a step that is a bool": _sealed(b'"t":1,"s":true,"log":{"a":1}}'),
    "a step that is too large": _sealed(b'"t":1,"s":9223372036854775808,"log":{"a":1}}'),
    "a time that is no integer": _sealed(b'"t":1.0,"s":1,"log":{"a":1}}'),
    "a time that is too late": _sealed(b'"t":253402300800000001,"s":1,"log":{"a":1}}'),
    "a list": _sealed(b'"t":1,"s":1,"log":[1,2]}'),
    "a number": _sealed(b'"t":1,"s":1,"log":7}'),
    "no JSON": _sealed(b'"t":1,"s":1,"log":{"a":nan}}'),
    "two objects": _sealed(b'"t":1,"s":1,"log":{"a":1}},{"c":"00000000","t":1,"s":1,"log":{"a":1}}'),
    "one object in two lines": _sealed(b'"t":1,"s":1,"log":{"a":[1') + _sealed(b'"t":1}]}},{"t":2,"s":2,"log":{}}'),
    "too deep": _sealed(b'"t":1,"s":1,"log":{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}}"),
}


def _one_by_one(data: bytes) -> list[Record]:
    """Lines do not depend on those around them."""
    return [record for line in data.splitlines(keepends=True) for record in parse(line).records]


def _as_records(rows: records.Rows) -> list[Record]:
    columns = zip(rows.times, rows.steps, rows.payloads, strict=True)
    return [Record(time / 1e6, step, "log", payload) for time, step, payload in columns]


@given(st.lists(st.tuples(payloads, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**52), 2**52)), min_size=1))
def test_rows_by_column_are_those_of_the_records(rows: list[tuple[dict[str, Any], int, int]]) -> None:
    data = b"".join(encode("log", jsonable(payload), time / 1e6, step) for payload, step, time in rows)
    found = parse_rows(data)
    assert found is not None
    assert same(_as_records(found), _one_by_one(data))
    assert same(_as_records(found), parse(data).records)


@pytest.mark.parametrize("odd", ODD_LINES.values(), ids=ODD_LINES)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_malformed_lines_are_never_parsed_as_rows(odd: bytes, at: int) -> None:
    lines = [encode("log", {"a": 0.5, "b": {"c": [1]} if at == 1 else 2}, 1.0, step) for step in range(2)]
    assert parse_rows(b"".join(lines)) is not None
    data = b"".join([*lines[:at], odd, *lines[at:]])
    found = parse_rows(data)
    assert found is None or same(_as_records(found), _one_by_one(data))
    assert same(parse(data).records, _one_by_one(data))


def test_a_torn_line_is_not_parsed_by_column() -> None:
    line = encode("log", {"a": 1.0}, 2.0, 5)
    assert parse_rows(line) is not None
    assert parse_rows(line + line[:-1]) is None


def test_empty_data_has_no_rows_by_column() -> None:
    assert parse_rows(b"") is None


@given(st.integers(-(2**52), 2**52))
def test_a_time_keeps_its_microsecond_over_many_rewrites(time: int) -> None:
    line = encode("alive", {}, time / 1e6)
    assert orjson.loads(line)["t"] == time
    assert encode("alive", {}, parse(line).records[0].time) == line


@pytest.mark.parametrize(("time", "kept"), [(-5.0, -5.0), (-math.inf, -LATEST), (1e300, LATEST), (math.inf, LATEST)])
def test_a_wrong_clock_loses_no_record(time: float, kept: float) -> None:
    assert parse(encode("log", {"x": 1}, time, 0)).records == [Record(kept, 0, "log", {"x": 1})]


@given(st.floats() | st.integers())
def test_a_number_survives_bit_for_bit(number: float) -> None:
    ((record,), *_) = parse(encode("log", jsonable({"x": number}), 0, 0))
    assert same(record.payload["x"], number)


def test_a_member_named_type_is_an_ordinary_member() -> None:
    row = {"_type": "float", "value": "NaN"}
    ((record,), corrupt, _) = parse(encode("log", row, 0, 0))
    assert record.payload == row
    assert corrupt == 0


def points(line: bytes) -> list[tuple[str, float, int, float]]:
    """Return the rows of a `points` line: key, time, step, value."""
    (record,), corrupt, consumed = parse(line)
    assert (record.kind, corrupt, consumed) == ("points", 0, len(line))
    p = record.payload
    return [(p.keys[k], t, s, v) for k, t, s, v in zip(p.which, p.times, p.steps, p.values, strict=True)]


point = st.tuples(
    text,
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.floats() | st.integers(-(2**63), 2**64 - 1),
)


@given(st.lists(point, min_size=1, max_size=20))
def test_points_are_parsed_back_exactly(rows: list[tuple[str, float, int, float]]) -> None:
    names = list({row[0]: None for row in rows})
    which = [names.index(row[0]) for row in rows]
    _, times, steps, numbers = map(list, zip(*rows, strict=True))
    line = encode_points(names, which, times, steps, numbers)
    assert (line.count(b"\n"), line.endswith(b"\n")) == (1, True)
    assert same(points(line), rows)


def test_arrays_are_written_as_their_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    values = numpy.array([0.1, math.nan, -math.inf, 65504.0])
    for kind in ("float64", "float32", "float16"):
        some = values.astype(kind)
        line = encode_points(
            ("a", "b"),
            numpy.array([0, 1, 0, 1], "int32"),
            numpy.arange(8)[::2] / 8,
            numpy.array([-(2**63), 2**63 - 1, 5, 5]),
            some,
        )
        assert same(
            points(line),
            [
                ("a", 0.0, -(2**63), float(some[0])),
                ("b", 0.25, 2**63 - 1, math.nan),
                ("a", 0.5, 5, -math.inf),
                ("b", 0.75, 5, 65504.0),
            ],
        )
    assert points(encode_points(["a"], [0, 0], [1, 2], [1, 2], numpy.array([7, -8])))[1] == ("a", 2.0, 2, -8)


def test_a_key_of_points_may_be_repeated_or_unused() -> None:
    assert points(encode_points(["a", "true", "a"], [0, 2], [1, 1], [1, 1], [1, 2])) == [("a", 1, 1, 1), ("a", 1, 1, 2)]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (([], [], [], []), "at least one"),
        (([0], [1.0], [1, 2], [1]), "each"),
        (([1], [1.0], [1], [1]), "from 0 to 0"),
        (([-1], [1.0], [1], [1]), "from 0 to 0"),
        (([0], [math.inf], [1], [1]), "finite"),
        (([0] * 2**20, [0.125] * 2**20, [7] * 2**20, [0.125] * 2**20), "8,388,608"),
    ],
)
def test_invalid_points_are_not_encoded(columns: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        encode_points(["a"], *columns)


def test_steps_are_any_int64() -> None:
    for step in (-(2**63), 2**63 - 1):
        assert parse(encode("log", {}, 1.0, step)).records[0].step == step


def test_an_object_that_only_looks_like_a_number_is_left_as_it_is() -> None:
    for value in ({"_type": "float", "value": "1.5"}, {"_type": "int", "value": "x"}, {"_type": "int"}):
        assert decode_special(value) == value
    odd: Any
    kind: Any
    for odd in ([], {}, 1.5, 1e308, None, True):
        for kind in ("float", "int", [], {}):
            assert decode_special({"_type": kind, "value": odd}) == {"_type": kind, "value": odd}


@pytest.mark.parametrize(
    "line",
    [
        b'{"c":"%08x","t":1000000,"s":0,"log":{"x":1}',
        b'{"c":"%08x","t":"nan","s":0,"log":{}}',
        b'{"c":"%08x","t":"1000000","s":0,"log":{}}',
        b'{"c":"%08x","t":1000000.0,"s":0,"log":{}}',
        b'{"c":"%08x","t":true,"s":0,"log":{}}',
        b'{"c":"%08x","t":null,"s":0,"log":{}}',
        b'{"c":"%08x","t":[1000000],"s":0,"log":{}}',
        b'{"c":"%08x","t":-253402300800000001,"s":0,"log":{}}',
        b'{"c":"%08x","t":253402300800000001,"s":0,"log":{}}',
        b'{"c":"%08x","t":18446744073709551616,"s":0,"log":{}}',
        b'{"c":"%08x","t":1e15,"config":{"a":1}}',
        b'{"c":"%08x","t":1.5,"points":{"keys":["a"],"k":[0],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","s":0,"log":{}}',
        b'{"c":"%08x","t":1000000,"log":{"x":1}}',
        b'{"c":"%08x","t":1000000,"s":1.5,"log":{}}',
        b'{"c":"%08x","t":1000000,"s":"1","log":{}}',
        b'{"c":"%08x","t":1000000,"s":9223372036854775808,"log":{}}',
        b'{"c":"%08x","t":1000000,"points":{}}',
        b'{"c":"%08x","t":1000000,"points":[]}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[],"t":[],"s":[],"v":[]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0,0],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[1],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[-1],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0.0],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":"0","t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a","b"],"k":[true],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":[1],"k":[0],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":"a","k":[0],"t":[1],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[null],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[{"_type":"float","value":"NaN"}],"s":[1],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[1.5],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[false],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[9223372036854775808],"v":[1]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[1],"v":["1"]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[1],"v":[true]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[1],"v":[{"_type":"html"}]}}',
        b'{"c":"%08x","t":1000000,"points":{"keys":["a"],"k":[0],"t":[1],"s":[1],"v":{"a":1}}}',
        b'{"c":"%08x","t":1e999,"s":0,"log":{}}',
        b'{"c":"%08x",' + b"[" * 5000,
        b'{"c":"%08x","t":1000000,"config":' + b'{"_type":"x","a":' * 1100 + b"1" + b"}" * 1100 + b"}",
    ],
)
def test_invalid_content_with_a_valid_checksum_is_corrupt_and_affects_no_other_line(line: bytes) -> None:
    bad = line % zlib.crc32((line % 0)[16:]) + b"\n"
    good = encode("log", {"x": 1}, 1.0, 5)
    found, corrupt, consumed = parse(good + bad + good)
    assert [record.step for record in found] == [5, 5], found[1]
    assert (corrupt, consumed) == (1, 2 * len(good) + len(bad))


def test_a_line_that_is_too_long_is_corrupt() -> None:
    line = encode("log", {"x": "a" * MAX_LINE}, 0, 0)
    assert parse(line)[:2] == ([], 1)
    fits = encode("log", {"x": "a" * (MAX_LINE - 100)}, 0, 0)
    assert len(parse(fits).records) == 1


def test_a_payload_that_is_nested_too_deeply_is_corrupt() -> None:
    def line(depth: int, opening: bytes, closing: bytes) -> bytes:
        return with_checksum(
            b'"t":1000000,"config":{"x":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}}\n"
        )

    for brackets in ((b'{"a":', b"}"), (b"[", b"]")):
        assert parse(line(MAX_DEPTH, *brackets)).corrupt == 0
        assert parse(line(MAX_DEPTH + 1, *brackets))[:2] == ([], 1)
    wide = {"text": "{[" * MAX_DEPTH, "list": [{}] * MAX_DEPTH}
    assert parse(encode("config", wide, 1.0)).records[0].payload == wide


def test_empty_lines_are_ignored() -> None:
    line = encode("log", {}, 0, 0)
    assert len(parse(b"\n\n" + line + b"\n" + line).records) == 2
    assert parse(b"\n\n").corrupt == 0
    assert parse(b"") == ([], 0, 0)


LOG = [
    encode("run", {"version": 1, "id": "a", "entity": "me", "project": "p"}, 1.0),
    encode("config", {"nested": {"c": "01234567", "d": 1}}, 1.5),
    encode("log", {"loss": 0.5, "nan": jsonable(math.nan)}, 2.0, 0),
    encode("finish", {"state": "finished"}, 3.0),
]
WHOLE = b"".join(LOG)
RECORDS = [parse(line).records[0] for line in LOG]
ENDS = [sum(map(len, LOG[: i + 1])) for i in range(len(LOG))]


def test_a_log_torn_at_any_byte_gives_exactly_its_whole_lines() -> None:
    for size in range(len(WHOLE) + 1):
        found, corrupt, consumed = parse(WHOLE[:size])
        whole = sum(end <= size for end in ENDS)
        assert same(found, RECORDS[:whole])
        assert (corrupt, consumed) == (0, ENDS[whole - 1] if whole else 0)


def test_a_new_line_after_a_torn_one_loses_only_the_torn_line() -> None:
    torn = LOG[1]
    for size in range(1, len(torn) - 1):
        data = LOG[0] + torn[:size] + b"\n" + LOG[2] + LOG[3]
        found, corrupt, _ = parse(data)
        assert same(found, [RECORDS[0], RECORDS[2], RECORDS[3]])
        assert corrupt == 1


def test_a_writer_that_omits_the_newline_after_a_torn_line_loses_only_that_line() -> None:
    for torn in LOG:
        for size in range(1, len(torn) - 1):
            found, corrupt, _ = parse(LOG[0] + torn[:size] + LOG[1] + LOG[3])
            assert same(found, [RECORDS[0], RECORDS[1], RECORDS[3]])
            assert corrupt == 1


def test_a_flipped_bit_is_counted_and_loses_at_most_its_own_line() -> None:
    starts = [0, *ENDS[:-1]]
    for at in range(len(WHOLE) - 1):
        hit = sum(end <= at for end in ENDS)
        others = RECORDS[:hit] + RECORDS[hit + 1 :]
        newline = at + 1 in ENDS
        for bit in range(8):
            damaged = bytearray(WHOLE)
            damaged[at] ^= 1 << bit
            found, corrupt, consumed = parse(bytes(damaged))
            # A damaged newline leaves both its neighbours whole.
            assert same(found, RECORDS if newline else others), (at, bit, starts[hit])
            assert corrupt >= 1
            assert consumed == len(WHOLE)


def test_a_flipped_bit_in_the_last_newline_is_like_a_torn_tail() -> None:
    for bit in range(8):
        damaged = WHOLE[:-1] + bytes([10 ^ 1 << bit])
        assert same(tuple(parse(damaged)), (RECORDS[:-1], 0, ENDS[-2]))


@given(st.binary(max_size=300))
def test_no_input_makes_the_parser_raise_or_invent_a_record(data: bytes) -> None:
    found, _, consumed = parse(data)
    assert not found
    assert consumed == data.rfind(b"\n") + 1


# -- the document ---------------------------------------------------------------------------------------------------


def test_the_example_line_of_the_format_document_is_a_valid_record() -> None:
    lines = re.findall(r'^ {4}(\{"c":"[0-9a-f]{8}",.*\})$', FORMAT.read_text(), re.MULTILINE)
    assert lines
    for line in lines:
        found, corrupt, _ = parse(line.encode() + b"\n")
        assert (len(found), corrupt) == (1, 0), (
            f"wrong checksum in FORMAT.md, right is {zlib.crc32(line[16:].encode()):08x}"
        )


def test_special_numbers_are_written_as_in_the_format_document() -> None:
    document = FORMAT.read_text()
    for number in (math.nan, math.inf, -math.inf, 123456789012345678901234567890):
        written = orjson.dumps(jsonable(number)).decode()
        member = f'"{jsonable(number)["value"]}"'
        assert written in document or member in document
        assert same(decode_special(orjson.loads(written)), number)


def test_the_format_document_names_every_kind_that_is_folded_and_the_version() -> None:
    from tracker.runlog import fold

    document = FORMAT.read_text()
    assert document.startswith(f"# The run log, version {records.VERSION}\n")
    for kind in (*fold._HANDLERS, "log", "system", "console"):
        assert f"| `{kind}` |" in document
