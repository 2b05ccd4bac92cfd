"""Import the runs of log directories, once or for as long as they grow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from .event_file_import import Target
from .import_result import ImportResult
from .logdir import ROOT, Selection, Skipped, find_runs, printable, run_id, run_name
from .pool import Failure, process_count, run_apart, run_here
from .run_import import ImportJob, RunImport, import_run, run_directory
from .uploads import Uploads

_MIN_PARALLEL_SIZE = 16 * 1024 * 1024  # bytes of event files; for less, starting processes costs more than it saves
_MIN_INTERVAL = 1.0  # minimum seconds between two looks at the directories


class Source(NamedTuple):
    """A log directory, the text that identifies its runs, and which of them to import."""

    logdir: Path
    identity: str
    selection: Selection


class Plan(NamedTuple):
    """What to import, where to (run directories under `root`, entity and project), and the names of runs."""

    sources: Sequence[Source]
    root: Path
    entity: str
    project: str
    name: str | None = None
    group: str | None = None
    single: bool = False

    def find_jobs(self) -> tuple[dict[str, ImportJob], list[Skipped]]:
        """Return the runs that exist now by id, and the files that are skipped."""
        jobs, skipped = {}, []
        for logdir, identity, selection in self.sources:
            found = find_runs(logdir, selection, self.single)
            skipped += found.skipped
            for source in found.runs:
                run = run_id(identity, source.path)
                target = Target(
                    run_directory(self.root, run), {"id": run, "entity": self.entity, "project": self.project}
                )
                meta = {"name": run_name(identity, source.path, self.name), "group": self.group or ""}
                jobs[run] = ImportJob(
                    source, target, {k: v for k, v in meta.items() if v}, printable(str(logdir)), True
                )
        return jobs, skipped


class ProgressView(Protocol):
    """Shows the progress of an import."""

    def begin(self, runs: int, size: int) -> None:
        """Show that so many runs, with so many bytes of event files, are to be imported."""

    def advance(self, news: tuple[int, int]) -> None:
        """Show that so many more bytes of event files and points are done."""

    def following(self, runs: int) -> None:
        """Show that everything is imported, and that new data is awaited."""


class Importer:
    """Imports the runs of a plan. `results` has the result of each run by id, and `jobs` the runs."""

    def __init__(self, plan: Plan, uploads: Uploads | None, view: ProgressView) -> None:
        self._plan = plan
        self._uploads = uploads
        self._view = view
        self._imports: dict[str, RunImport] = {}
        self._file_states: dict[tuple[str, str], tuple[int, int]] = {}
        self.jobs: dict[str, ImportJob] = {}
        self.skipped: list[Skipped] = []
        self.results: dict[str, ImportResult] = {}

    def import_now(self, end: bool = True) -> None:
        """Import what exists now. With `end`, also write the ends of streams, since nothing follows them."""
        self._find_jobs()
        jobs = [job._replace(end=end) for job in self.jobs.values()]
        sizes = {job.target.directory: sum(file.size for file in job.source.files) for job in jobs}
        self._view.begin(len(jobs), sum(sizes.values()))
        for job in jobs:
            self._changed_files(job)
        jobs.sort(key=lambda job: -sizes[job.target.directory])  # so that no long one is left alone at the end
        for job, outcome in self._run_jobs(jobs, sum(sizes.values())):
            if isinstance(outcome, Failure):
                result = ImportResult()
                result.failed[ROOT] = outcome.reason
            else:
                result = outcome
            self._add_result(job, result)

    def follow(self, until_idle: float | None) -> None:
        """Import what exists and what is written from now on, then write the ends of streams.

        Stop after `until_idle` seconds without anything new; None means when interrupted.
        """
        self.import_now(end=False)
        latest = time.monotonic()
        try:
            while until_idle is None or time.monotonic() < latest + until_idle:
                before = time.monotonic()
                self._view.following(len(self.jobs))
                if self._import_changes():
                    latest = time.monotonic()
                # After a long look, wait longer, so that looking never keeps a processor busy.
                time.sleep(max(_MIN_INTERVAL, 4 * (time.monotonic() - before)))
        except KeyboardInterrupt:
            pass
        self._find_jobs()
        for run, job in self.jobs.items():
            self._add_result(job, self._run_import(run, job).advance(job, self._view.advance))

    def _import_changes(self) -> bool:
        """Import what is new since the last look; return whether anything was."""
        self._find_jobs()
        found = False
        for run, job in self.jobs.items():
            changed = self._changed_files(job)
            if changed:
                found = True
                result = self._run_import(run, job).advance(job._replace(end=False), self._view.advance, changed)
                self._add_result(job, result)
        return found

    def _run_jobs(self, jobs: list[ImportJob], size: int) -> Iterator[tuple[ImportJob, ImportResult | Failure]]:
        processes = process_count(len(jobs))
        if processes < 2 or size < _MIN_PARALLEL_SIZE:
            return run_here(import_run, jobs, self._view.advance)
        return run_apart(import_run, jobs, self._view.advance, processes)

    def _find_jobs(self) -> None:
        found, self.skipped = self._plan.find_jobs()
        for run, job in self.jobs.items():
            if run not in found:  # its files were deleted; what was imported stays
                found[run] = job._replace(source=job.source._replace(files=()))
        self.jobs = found

    def _changed_files(self, job: ImportJob) -> frozenset[str]:
        """Return the files of a run that have changed since the last call."""
        run = job.target.run["id"]
        changed = set()
        for file in job.source.files:
            state = (file.size, file.changed)
            if self._file_states.get((run, file.name)) != state:
                self._file_states[run, file.name] = state
                changed.add(file.name)
        return frozenset(changed)

    def _run_import(self, run: str, job: ImportJob) -> RunImport:
        if run not in self._imports:
            self._imports[run] = RunImport(job.target)
        return self._imports[run]

    def _add_result(self, job: ImportJob, result: ImportResult) -> None:
        run = job.target.run["id"]
        self.results.setdefault(run, ImportResult()).add(result)
        if self._uploads is not None and job.target.directory.exists():
            self._uploads.add(job.target.directory)
