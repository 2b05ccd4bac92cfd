"""`startup`: import, init and finish; disk and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .measure import FLOOR, TRACKER, Options, Subject, environment, median, process_cpu, run_subject, scratch
from .report import Line

GROUP = "startup"
IMPORTS = 10
LIVES = 5
CALLS = 100_000  # of ten scalars: a million
SECONDS = 15  # of a run whose memory is sampled; long enough for all work of helpers


def run(options: Options) -> Iterator[Line]:
    """Measure import, lifetime, disk and memory of this library and the peers."""
    subjects = [TRACKER, *options.peers]
    for subject in subjects:
        yield _import(subject, 3 if options.quick else IMPORTS)
    for subject in subjects:
        yield from _life(subject, options.rounds(LIVES))
    for rows, what in (("random", "ten random doubles"), ("training", "ten training metrics")):
        for subject in [FLOOR, *subjects]:
            yield _bytes(subject, options.calls(subject, CALLS), rows, what)
    for subject in subjects:
        yield from _memory(subject, options.calls(subject, CALLS), 3 if options.quick else SECONDS)


def _import(subject: Subject, times: int) -> Line:
    with scratch() as directory:
        variables = environment(subject, directory)

        def cpu(code: str) -> float:
            return process_cpu([subject.python, "-c", code], variables)

        code = f"import {subject.name}"
        cpu(code)  # writes the byte code
        extra = [1000 * (cpu(code) - cpu("pass")) for _ in range(times)]
    target = 60.0 if subject is TRACKER else None
    return Line(
        GROUP, subject.label, "import, CPU beyond an empty program", median(extra), "ms", f"{times}", None, target
    )


def _life(subject: Subject, times: int) -> Iterator[Line]:
    lives = [_run(subject, 200) for _ in range(times)]
    for life in lives:
        life["after_s"] = life["ended_at"] - life["finished_at"]
    for what, member, target in (
        ("init, wall", "start_s", 50.0),
        ("finish after 300 calls, wall, offline", "finish_s", 20.0),
        ("from there to the end of all its processes, wall", "after_s", None),
    ):
        value = median([1000 * life[member] for life in lives])
        yield Line(GROUP, subject.label, what, value, "ms", f"{times}", None, target if subject is TRACKER else None)


def _bytes(subject: Subject, calls: int, rows: str, what: str) -> Line:
    empty, full = (_run(subject, n, "--rows", rows)["bytes"] for n in (0, calls))
    size, target = (full - empty) / (10 * calls), 30.0 if subject is TRACKER else None
    return Line(GROUP, subject.label, f"disk a scalar, {what}", size, "bytes", f"1 × {calls:,} calls", None, target)


def _memory(subject: Subject, calls: int, seconds: int) -> Iterator[Line]:
    life = _run(subject, calls, "--spread", str(seconds), watch_memory=True)
    n = f"1 × {calls:,} calls in {seconds} s or more"
    yield Line(GROUP, subject.label, "peak memory of the training process", life["rss_mib"], "MiB", n)
    helpers, target = life["others"], 60.0 if subject is TRACKER else None
    what = "peak memory of its helpers together"
    yield Line(GROUP, subject.label, what, life["others_rss_mib"], "MiB", f"{helpers} processes, {n}", None, target)


def _run(subject: Subject, calls: int, *flags: str, watch_memory: bool = False) -> dict[str, Any]:
    with scratch() as directory:
        return run_subject(subject, directory, calls, *flags, watch_memory=watch_memory)
