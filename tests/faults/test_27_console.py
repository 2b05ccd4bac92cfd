"""Row 27: SIGKILL of a training that prints, and of the processes between it and its terminal."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import tracker
from tests.depth import depth
from tests.faults.harness import Training, uploaded
from tests.waiting import PATIENCE, eventually
from tracker_server.embedded import Embedded

Start = Callable[..., tuple[Training, Path]]


@pytest.fixture
def start(train: Callable[..., Training], tmp_path: Path) -> Start:
    """Start a training that prints into a file."""

    def start(mode: str, *arguments: object, **options: str) -> tuple[Training, Path]:
        out = tmp_path / f"out-{random.random()}"
        # The harness leaves stdout as it is, so this command redirects it.
        prefix = ["sh", "-c", f'exec "$@" > {out}', "sh"]
        environment = {"TRACKER_CONSOLE": mode, **options}
        return train(*arguments, prefix=prefix, script="printing.py", environment=environment), out

    return start


def helpers(training: Training) -> list[psutil.Process]:
    """Return the two helper processes that capture the console, without the shell that starts them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or [""]
        if command[0] == sys.executable and "tracker.capture.console_helper" in command:
            found += [process] if str(training.directory) in command else []
    return found


def pair(training: Training) -> list[psutil.Process]:
    """Wait until both helpers run; return them."""
    return eventually(lambda: found if len(found := helpers(training)) == 2 else None, PATIENCE)


def kept(training: Training) -> list[str]:
    return [line["text"] for line in tracker.read_run(training.directory).console() if line["stream"] == "stdout"]


def written(out: Path, count: int) -> list[str] | None:
    """Return the lines of a file if there are enough."""
    found = out.read_text().splitlines()
    return found if len(found) >= count else None


def assert_kept(training: Training, out: Path, returned: int) -> None:
    """Assert that each line whose `print` returned is in the file and on the server, in order; one more may be."""
    run = uploaded(training, "crashed")
    printed = eventually(lambda: written(out, returned), PATIENCE)
    assert printed == numbers(len(printed))
    lines = [line["text"] for line in run.console() if line["stream"] == "stdout"]
    assert lines == numbers(len(lines))
    assert returned <= len(lines) <= returned + 1
    assert run.info["corrupt"] == 0


def distinct(lines: list[str]) -> list[str]:
    """Return lines without repetitions; missing and misplaced lines stay visible."""
    return list(dict.fromkeys(lines))


def unglued(lines: list[str], expected: list[str]) -> list[str]:
    """Return lines as passed on: one whose helper was killed before its line break begins with what came again."""
    known = set(expected)
    halves = [line[: len(line) // 2] for line in lines]
    return [half if line not in known and line == half * 2 else line for line, half in zip(lines, halves, strict=True)]


def numbers(count: int) -> list[str]:
    return [str(n) for n in range(count)]


@depth("rounds", brief=1, slow=5)
@pytest.mark.parametrize("mode", ["wrap", "redirect"])
def test_output_of_a_killed_training_is_kept_and_uploaded_in_order(
    server: Embedded, start: Start, rng: random.Random, mode: str, rounds: int
) -> None:
    for _ in range(rounds):
        training, out = start(mode)
        training.reach(rng.randrange(1, 2000))
        assert_kept(training, out, training.kill())


@depth("rounds", brief=3, slow=10)
def test_either_process_of_the_helper_may_be_killed_at_any_moment(
    start: Start, rng: random.Random, rounds: int
) -> None:
    training, out = start("redirect", "--pause", 0.0005, TRACKER_MODE="offline")
    for _ in range(rounds):
        killed = rng.choice(pair(training))
        killed.kill()
        training.reach(training.board.returned + 50)
        eventually(lambda gone=killed: gone not in helpers(training))  # type: ignore[misc]
    assert training.stop() == 0
    expected = numbers(training.board.returned)
    assert distinct(unglued(out.read_text().splitlines(), expected)) == expected
    assert distinct(kept(training)) == expected
    assert len(kept(training)) - len(expected) <= rounds


def test_without_helpers_the_training_itself_passes_on_and_keeps_pending_output(start: Start) -> None:
    training, out = start("redirect", "--pause", 0.0005, TRACKER_MODE="offline")  # pending output must fit into a pipe
    training.reach(100)
    gone = pair(training)
    for process in gone:
        process.suspend()
    for process in gone:
        process.kill()
    training.reach(training.board.returned + 100)
    assert training.stop() == 0
    expected = numbers(training.board.returned)
    assert_in_order(out.read_text().splitlines(), expected)
    assert_in_order(kept(training), expected)


def test_without_helpers_logging_starts_new_ones(start: Start) -> None:
    training, out = start("redirect", "--pause", 0.002, "--log", TRACKER_MODE="offline")
    training.reach(100)
    gone = pair(training)
    for process in gone:
        process.suspend()
    for process in gone:
        process.kill()
    # A killed process is still listed for a moment.
    eventually(lambda: len(others) == 2 if (others := set(helpers(training)) - set(gone)) else None, PATIENCE)
    assert training.stop() == 0
    expected = numbers(training.board.returned)
    assert_in_order(out.read_text().splitlines(), expected)
    assert_in_order(kept(training), expected)


def assert_in_order(lines: list[str], expected: list[str]) -> None:
    """Assert that the lines are in order; two killed helpers may have lost what each had just read."""
    found = distinct(lines)
    whole = [line for line in found if line in set(expected)]
    assert whole == [line for line in expected if line in set(found)]
    assert len(found) - len(whole) <= 1
    assert whole[-1] == expected[-1]
