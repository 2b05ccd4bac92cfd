"""Test the console stream as its readers see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracker.capture.console_stream import ConsoleStream
from tracker.runlog.reader import read_stream, stream_paths
from tracker.runlog.records import MAX_LINE

RUN = {"id": "r", "entity": "me", "project": "p"}


def records(directory: Path = Path()) -> list[Any]:
    return [r for path in stream_paths(directory, "console") for part in read_stream(path) for r in part.records]


def lines() -> list[tuple[str, str]]:
    return [(r.payload["stream"], r.payload["text"]) for r in records() if r.kind == "console"]


def test_a_stream_begins_with_a_header_and_has_the_lines_in_order() -> None:
    stream = ConsoleStream(".", RUN, 10**6)
    stream.feed("stdout", "one\n")
    stream.feed("stderr", "tw")
    stream.feed("stdout", "three\n")
    stream.feed("stderr", "o\n")
    assert lines() == [("stdout", "one"), ("stdout", "three"), ("stderr", "two")]
    head = records()[0]
    assert (head.kind, head.payload["id"], head.payload["project"]) == ("run", "r", "p")
    stream.close()


def test_a_process_that_prints_nothing_has_no_stream() -> None:
    ConsoleStream(".", RUN, 10**6).close()
    assert records() == []


def test_undecodable_text_is_kept_as_far_as_possible() -> None:
    stream = ConsoleStream(".", RUN, 10**6)
    stream.feed("stdout", "na\udcffme \0 \u2028\n")
    stream.close()
    assert lines() == [("stdout", "na?me \0 \u2028")]


def test_a_huge_line_is_several_records() -> None:
    stream = ConsoleStream(".", RUN, 10**9)
    text = "é" * (MAX_LINE // 2)
    stream.feed("stdout", text + "\n")
    stream.close()
    assert "".join(text for _, text in lines()) == text
    assert all(part.corrupt == 0 for path in stream_paths(Path(), "console") for part in read_stream(path))


def test_beyond_the_limit_only_the_last_lines_are_kept_and_the_gap_is_reported() -> None:
    stream = ConsoleStream(".", RUN, 100_000)
    for n in range(100_000):
        stream.feed("stdout", f"line {n}\n")
    (path,) = stream_paths(Path(), "console")
    assert path.stat().st_size < 101_000
    assert "console_limit" in lines()[-1][1]
    stream.close()
    assert path.stat().st_size < 200_000
    texts = [text for _, text in lines()]
    notice = next(n for n, text in enumerate(texts) if "left out" in text)
    first, last = texts[: notice - 1], texts[notice + 1 :]
    assert first == [f"line {n}" for n in range(len(first))]
    assert last == [f"line {n}" for n in range(100_000 - len(last), 100_000)]
    assert len(last) > 100
    size = sum(len(line) for line in path.read_bytes().splitlines(keepends=True)[1:3]) // 2
    left_out = int(texts[notice].split(" bytes")[0].rpartition(" ")[2].replace(",", ""))
    missing = 100_000 - len(first) - len(last)
    assert missing * size <= left_out <= missing * (size + 4)


def test_a_read_only_directory_raises_nothing(tmp_path: Path) -> None:
    stream = ConsoleStream(str(tmp_path / "gone"), RUN, 10**6)
    stream.feed("stdout", "text\n")
    stream.close()


@pytest.mark.parametrize("text", ["", "\n" * 3, "\r" * 3])
def test_empty_lines_raise_nothing(text: str) -> None:
    stream = ConsoleStream(".", RUN, 10**6)
    stream.feed("stdout", text)
    stream.close()
    assert [text for _, text in lines()] == [""] * text.count("\n")
