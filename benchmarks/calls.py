"""`logging`: what one call costs the training process, and what it costs the machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .measure import FLOOR, TRACKER, Options, Subject, median, run_subject, scratch
from .report import Line

GROUP = "logging"
CALLS = 100_000
ROUNDS = 5

Figures = dict[str, list[float]]


def run(options: Options) -> Iterator[Line]:
    """Compare everyone with the floor, in rounds that take turns so that the machine's drift cancels."""
    figures: dict[Subject, Figures] = {}
    subjects = [FLOOR, TRACKER, *options.peers]
    idle = {subject: _run(subject, 0)["helpers_cpu_s"] for subject in subjects}  # what they cost without a call
    for _ in range(options.rounds(ROUNDS)):
        for subject in subjects:
            round_ = _measure(subject, options.calls(subject, CALLS), idle[subject])
            mine = figures.setdefault(subject, defaultdict(list))
            for what, value in round_.items():
                mine[what].append(value)
    for what, unit in UNITS.items():
        for subject in subjects:
            calls, mine = options.calls(subject, CALLS), figures[subject]
            ratios = [value / floor for value, floor in zip(mine[what], figures[FLOOR][what], strict=True)]
            target, of_ratio = TARGETS.get(what, (None, False)) if subject is TRACKER else (None, False)
            n = f"{len(ratios)} × {calls:,} calls"
            yield Line(GROUP, subject.label, what, median(mine[what]), unit, n, median(ratios), target, of_ratio)


P50, P99 = "one call of 10 scalars, p50", "one call of 10 scalars, p99"
LOOP = "100k calls, CPU of the training process"
WHOLE = "… finish included"
FAMILY = "… and of all its helpers, to their end"
UNITS = {P50: "µs", P99: "µs", LOOP: "s", WHOLE: "s", FAMILY: "s"}
TARGETS = {P50: (3.0, True), P99: (100.0, False), LOOP: (5.0, True)}
"""The most it may be, and whether that is times the floor."""


def _measure(subject: Subject, calls: int, idle: float) -> dict[str, float]:
    timed, plain = _run(subject, calls, "--timers"), _run(subject, calls)
    per_100k = CALLS / calls
    return {
        P50: timed["p50_us"],
        P99: timed["p99_us"],
        LOOP: per_100k * plain["loop_cpu_s"],
        WHOLE: per_100k * plain["cpu_s"],
        FAMILY: per_100k * (plain["cpu_s"] + max(0.0, plain["helpers_cpu_s"] - idle)),
    }


def _run(subject: Subject, calls: int, *flags: str) -> dict[str, float]:
    with scratch() as directory:
        return run_subject(subject, directory, calls, *flags)
