"""Import log directories: all their runs at once, and for as long as they grow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from .event_stream import Target
from .logdir import ROOT, Selection, Skipped, find_runs, printable, run_id, run_name
from .outcome import Outcome
from .pool import Failure, cores, run_apart, run_here
from .run import Job, RunImport, import_run, run_directory
from .uploads import Uploads

_SMALL = 16 * 1024 * 1024  # bytes of event files for which more processes cost more than they save
_MOST = 4  # processes at once, so that they take no more than 300 MB together
_ROUND = 1.0  # seconds from one look at the directories to the next, at least


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

    def look(self) -> tuple[dict[str, Job], list[Skipped]]:
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
                jobs[run] = Job(source, target, {k: v for k, v in meta.items() if v}, printable(str(logdir)), True)
        return jobs, skipped


class View(Protocol):
    """Sees how an import gets on."""

    def begin(self, runs: int, size: int) -> None:
        """So many runs with so many bytes of event files are there to be looked at."""

    def advance(self, news: tuple[int, int]) -> None:
        """So many bytes of event files and points are done."""

    def following(self, runs: int) -> None:
        """All is imported that is there; more may come."""


class Import:
    """The import of a plan's runs. `outcomes` has what it brought, by run id; `jobs` the runs themselves."""

    def __init__(self, plan: Plan, uploads: Uploads | None, view: View) -> None:
        self._plan = plan
        self._uploads = uploads
        self._view = view
        self._imports: dict[str, RunImport] = {}
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}
        self.jobs: dict[str, Job] = {}
        self.skipped: list[Skipped] = []
        self.outcomes: dict[str, Outcome] = {}

    def once(self, end: bool = True) -> None:
        """Import what there is now. With `end`, streams get their end: nobody follows them for now."""
        self._look()
        jobs = [job._replace(end=end) for job in self.jobs.values()]
        sizes = {job.target.directory: sum(file.size for file in job.source.files) for job in jobs}
        self._view.begin(len(jobs), sum(sizes.values()))
        for job in jobs:
            self._see(job)
        jobs.sort(key=lambda job: -sizes[job.target.directory])  # the longest first, so that none is left over alone
        for job, result in self._results(jobs, sum(sizes.values())):
            if isinstance(result, Failure):
                outcome = Outcome()
                outcome.failed[ROOT] = result.reason
                result = outcome
            self._imported(job, result)

    def follow(self, until_idle: float | None) -> None:
        """Import what there is and goes on to come, until nothing new came for so many seconds (None: until
        interrupted), and then give the streams their end.
        """
        self.once(end=False)
        latest = time.monotonic()
        try:
            while until_idle is None or time.monotonic() < latest + until_idle:
                before = time.monotonic()
                self._view.following(len(self.jobs))
                if self._round():
                    latest = time.monotonic()
                # Where looking takes long, it must not take up a processor.
                time.sleep(max(_ROUND, 4 * (time.monotonic() - before)))
        except KeyboardInterrupt:
            pass
        self._look()
        for run, job in self.jobs.items():
            self._imported(job, self._import_of(run, job).advance(job, self._view.advance))

    def _round(self) -> bool:
        """Import what is new since the last look; tell whether there was anything."""
        self._look()
        found = False
        for run, job in self.jobs.items():
            changed = self._see(job)
            if changed:
                found = True
                outcome = self._import_of(run, job).advance(job._replace(end=False), self._view.advance, changed)
                self._imported(job, outcome)
        return found

    def _results(self, jobs: list[Job], size: int) -> Iterator[tuple[Job, Outcome | Failure]]:
        processes = min(cores(), _MOST, len(jobs))
        if processes < 2 or size < _SMALL:
            return run_here(import_run, jobs, self._view.advance)
        return run_apart(import_run, jobs, self._view.advance, processes)

    def _look(self) -> None:
        found, self.skipped = self._plan.look()
        for run, job in self.jobs.items():
            if run not in found:  # its files were deleted; what was imported of them stays
                found[run] = job._replace(source=job.source._replace(files=()))
        self.jobs = found

    def _see(self, job: Job) -> frozenset[str]:
        """Take note of a run's files as they are; return those that are not as they were."""
        run = job.target.run["id"]
        changed = set()
        for file in job.source.files:
            state = (file.size, file.changed)
            if self._seen.get((run, file.name)) != state:
                self._seen[run, file.name] = state
                changed.add(file.name)
        return frozenset(changed)

    def _import_of(self, run: str, job: Job) -> RunImport:
        if run not in self._imports:
            self._imports[run] = RunImport(job.target)
        return self._imports[run]

    def _imported(self, job: Job, outcome: Outcome) -> None:
        run = job.target.run["id"]
        self.outcomes.setdefault(run, Outcome()).add(outcome)
        if self._uploads is not None and job.target.directory.exists():
            self._uploads.add(job.target.directory)
