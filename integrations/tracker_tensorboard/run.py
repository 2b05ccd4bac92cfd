"""Import one run: its event files, what lies beside them, and what the command says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tracker.errors import contain
from tracker.runlog.directory import store

from .convert import Reason, files_beside, hyperparameters, keep
from .event_stream import EventStream, Target, end_streams
from .filling import Tags, Tell
from .logdir import ALL, ROOT, EventPath, RunDirectory, printable
from .outcome import Outcome
from .sidecar import Sidecar
from .stream import StreamError

HYPERPARAMETERS = "hparams.yaml"


class Job(NamedTuple):
    """A run to import: from where, to where, what it is called, and whether its streams shall have their end.

    `logdir` is noted in its config, unless it is empty.
    """

    source: RunDirectory
    target: Target
    meta: dict[str, str]
    logdir: str
    end: bool


def import_run(job: Job, tell: Tell) -> Outcome:
    """Import what is new in all files of a run. What cannot be imported is in the outcome, and the rest goes on."""
    return RunImport(job.target).advance(job, tell)


class RunImport:
    """The import of one run, which can be asked to go on again and again."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._tags = Tags()
        self._recalled: set[str] = set()
        self._passed: dict[str, EventPath] = {}

    def advance(self, job: Job, tell: Tell, changed: frozenset[str] | None = None) -> Outcome:
        """Import what is new: in all files, or only in those named and in those that were never looked at."""
        outcome = Outcome()
        for file in job.source.files:
            known = file.name in self._recalled or file.name in self._passed
            if changed is not None and file.name not in changed and known:
                continue
            outcome.looked.add(printable(file.name))
            try:
                self._advance(job, file, outcome, tell)
            except FileNotFoundError:
                pass  # deleted since it was found
            except (OSError, StreamError) as error:
                outcome.failed[printable(file.name)] = reason_of(error)
            except Exception as error:  # noqa: BLE001 - one file must not cost the others
                outcome.failed[printable(file.name)] = f"{type(error).__name__}: {error}"
                contain(error, f"the import of {printable(file.name)}")
        if self._target.directory.exists():  # not for files that hold nothing
            outcome.looked.add(ROOT)
            try:
                self._look_beside(job, outcome)
                if job.end:
                    end_streams(self._target.directory)
            except (OSError, StreamError) as error:
                outcome.failed[ROOT] = reason_of(error)
        return outcome

    def _advance(self, job: Job, file: EventPath, outcome: Outcome, tell: Tell) -> None:
        with EventStream(file, job.source.directory / file.name, self._target, outcome) as events:
            if events.caught_up:
                if file.name not in self._recalled:
                    self._passed[file.name] = file
                return
            # The first metadata of a tag wins, so files before this one must be known; read only now that it matters.
            self._recall_passed(job.source.directory)
            if file.name not in self._recalled:
                events.recall(self._tags)
                self._recalled.add(file.name)
            events.advance(self._tags, self._store, "group" not in job.meta, tell)

    def _recall_passed(self, directory: Path) -> None:
        passed, self._passed = self._passed, {}
        for name, file in passed.items():
            self._recalled.add(name)
            try:
                with EventStream(file, directory / name, self._target, Outcome()) as events:
                    events.recall(self._tags)
            except (OSError, StreamError):
                pass  # deleted since, or at work elsewhere

    def _look_beside(self, job: Job, outcome: Outcome) -> None:
        """Note the run's name and origin, and keep what lies in its directory beside event files."""
        directory, config = self._target.directory, dict[str, Any]()
        if job.logdir:
            config["tensorboard"] = {"logdir": job.logdir, "run": job.source.path}
        sidecar = Sidecar(directory, self._target.run)
        folders = {file.name.rpartition("/")[0] for file in job.source.files} if job.source.path == ALL else {""}
        for folder in sorted(folders):
            for beside in files_beside(job.source.directory / folder):
                name = f"{printable(folder)}/{beside.name}" if folder else beside.name
                try:
                    outcome.media += sidecar.keep(name, beside.path, keep)
                    if beside.name == HYPERPARAMETERS:
                        config.update(hyperparameters(beside.path))
                except (OSError, ValueError, ImportError) as error:
                    outcome.skipped[Reason(name, reason_of(error))] += 1
        sidecar.note(job.meta, config)

    def _store(self, content: bytes) -> str:
        return store(str(self._target.directory), content)


def reason_of(error: Exception) -> str:
    """Return what is the matter, for people."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def run_directory(root: Path, run: str) -> Path:
    """Return where a run is kept under a directory."""
    return root / ".tracker" / "runs" / run
