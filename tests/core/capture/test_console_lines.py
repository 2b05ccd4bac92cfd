"""Test which lines are kept of text with carriage returns and moving cursors."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from tracker.capture.console_lines import INTERVAL, Lines


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Kept:
    """A `Lines` object, and the lines that it has emitted so far."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.lines: list[str] = []
        self._subject = Lines(self.lines.append, self.clock)
        self.feed = self._subject.feed
        self.close = self._subject.close


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_a_line_is_kept_as_soon_as_it_ends(kept: Kept) -> None:
    kept.feed("one\ntw")
    assert kept.lines == ["one"]
    kept.feed("o\n\nthree\n")
    assert kept.lines == ["one", "two", "", "three"]


def test_an_unfinished_line_is_kept_at_the_end_and_once(kept: Kept) -> None:
    kept.feed("Password: ")
    assert kept.lines == []
    kept.close()
    kept.close()
    assert kept.lines == ["Password: "]


def test_colours_and_other_sequences_stay_as_they_are(kept: Kept) -> None:
    text = "\x1b[1;31mred\x1b[0m\ttab \x1b]8;;http://x\x1b\\link"
    kept.feed(text + "\n")
    assert kept.lines == [text]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_line_ends_are_recognized_wherever_the_text_is_split(kept: Kept, size: int) -> None:
    text = "one\r\ntwo\r\n\r\nthree\n"
    for start in range(0, len(text), size):
        kept.feed(text[start : start + size])
    assert kept.lines == ["one", "two", "", "three"]


def test_the_last_state_of_a_progress_bar_in_each_interval_is_kept(kept: Kept) -> None:
    every = int(128 * INTERVAL)
    for n in range(10_000):
        kept.clock.now = n / 128
        kept.feed(f"\r{n}/10000")
    kept.feed("\n")
    assert kept.lines[-1] == "9999/10000"
    assert [int(line.split("/")[0]) for line in kept.lines[:-1]] == list(range(every, 10_000, every))


def test_a_short_progress_bar_is_one_line(kept: Kept) -> None:
    kept.feed("before\n" + "".join(f"\r{n}%" for n in range(101)) + "\nafter\n")
    assert kept.lines == ["before", "100%", "after"]


def test_bars_that_return_after_drawing_are_reduced_in_the_same_way(kept: Kept) -> None:
    kept.feed("".join(f"{n}%\r" for n in range(101)) + "done\n")
    assert kept.lines == ["done"]


def test_a_block_that_is_redrawn_with_a_moving_cursor_is_kept_in_its_last_state(kept: Kept) -> None:
    kept.feed("a 0\nb 0\n")
    for n in range(1, 1000):
        kept.feed(f"\x1b[2A\x1b[2Ka {n}\n\x1b[2Kb {n}\n")
    kept.feed("end\n")
    kept.close()
    assert kept.lines == ["a 0", "b 0", "a 999", "b 999", "end"]


def test_a_block_is_kept_once_per_interval_while_it_is_redrawn(kept: Kept) -> None:
    kept.feed("a 0\nb 0\n")
    for n in range(1, 101):
        kept.clock.now = float(n)
        kept.feed(f"\x1b[2A\x1b[2Ka {n}\n\x1b[2Kb {n}\n")
    kept.close()
    blocks = list(zip(kept.lines[::2], kept.lines[1::2], strict=True))
    assert all(a.replace("a", "b") == b for a, b in blocks)
    assert 100 / INTERVAL <= len(blocks) <= 100 / INTERVAL + 2
    assert blocks[-1] == ("a 100", "b 100")


def test_lines_are_kept_at_once_when_redrawing_has_ended(kept: Kept) -> None:
    kept.feed("a\nb\n\x1b[2Aa\nb\n")
    kept.clock.now = INTERVAL + 1
    kept.feed("later\n")
    assert kept.lines == ["a", "b", "a", "b", "later"]


@pytest.mark.parametrize("tasks", [1, 3])
def test_ten_thousand_updates_of_a_rich_progress_bar_are_a_few_lines_and_other_output_is_kept(
    kept: Kept, tasks: int
) -> None:
    class Terminal(io.StringIO):
        def write(self, text: str) -> int:
            kept.feed(text)
            return len(text)

    console = Console(file=Terminal(), force_terminal=True, width=80)
    with Progress(console=console, auto_refresh=False) as progress:
        bars = [progress.add_task(f"bar {n}", total=10_000) for n in range(tasks)]
        for n in range(10_000):
            for bar in bars:
                progress.advance(bar)
            if n % 50 == 0:
                progress.refresh()
        console.print("beside")
    console.print("after")
    kept.close()
    assert len(kept.lines) < 10 * tasks
    assert sum("beside" in line for line in kept.lines) == sum("after" in line for line in kept.lines) == 1
    for n in range(tasks):
        assert "100%" in [line for line in kept.lines if f"bar {n}" in line][-1]


def test_a_line_without_an_end_is_split(kept: Kept) -> None:
    for _ in range(1000):
        kept.feed("x" * 1000)
    assert sum(map(len, kept.lines)) >= 900_000
    kept.close()
    assert "".join(kept.lines) == "x" * 1_000_000


def test_a_cursor_that_moves_up_too_far_does_not_delay_lines_forever(kept: Kept) -> None:
    kept.feed("\x1b[999999999A")
    for n in range(1000):
        kept.feed(f"{n}\n")
    kept.close()
    assert [line for line in kept.lines if line] == [str(n) for n in range(1000)]
