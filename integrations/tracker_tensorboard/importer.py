"""Import log directories: all their runs at once, and for as long as they grow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from .event_file_import import Target
from .import_result import ImportResult
from .logdir import ROOT, Selection, Skipped, find_runs, printable, run_id, run_name
from .pool import Failure, cores, run_apart, run_here
from .run_import import ImportJob, RunImport, import_run, run_directory
from .uploads import Uploads

_MIN_PARALLEL_SIZE = 16 * 1024 * 1024  # bytes of event files for which more processes cost more than they save
_MAX_PROCESSES = 4  # processes at once, so that they take no more than 300 MB together
_MIN_INTERVAL = 1.0  # seconds from one look at the directories to the next, at least


class Source(NamedTuple):
    """A log directory, what it is known by, and which of its runs are wanted."""

    logdir: Path
    identity: str
    selection: Selection


class Plan(NamedTuple):
    """What to import, to which run directories (under `root`) and projects, and how runs are called."""

    sources: Sequence[Source]
    root: Path
    entity: str
    project: str
    name: str | None = None
    group: str | None = None
    single: bool = False

    def find_jobs(self) -> tuple[dict[str, ImportJob], list[Skipped]]:
        """Return the runs that there are now by id, and what is not imported."""
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
    """Sees how an import gets on."""

    def begin(self, runs: int, size: int) -> None:
        """So many runs with so many bytes of event files are there to be looked at."""

    def advance(self, news: tuple[int, int]) -> None:
        """So many bytes of event files and points are done."""

    def following(self, runs: int) -> None:
        """All is imported that is there; more may come."""


class Importer:
    """The import of a plan's runs. `results` has what it brought, by run id; `jobs` the runs themselves."""

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
        """Import what there is now. With `end`, streams get their end: nobody follows them for now."""
        self._find_jobs()
        jobs = [job._replace(end=end) for job in self.jobs.values()]
        sizes = {job.target.directory: sum(file.size for file in job.source.files) for job in jobs}
        self._view.begin(len(jobs), sum(sizes.values()))
        for job in jobs:
            self._changed_files(job)
        jobs.sort(key=lambda job: -sizes[job.target.directory])  # the longest first, so that none is left over alone
        for job, outcome in self._run_jobs(jobs, sum(sizes.values())):
            if isinstance(outcome, Failure):
                result = ImportResult()
                result.failed[ROOT] = outcome.reason
            else:
                result = outcome
            self._add_result(job, result)

    def follow(self, until_idle: float | None) -> None:
        """Import what there is and goes on to come, until nothing new came for so many seconds (None: until
        interrupted), and then give the streams their end.
        """
        self.import_now(end=False)
        latest = time.monotonic()
        try:
            while until_idle is None or time.monotonic() < latest + until_idle:
                before = time.monotonic()
                self._view.following(len(self.jobs))
                if self._import_changes():
                    latest = time.monotonic()
                # Where looking takes long, it must not take up a processor.
                time.sleep(max(_MIN_INTERVAL, 4 * (time.monotonic() - before)))
        except KeyboardInterrupt:
            pass
        self._find_jobs()
        for run, job in self.jobs.items():
            self._add_result(job, self._run_import(run, job).advance(job, self._view.advance))

    def _import_changes(self) -> bool:
        """Import what is new since the last look; tell whether there was anything."""
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
        processes = min(cores(), _MAX_PROCESSES, len(jobs))
        if processes < 2 or size < _MIN_PARALLEL_SIZE:
            return run_here(import_run, jobs, self._view.advance)
        return run_apart(import_run, jobs, self._view.advance, processes)

    def _find_jobs(self) -> None:
        found, self.skipped = self._plan.find_jobs()
        for run, job in self.jobs.items():
            if run not in found:  # its files were deleted; what was imported of them stays
                found[run] = job._replace(source=job.source._replace(files=()))
        self.jobs = found

    def _changed_files(self, job: ImportJob) -> frozenset[str]:
        """Take note of a run's files as they are; return those that are not as they were."""
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
