"""`logging`: the cost of one call for the training process, and for the machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from .deaf import refusing, silent
from .measure import FLOOR, TRACKER, Options, Subject, median, run_subject, scratch
from .report import Line

GROUP = "logging"
CALLS = 100_000
NEW_KEYS = 2000
ROUNDS = 5

Figures = dict[str, list[float]]
Server = Callable[[], AbstractContextManager[str]]


def run(options: Options) -> Iterator[Line]:
    """Compare all subjects with the floor, in alternating rounds, so that drift of the machine cancels."""
    figures: dict[Subject, Figures] = {}
    subjects = [FLOOR, TRACKER, *options.peers]
    idle = {subject: _run(subject, 0)["helpers_cpu_s"] for subject in subjects}  # the cost without a call
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
    for what, server in {"answers 503": refusing, "is silent": silent}.items():
        yield from _new_keys(options, what, server)


def _new_keys(options: Options, what: str, server: Server) -> Iterator[Line]:
    """Log new keys while the server fails: no call may wait for it."""
    calls, rounds = options.calls(TRACKER, NEW_KEYS), options.rounds(ROUNDS)
    slowest: dict[Subject, list[float]] = {FLOOR: [], TRACKER: []}
    for _ in range(rounds):
        for subject, found in slowest.items():
            with server() as url, scratch() as directory:
                variables = {"TRACKER_MODE": "online", "TRACKER_BASE_URL": url, "TRACKER_API_KEY": "x" * 32}
                variables |= {"TRACKER_FINISH_TIMEOUT": "0", "TRACKER_DRAIN_TIMEOUT": "0"}
                timed = run_subject(subject, directory, calls, "--timers", "--new-keys", **variables)
                found.append(timed["max_us"])
    for subject, found in slowest.items():
        target = 1e5 if subject is TRACKER else None
        n = f"{rounds} × {calls:,} calls"
        yield Line(
            GROUP, subject.label, f"a new key while the server {what}, max", median(found), "µs", n, None, target
        )


P50, P99 = "one call of 10 scalars, p50", "one call of 10 scalars, p99"
MEAN, MAX = "one call of 10 scalars, mean", "one call of 10 scalars, max"
LOOP = "100k calls, CPU of the training process"
WHOLE = "… finish included"
FAMILY = "… and of all its helpers, to their end"
UNITS = {P50: "µs", P99: "µs", MEAN: "µs", MAX: "µs", LOOP: "s", WHOLE: "s", FAMILY: "s"}
TARGETS = {P50: (2.2, True), P99: (100.0, False), LOOP: (5.0, True)}
"""The target of each line, and whether it is a multiple of the floor."""


def _measure(subject: Subject, calls: int, idle: float) -> dict[str, float]:
    timed, plain = _run(subject, calls, "--timers"), _run(subject, calls)
    per_100k = CALLS / calls
    return {
        P50: timed["p50_us"],
        P99: timed["p99_us"],
        MEAN: timed["mean_us"],
        MAX: timed["max_us"],
        LOOP: per_100k * plain["loop_cpu_s"],
        WHOLE: per_100k * plain["cpu_s"],
        FAMILY: per_100k * (plain["cpu_s"] + max(0.0, plain["helpers_cpu_s"] - idle)),
    }


def _run(subject: Subject, calls: int, *flags: str) -> dict[str, float]:
    with scratch() as directory:
        return run_subject(subject, directory, calls, *flags)
