"""What an import shows: how it gets on, and at its end what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .logdir import ALL, ROOT, Skipped, printable
from .outcome import Outcome
from .run import Job

MOST = 20
"""Lines of one sort that are shown; the others are counted."""

_EVERY = 10.0  # seconds between lines where there is no bar


class Show:
    """Shows a progress bar with points per second and the time left, or where there is no terminal a line now and
    then; and lines and tables.
    """

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._terminal = self.console.is_terminal
        if not self._terminal:
            self.console = Console(highlight=False, width=1000)
        self._size = self._done = self._points = 0
        self._began = self._told = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            TextColumn("{task.fields[what]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self._terminal,
        )
        self._task = self._bar.add_task("importing", total=None, what="", visible=False)

    def __enter__(self) -> Show:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str, style: str = "") -> None:
        """Show a line, broken where the terminal ends."""
        self.console.print(text, style=style, markup=False)

    # -- while it goes on: see `View` -------------------------------------------------------------------------------

    def begin(self, runs: int, size: int) -> None:
        """See `View`."""
        self._size, self._began = size, time.monotonic()
        self._bar.reset(self._task, total=size or None, visible=True, description=plural(runs, "run"))

    def advance(self, news: tuple[int, int]) -> None:
        """See `View`."""
        self._done += news[0]
        self._points += news[1]
        now = time.monotonic()
        what = f"{short(self._points)} points, {short(self._points / max(now - self._began, 0.01))}/s"
        if self._done <= self._size:
            self._bar.update(self._task, completed=self._done, what=what)
        if not self._terminal and now > self._told + _EVERY:
            self._told = now
            part = f"{100 * self._done / self._size:.0f}%, " if self._done <= self._size else ""
            self.say(part + what)

    def following(self, runs: int) -> None:
        """See `View`."""
        what = f"{short(self._points)} points; ctrl+C ends it"
        self._bar.reset(self._task, description=f"following {plural(runs, 'run')}", total=None, what=what)

    def uploading(self, sent: int, size: int) -> None:
        """Show how much of the run directories' lines is on the server."""
        what = f"{sent / 1e6:,.1f} of {size / 1e6:,.1f} MB"
        self._bar.update(self._task, description="uploading", completed=sent, total=size or None, what=what)


def table(jobs: Mapping[str, Job], outcomes: Mapping[str, Outcome], width: int) -> Table:
    """Return what is new by run: all runs, or if these are many those with trouble first, and their sum."""
    rows = [(job.meta["name"], outcomes[run]) for run, job in jobs.items() if run in outcomes]
    shown = rows
    if len(rows) > MOST:
        shown = sorted(rows, key=lambda row: row[1].whole)[:MOST]
    lines = [(name, *_cells([outcome])) for name, outcome in shown]
    if len(shown) < len(rows):
        names = {name for name, _ in shown}
        left = [outcome for name, outcome in rows if name not in names]
        lines.append((f"… {plural(len(left), 'run')} more", *_cells(left)))
    if len(rows) > 1:
        lines.append(("all", *_cells([outcome for _, outcome in rows])))
    return _table(("run", "points", "media", "skipped", "damaged"), lines, width)


def plan_table(jobs: Iterable[Job], width: int) -> Table:
    """Return what would be imported."""
    lines = []
    for job in jobs:
        files = job.source.files
        size = sum(file.size for file in files)
        lines.append((job.meta["name"], f"{len(files):,}", f"{size:,}", job.target.run["id"]))
    return _table(("run", "files", "bytes", "id"), lines, width)


def remarks(jobs: Mapping[str, Job], outcomes: Mapping[str, Outcome]) -> list[str]:
    """Return what is to be said of values and files that are not imported as what they are."""
    found = [remark for run, outcome in outcomes.items() for remark in _remarks(jobs[run], outcome)]
    sorts = ("failed", "damaged", "unread", "skipped", "rewritten", "shorter", "times")
    return [line for sort in sorts for line in limited([text for text in found if text.startswith(f"{sort}: ")])]


def _remarks(job: Job, outcome: Outcome) -> Iterator[str]:
    path = job.source.path
    place = "" if path in (ROOT, ALL) else f"{printable(path)}/"
    for sort, gaps in (
        ("damaged", outcome.damaged),
        ("unread", outcome.pending.values()),
        ("shorter", outcome.shortened.values()),
    ):
        for gap in gaps:
            yield f"{sort}: {place}{gap.file}, bytes {gap.start:,} to {gap.end:,}: {gap.reason}"
    for file, reason in outcome.failed.items():
        yield f"failed: {place}{file}: {reason}"
    for (tag, reason), count in outcome.skipped.items():
        yield f"skipped: {place}{tag}: {plural(count, 'value')}: {reason}"
    for file in outcome.rewritten:
        yield f"rewritten: {place}{file}: not what was imported before; imported anew, and what was before stays"
    if outcome.mended:
        yield f"times: {job.meta['name']}: {plural(outcome.mended, 'event')} without a sensible time got the one before"


def passed_over(skipped: Sequence[Skipped]) -> list[str]:
    """Return lines about what is no event file."""
    return limited([f"passed over: {path}: {reason}" for path, reason in skipped])


def limited(lines: list[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    if len(lines) <= MOST:
        return lines
    sort = lines[0].partition(":")[0]
    return [*lines[:MOST], f"{sort}: … and {len(lines) - MOST:,} more"]


def plural(count: int, thing: str) -> str:
    """Return a count of things."""
    return f"{count:,} {thing}{'s' if count != 1 else ''}"


def short(number: float) -> str:
    """Return a number in few characters, such as 12.3 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:.{1 if number < 99.95 * size else 0}f} {unit}"
    return f"{number:.0f}"


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> Table:
    """A table whose first column gets what the others leave; of names that are too long, the end is shown."""
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    most = max(10, width - sum(widths[1:]) - 2 * len(widths[1:]))
    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column(headings[0], no_wrap=True)
    for heading, least in zip(headings[1:], widths[1:], strict=True):
        made.add_column(heading, justify="right", no_wrap=True, min_width=least)
    for name, *cells in lines:
        made.add_row(Text(name if len(name) <= most else "…" + name[1 - most :]), *cells)
    return made


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    numbers = (
        sum(outcome.points for outcome in outcomes),
        sum(outcome.media for outcome in outcomes),
        sum(outcome.skipped.total() for outcome in outcomes),
        sum(outcome.gaps + len(outcome.failed) for outcome in outcomes),
    )
    return [f"{number:,}" for number in numbers]
