from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.interface import ExpressionError
from tracker_server.storage.sql import SqlStorage, open_storage
from tracker_server.storage.table.expression import parse
from tracker_server.storage.table.tokens import MAX_NUMBER, tokens, written_name, written_value

DAY = 86400


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStorage]:
    storage = open_storage(tmp_path_factory.mktemp("store"))

    def make(id: str, opened: float, config: dict[str, Any], summary: dict[str, Any], **header: Any) -> None:
        records = [("run", {"version": 1, "id": id, **header}), ("config", config), ("summary", summary)]
        lines = b"".join(encode(kind, payload, opened) for kind, payload in records)
        storage.append(RunKey("me", "digits", id), "history-a.jsonl", 0, lines)

    now = time.time()
    make("a", now - 10, {"lr": 0.1, "opt": {"name": "adam"}}, {"acc": 0.9, "my key": 1}, tags=["base", "v1"])
    make("b", now - 2 * DAY, {"lr": 0.01, "opt": {"name": "sgd"}}, {"acc": 0.5, "mAP@0.5": 3}, name="Zeta", group="g")
    make("c", 1_600_000_000.0, {"lr": "0.1", "amp": True, "sizes": [1, 2], "acc": 7}, {}, notes='a "quoted" \\d note')
    yield storage
    storage.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "abc"),
        ("   ", "abc"),
        ("config.lr < 0.1", "b"),
        ("config.lr<=.1", "ab"),
        ("config.lr > 1e-2", "a"),
        ("config.lr >= 0.01 and config.lr < 0.1", "b"),
        ("config.lr == 0.1", "a"),
        ("config.lr = 0.1", "a"),
        ("config.lr != 0.1", "bc"),
        ('config.lr == "0.1"', "c"),
        ("lr == 0.1", "a"),  # a bare name: config, then summary
        ("acc > 0.6", "ac"),
        ("acc == 7", "c"),
        ("opt.name == 'adam'", "a"),
        ("config.opt.name in ['adam', \"sgd\"]", "ab"),
        ("config.opt.name not in ['adam']", "bc"),
        ("config.lr in [0.1, 0.01]", "ab"),
        ("group in [null]", "ac"),
        ("config.amp == true", "c"),
        ("config.amp is null", "ab"),
        ("config.amp is not null", "c"),
        ("config.amp == null", "ab"),
        ("config.amp == 1", ""),
        ("config.sizes has 2", "c"),
        ("config.sizes == [1, 2]", "c"),
        ('tags has "base"', "a"),
        ('tags == "base"', "a"),
        ('notes has "quoted"', "c"),
        ('notes has "\\"quoted\\""', "c"),
        ("notes has '\\\\d'", "c"),
        ('name ~ "^Z"', "b"),
        ('name ~ "(?i)^z"', "b"),
        ('id ~ "[ab]" and not id ~ "b"', "a"),
        ('notes ~ "\\\\\\\\d"', "c"),
        ("`summary.my key` == 1", "a"),
        ("`my key` == 1", "a"),
        ("summary.mAP@0.5 == 3", "b"),
        ("mAP@0.5 > 2", "b"),
        ("not config.lr < 0.1", "ac"),
        ("not (config.lr < 0.1 or group is null)", ""),
        ("id == 'a' or id == 'b' and group == 'g'", "ab"),
        ("(id == 'a' or id == 'b') and group == 'g'", "b"),
        ("ID == 'a'", ""),  # names are case-sensitive, keywords are not
        ("id == 'a' OR Not group IS NULL", "ab"),
        ("created > -1h", "a"),
        ("created > -1d", "a"),
        ("created > -1w and created < -1d", "b"),
        ('created > "2020-09-14"', "ab"),
        ('created < "2020-09-13T14:26:41+02:00"', "c"),
        ('created == "2020-09-13"', "c"),
        ('created != "2020-09-13"', "ab"),
        ("created == 1600000000", "c"),
        ("duration < 2h", "abc"),
        ("duration > 2h", ""),
        ("config.lr < inf", "ab"),
        ("config.lr > -inf", "ab"),
    ],
)
def test_an_expression_selects_runs(runs: SqlStorage, text: str, expected: str) -> None:
    assert chosen(runs, text) == expected


def chosen(storage: SqlStorage, text: str) -> str:
    page = storage.table("me", "digits", {"filter": text, "sort": [{"column": "id"}]})
    assert page["total"] == len(page["runs"])
    return "".join(page["runs"])


