"""Row 28: event files contain arbitrary bytes.

Few are tried by default, and many by `nox -s slow`. No file may take more than seconds of CPU, or
hundreds of megabytes.
"""

from __future__ import annotations

import resource
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.depth import depth
from tests.integrations.tensorboard.events import bring, rows, runs
from tests.integrations.tensorboard.reader.crafted import (
    SHAPES,
    event,
    flat,
    header,
    histogram,
    read_slowly,
    record,
    simple,
)
from tracker_tensorboard.reader import Damage, EventFile

ROOM = 256 * 2**20
PATIENCE = 10.0

tags = st.sampled_from(["loss", "acc", "train/loss", "", "x" * 70])
numbers = st.sampled_from([0.0, 1.0, -2.5, float("nan"), float("inf"), 1e-40])
steps = st.sampled_from([0, 1, 100, 127, 16380, 2**40, 2**60, -1])
stretches = st.builds(
    lambda shape, tag, number, step, count: b"".join(
        event(shape(tag, number), time=1e9 + i, step=step + i) for i in range(count)
    ),
    st.sampled_from(SHAPES),
    tags,
    numbers,
    steps,
    st.integers(1, 30),
)
others = st.sampled_from(
    [event(histogram()), event(simple("a", 1), simple("b", 2)), event(file_version="brain.Event:2"), record(b"")]
)
payloads = st.binary(max_size=60).map(record)  # valid records of any content
lies = st.builds(lambda length, rest: header(length) + rest, st.integers(0, 2**64 - 1), st.binary(max_size=30))
pieces = st.one_of(stretches, stretches, others, payloads, lies, st.binary(max_size=60), st.integers(0, 600).map(bytes))
harms = st.tuples(st.floats(0, 1), st.sampled_from(["flip", "drop", "insert", "double", "cut"]), st.binary(max_size=20))


def harm(data: bytes, where: float, how: str, junk: bytes) -> bytes:
    at = int(where * len(data))
    if how == "flip":
        return data[:at] + bytes(byte ^ 0x10 for byte in data[at : at + 1]) + data[at + 1 :]
    if how == "drop":
        return data[:at] + data[at + len(junk) :]
    if how == "insert":
        return data[:at] + junk + data[at:]
    return data[:at] + data[at // 2 :] if how == "double" else data[:at]


files = st.builds(
    lambda parts, harmed: _harmed(b"".join(parts), harmed), st.lists(pieces, max_size=8), st.lists(harms, max_size=4)
)


def _harmed(data: bytes, harmed: list[tuple[float, str, bytes]]) -> bytes:
    for where, how, junk in harmed:
        data = harm(data, where, how, junk)
    return data


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Limit this process to `ROOM` bytes more than it has now."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def bounded_time() -> Iterator[None]:
    """Fail if the block takes more than `PATIENCE` seconds of CPU."""

    def over(*_: Any) -> None:
        pytest.fail(f"it takes more than {PATIENCE} s")

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@depth("examples", brief=100, slow=2000)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_any_bytes_are_read_as_values_damage_or_pending_like_by_a_simple_reader(examples: int) -> None:
    @given(files, st.integers(0, 5000))
    @settings(max_examples=examples, deadline=None)
    def check(data: bytes, first: int) -> None:
        expected = read_slowly(data)
        with tempfile.TemporaryDirectory() as directory, bounded_time():
            path = Path(directory, "tfevents")
            path.write_bytes(data[:first])
            file = EventFile(path)
            items = list(file.read())
            path.write_bytes(data)
            items += file.read()
            assert (flat(items), file.offset) == expected
            at = 0  # the positions of damage and the ends of other items increase
            for item in items:
                assert item.end > at or isinstance(item, Damage)
                at = item.end
            unchecked = EventFile(path, check=False)
            for _ in unchecked.read():
                pass
            assert unchecked.offset + unchecked.pending == len(data)

    with bounded_memory():
        check()


@depth("examples", brief=25, slow=500)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_any_file_is_imported_completely_and_once_however_it_grew(examples: int) -> None:
    @given(files, st.integers(0, 5000))
    @settings(max_examples=examples, deadline=None)
    def check(data: bytes, first: int) -> None:
        with tempfile.TemporaryDirectory() as directory, bounded_time():
            path = Path(directory, "logs", "tfevents")
            path.parent.mkdir()
            for root, contents in (("grown", (data[:first], data, data)), ("at once", (data,))):
                for content in contents:
                    path.write_bytes(content)
                    done = bring(path.parent, Path(directory, root))
                    assert not any(outcome.failed for outcome in done.results.values())
            grown, whole = (_everything(Path(directory, root)) for root in ("grown", "at once"))
            assert grown == whole

    with bounded_memory():
        check()


def _everything(root: Path) -> Any:
    """Return all content of the imported run; None if the import made no run."""
    if not (root / ".tracker").exists():
        return None
    ((name, run),) = runs(root).items()
    return name, str(rows(run)), run.info["corrupt"], run.info["lost"], run.state
