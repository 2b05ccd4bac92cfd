"""Show the progress of an import, and its result at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .import_result import ImportResult
from .logdir import ALL, ROOT, Skipped, printable
from .run_import import ImportJob

MAX_LINES = 20
"""The most lines of one sort to show; the others are counted."""

_LINE_INTERVAL = 10.0  # seconds between progress lines without a terminal


class TerminalView:
    """Shows lines, tables and progress: a bar with points per second and the time left, or lines if there is no
    terminal.
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

    def __enter__(self) -> TerminalView:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str, style: str = "") -> None:
        """Show a line, wrapped to the terminal."""
        self.console.print(text, style=style, markup=False)

    # -- ProgressView -----------------------------------------------------------------------------------------------

    def begin(self, runs: int, size: int) -> None:
        """See `ProgressView`."""
        self._size, self._began = size, time.monotonic()
        self._bar.reset(self._task, total=size or None, visible=True, description=plural(runs, "run"))

    def advance(self, news: tuple[int, int]) -> None:
        """See `ProgressView`."""
        self._done += news[0]
        self._points += news[1]
        now = time.monotonic()
        what = f"{short(self._points)} points, {short(self._points / max(now - self._began, 0.01))}/s"
        if self._done <= self._size:
            self._bar.update(self._task, completed=self._done, what=what)
        if not self._terminal and now > self._told + _LINE_INTERVAL:
            self._told = now
            part = f"{100 * self._done / self._size:.0f}%, " if self._done <= self._size else ""
            self.say(part + what)

    def following(self, runs: int) -> None:
        """See `ProgressView`."""
        what = f"{short(self._points)} points; ctrl+C ends it"
        self._bar.reset(self._task, description=f"following {plural(runs, 'run')}", total=None, what=what)

    def uploading(self, sent: int, size: int) -> None:
        """Show how many bytes of the run directories' lines are on the server."""
        what = f"{sent / 1e6:,.1f} of {size / 1e6:,.1f} MB"
        self._bar.update(self._task, description="uploading", completed=sent, total=size or None, what=what)


def result_table(jobs: Mapping[str, ImportJob], results: Mapping[str, ImportResult], width: int) -> Table:
    """Return a table of what is new in each run, and the sum. Of many runs, those with problems come first."""
    rows = [(job.meta["name"], results[run]) for run, job in jobs.items() if run in results]
    shown = rows
    if len(rows) > MAX_LINES:
        shown = sorted(rows, key=lambda row: row[1].complete)[:MAX_LINES]
    lines = [(name, *_cells([result])) for name, result in shown]
    if len(shown) < len(rows):
        names = {name for name, _ in shown}
        left = [result for name, result in rows if name not in names]
        lines.append((f"… {plural(len(left), 'run')} more", *_cells(left)))
    if len(rows) > 1:
        lines.append(("all", *_cells([result for _, result in rows])))
    return _table(("run", "points", "media", "skipped", "damaged"), lines, width)


def plan_table(jobs: Iterable[ImportJob], width: int) -> Table:
    """Return a table of what would be imported."""
    lines = []
    for job in jobs:
        files = job.source.files
        size = sum(file.size for file in files)
        lines.append((job.meta["name"], f"{len(files):,}", f"{size:,}", job.target.run["id"]))
    return _table(("run", "files", "bytes", "id"), lines, width)


def remarks(jobs: Mapping[str, ImportJob], results: Mapping[str, ImportResult]) -> list[str]:
    """Return lines about values and files that were not imported, or not converted."""
    found = [remark for run, result in results.items() for remark in _remarks(jobs[run], result)]
    sorts = ("failed", "damaged", "unread", "skipped", "rewritten", "shorter", "times")
    return [line for sort in sorts for line in limited([text for text in found if text.startswith(f"{sort}: ")])]


def _remarks(job: ImportJob, result: ImportResult) -> Iterator[str]:
    path = job.source.path
    place = "" if path in (ROOT, ALL) else f"{printable(path)}/"
    for sort, gaps in (
        ("damaged", result.damaged),
        ("unread", result.pending.values()),
        ("shorter", result.shortened.values()),
    ):
        for gap in gaps:
            yield f"{sort}: {place}{gap.file}, bytes {gap.start:,} to {gap.end:,}: {gap.reason}"
    for file, reason in result.failed.items():
        yield f"failed: {place}{file}: {reason}"
    for (tag, reason), count in result.skipped.items():
        yield f"skipped: {place}{tag}: {plural(count, 'value')}: {reason}"
    for file in result.rewritten:
        yield f"rewritten: {place}{file}: replaced since the last import; both contents are in the run"
    if result.repaired_times:
        events = plural(result.repaired_times, "event")
        yield f"times: {job.meta['name']}: {events} without a valid time got the time before"


def skipped_lines(skipped: Sequence[Skipped]) -> list[str]:
    """Return lines about files that look like event files but are not."""
    return limited([f"ignored: {path}: {reason}" for path, reason in skipped])


def limited(lines: list[str]) -> list[str]:
    """Return the first `MAX_LINES` lines, and a line with the number of the others."""
    if len(lines) <= MAX_LINES:
        return lines
    sort = lines[0].partition(":")[0]
    return [*lines[:MAX_LINES], f"{sort}: … and {len(lines) - MAX_LINES:,} more"]


def plural(count: int, thing: str) -> str:
    """Return a count with its noun, in the plural if needed."""
    return f"{count:,} {thing}{'s' if count != 1 else ''}"


def short(number: float) -> str:
    """Return a number in few characters, such as 12.3 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:.{1 if number < 99.95 * size else 0}f} {unit}"
    return f"{number:.0f}"


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> Table:
    """Return a table whose first column gets the space that the others leave. Long names show their end."""
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    most = max(10, width - sum(widths[1:]) - 2 * len(widths[1:]))
    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column(headings[0], no_wrap=True)
    for heading, least in zip(headings[1:], widths[1:], strict=True):
        made.add_column(heading, justify="right", no_wrap=True, min_width=least)
    for name, *cells in lines:
        made.add_row(Text(name if len(name) <= most else "…" + name[1 - most :]), *cells)
    return made


def _cells(results: Sequence[ImportResult]) -> list[str]:
    numbers = (
        sum(result.points for result in results),
        sum(result.media for result in results),
        sum(result.skipped.total() for result in results),
        sum(result.gaps + len(result.failed) for result in results),
    )
    return [f"{number:,}" for number in numbers]