@pytest.mark.parametrize(
    ("text", "marked", "reason"),
    [
        ("config.lr", "", "an operator is missing here"),
        ("config.lr <", "", "a value is missing here"),
        ("config.lr < and", "and", "a value is missing here"),
        ("config.lr < summary.x", "summary.x", 'text needs quotes: "summary.x"'),
        ("config.lr 3", "3", "an operator is missing here"),
        ("config.lr < 3 config.x < 4", "config.x", "`and` or `or` is missing before this"),
        ("config.lr < 3)", ")", "there is no matching ("),
        ("(config.lr < 3", "", "`)` is missing"),
        ("config.lr in 3", "3", "`in` needs a list"),
        ("config.lr in [3 4]", "4", "`,` or `]` is missing here"),
        ("config.lr in [3", "", "`,` or `]` is missing here"),
        ("config.lr is 3", "3", "`is` must be followed by null"),
        ("config.lr not 3", "3", "`not` after a name must be followed by `in`"),
        ("config.lr < true", "true", "lt needs a number or a text, not True"),
        ("config.lr > null", "null", "`>` does not work with null"),
        ("state == finished", "finished", 'text needs quotes: "finished"'),
        ('name ~ "("', '"("', "the pattern is invalid: missing ): ("),
        ("name ~ 3", "3", "`~` needs a pattern in quotes"),
        ('name == "open', '"open', 'this text has no closing "'),
        ("`open", "`open", "this name has no closing `"),
        ("3 < config.lr", "3", "a comparison is missing here; it begins with a name"),
        ("config. < 3", "config.", "a key must follow config."),
        ("config.lr < 3 && state is null", "&&", "write `and` instead of &&"),
        ("config.lr < 1.2.3", "1.2.3", "1.2.3 is not a number"),
        ("config.lr < 12x", "12x", "12x is not a number"),
        ("config.lr % 3", "%", "% is not valid here"),
        ('created > "yesterday"', '"yesterday"', "this is not a time"),
        ("created > 2h", "2h", "times in the past need a minus sign"),
        ("and", "and", "a comparison is missing here"),
        ("config.lr < " + "9" * 500, "9" * 500, "a number can have at most 400 characters"),
    ],
)
def test_an_error_has_its_position_and_a_reason(text: str, marked: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(reason)) as raised:
        parse(text)
    at, length = raised.value.position, raised.value.length
    assert text[at : at + length] == marked
    assert marked or at == len(text)
    *_, shown, marks = raised.value.pointed(text).split("\n")
    if len(text) < 60:
        assert shown[marks.index("^") :].startswith(marked)


def test_expressions_that_are_too_large_or_too_deep_are_refused() -> None:
    for text in ("(" * 500 + "id is null" + ")" * 500, "not " * 500 + "id is null", " or ".join(["id is null"] * 600)):
        with pytest.raises(ExpressionError, match="too large"):
            parse(text)
    with pytest.raises(ExpressionError, match="at most"):
        parse(" " * 2_000_000)


_WORDS = [
    "and", "or", "not", "in", "has", "is", "null", "true", "(", ")", "[", "]", ",", "<", "<=", "==", "=", "!=", "~",
    "config.lr", "created", "tags", "`a b`", '"x"', "'(", "'y'", "1", "-1d", "1e", ".5", "2h", "@",
    "summary.a@step=", "-", "\\",
]  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_WORDS), max_size=30).map(" ".join)))
@example("a@step=1@step=2 < 3")
@example("\ud800 < 3")
@example('name ~ "\ud800"')
@example('created > "9999-12-31T23:59:59-23:59"')
@example("x < 1" + "0" * 399)
def test_any_text_is_valid_or_has_an_error_inside_it(text: str) -> None:
    error = error_in(text)
    if error is not None:
        assert 0 <= error.position <= error.position + error.length <= len(text)
        assert str(error)
        assert error.pointed(text)


def error_in(text: str) -> ExpressionError | None:
    try:
        parse(text)
    except ExpressionError as error:
        return error
    return None


@given(st.one_of(st.text(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_written_value_is_read_as_the_same_value(value: Any) -> None:
    written = written_value(value)
    if written is None:
        assert len(repr(value)) >= MAX_NUMBER
        return
    *read, end = tokens(written)
    assert [token.value for token in read] == [value if not isinstance(value, bool) else written]
    assert end.kind == "end"


@given(st.text())
def test_a_written_name_is_read_as_the_same_name(name: str) -> None:
    written = written_name(name)
    if written is None:
        assert "`" in name or not name
        return
    *read, _end = tokens(written)
    assert [(token.value, token.word) for token in read] == [(name, None)]
