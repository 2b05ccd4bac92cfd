from __future__ import annotations

from typing import Any

import pytest

from tests.waiting import PATIENCE
from tracker.names import RunKey
from tracker_server.storage.interface import NoSuchRun

KEY = RunKey("me", "digits", "r1")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches end in one part, also on a busy machine."""
    monkeypatch.setattr("tracker_server.storage.console.SEARCH_SECONDS", PATIENCE)


def read(store: Any, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = store.storage.console(KEY, limit, cursor)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if cursor is None:
            assert page.total == len(found)
            return found


@pytest.mark.parametrize("batch", [3, 37, 5000])
def test_lines_are_read_in_order_by_stream(store: Any, batch: int) -> None:
    expected = []
    for name, opened in [("console-b.jsonl", 1.0), ("console-a.jsonl", 2.0)]:
        stream = store.stream(name, opened=opened)
        for i in range(700):
            line = {"stream": "stderr" if i % 5 == 0 else "stdout", "text": f"{name} {i} é" * (i % 4)}
            stream.add("console", line)
            expected.append({"time": stream.time, **line})
        stream.send(batch)
    for limit in (1400, 300, 700, 10_000):
        assert read(store, limit) == expected
    assert store.storage.run(KEY)["rows"] == 0


def test_long_output_is_paged_by_size(store: Any) -> None:
    stream = store.stream("console-a.jsonl")
    for i in range(40):
        stream.add("console", {"stream": "stdout", "text": str(i % 10) * 1_000_000})
    stream.send(10)
    assert len(store.storage.console(KEY, 1000, None).items) < 40
    assert len(read(store, 1000)) == 40


def test_a_run_without_output_has_an_empty_console(store: Any) -> None:
    store.stream().send()
    assert store.storage.console(KEY, 10, None) == ([], None, 0, 0)
    with pytest.raises(NoSuchRun, match="no run"):
        store.storage.console(KEY._replace(id="gone"), 10, None)


def _printed(store: Any, batch: int = 97) -> list[dict[str, Any]]:
    """Store lines of two streams in blocks of odd sizes; every third line is an error."""
    lines = []
    for name, opened, count in [("console-a.jsonl", 1.0, 1500), ("console-b.jsonl", 2.0, 800)]:
        stream = store.stream(name, opened=opened)
        for i in range(count):
            line = {"stream": "stderr" if i % 3 == 0 else "stdout", "text": f'{name[8]}{i} "Epoch" {"é" * (i % 5)}'}
            stream.add("console", line)
            lines.append(line)
        stream.send(batch)
    return lines


@pytest.mark.parametrize("only", [None, "stdout", "stderr"])
def test_lines_are_read_from_any_number_on(store: Any, only: str | None) -> None:
    lines = [line for line in _printed(store) if only in (None, line["stream"])]
    count = len(lines)
    for start in (0, 1, 255, 256, 257, 499, 500, 501, count - 1, count, count + 7, -1, -300, -count, -count - 9):
        page = store.storage.console(KEY, 40, None, start, only)
        first = max(0, count + start if start < 0 else start)
        assert [line["text"] for line in page.items] == [line["text"] for line in lines[first : first + 40]]
        assert (page.total, page.start) == (count, first)
    assert store.storage.console(KEY, 10_000, None, 0, only).items[-1]["text"] == lines[-1]["text"]


def test_a_cursor_continues_after_a_page_that_began_at_a_line_number(store: Any) -> None:
    lines = _printed(store)
    page = store.storage.console(KEY, 700, None, 900)
    following = store.storage.console(KEY, 10_000, page.cursor)
    assert following.start == 1600
    assert [line["text"] for line in following.items] == [line["text"] for line in lines[1600:]]
    with pytest.raises(ValueError, match="give `start` instead"):
        store.storage.console(KEY, 10, page.cursor, None, "stderr")


@pytest.mark.parametrize("only", [None, "stdout", "stderr"])
@pytest.mark.parametrize(
    ("wanted", "regex", "found"),
    [
        ("a12", False, lambda text: "a12" in text),
        ("EPOCH", False, lambda text: True),
        ('"epoch"', False, lambda text: True),
        ("ÉÉÉÉ", False, lambda text: "éééé" in text),
        (".", False, lambda text: False),
        ("^b7.*é$", True, lambda text: text.startswith("b7") and text.endswith("é")),
        ("epoch", True, lambda text: False),
    ],
)
def test_a_search_returns_the_numbers_of_matching_lines(
    store: Any, wanted: str, regex: bool, found: Any, only: str | None
) -> None:
    lines = [line for line in _printed(store) if only in (None, line["stream"])]
    expected = [number for number, line in enumerate(lines) if found(line["text"])]
    assert store.storage.console_search(KEY, wanted, regex, -1, 10_000, only) == (expected, None)
    matches: list[int] = []
    after: int | None = -1
    while after is not None:
        some, after = store.storage.console_search(KEY, wanted, regex, after, 37, only)
        matches += some
    assert matches == expected


def test_a_long_search_returns_its_matches_in_parts(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _printed(store)
    monkeypatch.setattr("tracker_server.storage.console.SEARCH_SECONDS", 0)
    seen, after, answers = [], -1, 0
    while after is not None:
        some, after = store.storage.console_search(KEY, "a1", False, after, 10_000)
        seen += some
        answers += 1
    assert answers > 5
    assert seen == [number for number, line in enumerate(lines) if line["text"].startswith("a1")]


def test_an_invalid_pattern_is_refused(store: Any) -> None:
    _printed(store)
    with pytest.raises(ValueError, match="pattern"):
        store.storage.console_search(KEY, "(", True, -1, 10)


RED, END = "\x1b[31m", "\x1b[0m"
COLOURED = [
    f"an {RED}er{END}ror",
    f"{RED}E{END}{RED}RR{END}OR at the end",
    "".join(f"\x1b[38;5;{i}m{letter}" for i, letter in enumerate("rainbow error")),
    "\x1b]8;;https://example.org\x07er\x1b]8;;\x1b\\ror in a link",
    f'a "quoted \\" er{RED}ror{END}',
    "\x1b]0;error\x07a title",
    "\x1b[38;2;31;31;31mgrey\x1b[0m",
    "er\tror",
    r'{"text": "er\u001b[31mror"}',
    "er\x07r\x08or",
    "err\x1b(Bor",
    "er\x1b]0;a title without end",
]


@pytest.mark.parametrize(
    ("wanted", "regex", "found"),
    [
        ("error", False, {0, 1, 2, 3, 4, 9, 10}),
        ("ERROR AT", False, {1}),
        ('"quoted \\" error', False, {4}),
        ("31m", False, {8}),
        ("31", False, {8}),
        ("title", False, {5}),
        ("an error" + " and more" * 40, False, set[int]()),
        ("^an error$", True, {0}),
        ("(?i)^error at the end", True, {1}),
        ("[0-9]m", True, {8}),
        ("er$", True, {11}),
    ],
)
def test_a_search_ignores_escape_sequences(store: Any, wanted: str, regex: bool, found: set[int]) -> None:
    stream = store.stream("console-a.jsonl")
    for i in range(300):
        stream.add("console", {"stream": "stdout", "text": f"{RED}line{END} {i}"})
    for text in COLOURED:
        stream.add("console", {"stream": "stdout", "text": text})
    stream.send()
    matches, following = store.storage.console_search(KEY, wanted, regex, 299, 1000)
    assert ({number - 300 for number in matches}, following) == (found, None)
    # The stored text is unchanged.
    assert store.storage.console(KEY, 1, None, 300).items[0]["text"] == COLOURED[0]
