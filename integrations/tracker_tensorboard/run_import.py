"""Import one run: its event files, the files next to them, and its name, group and origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tracker.errors import contained
from tracker.runlog.directory import store

from .convert import SkipReason, companion_files, hyperparameters, store_file
from .event_file_import import EventFileImport, Target, finish_streams
from .import_result import ImportResult
from .logdir import ALL, ROOT, EventPath, RunDirectory, printable
from .resumable_stream import StreamError
from .run_metadata import RunMetadata
from .stream_filler import OnProgress, TagMetadata

HYPERPARAMETERS = "hparams.yaml"


class ImportJob(NamedTuple):
    """A run to import: its source, its target, its name and group, and whether to write the ends of its streams.

    `logdir` is noted in its config, unless it is empty.
    """

    source: RunDirectory
    target: Target
    meta: dict[str, str]
    logdir: str
    end: bool


def import_run(job: ImportJob, on_progress: OnProgress) -> ImportResult:
    """Import what is new in all files of a run. Files that fail are in the result, and the others go on."""
    return RunImport(job.target).advance(job, on_progress)


class RunImport:
    """Imports one run, as often as `advance` is called."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._tags = TagMetadata()
        self._recalled: set[str] = set()
        self._passed: dict[str, EventPath] = {}

    def advance(self, job: ImportJob, on_progress: OnProgress, changed: frozenset[str] | None = None) -> ImportResult:
        """Import what is new in all files, or only in `changed` files and those that were never examined."""
        result = ImportResult()
        for file in job.source.files:
            known = file.name in self._recalled or file.name in self._passed
            if changed is not None and file.name not in changed and known:
                continue
            result.examined.add(printable(file.name))
            try:
                self._advance(job, file, result, on_progress)
            except FileNotFoundError:
                pass  # deleted meanwhile
            except (OSError, StreamError) as error:
                result.failed[printable(file.name)] = error_reason(error)
            except Exception as error:
                result.failed[printable(file.name)] = f"{type(error).__name__}: {error}"
                with contained(f"the import of {printable(file.name)}"):
                    raise
        if self._target.directory.exists():  # it does not if the files are empty
            result.examined.add(ROOT)
            try:
                self._import_companion_files(job, result)
                if job.end:
                    finish_streams(self._target.directory)
            except (OSError, StreamError) as error:
                result.failed[ROOT] = error_reason(error)
        return result

    def _advance(self, job: ImportJob, file: EventPath, result: ImportResult, on_progress: OnProgress) -> None:
        with EventFileImport(file, job.source.directory / file.name, self._target, result) as events:
            if events.caught_up:
                if file.name not in self._recalled:
                    self._passed[file.name] = file
                return
            # The first metadata of a tag wins, so read that of the files before this one, now that it matters.
            self._recall_passed(job.source.directory)
            if file.name not in self._recalled:
                events.recall(self._tags)
                self._recalled.add(file.name)
            events.advance(self._tags, self._store, "group" not in job.meta, on_progress)

    def _recall_passed(self, directory: Path) -> None:
        passed, self._passed = self._passed, {}
        for name, file in passed.items():
            self._recalled.add(name)
            try:
                with EventFileImport(file, directory / name, self._target, ImportResult()) as events:
                    events.recall(self._tags)
            except (OSError, StreamError):
                pass  # deleted meanwhile, or locked by another import

    def _import_companion_files(self, job: ImportJob, result: ImportResult) -> None:
        """Write the name and origin of the run, and store the files that lie next to event files."""
        directory, config = self._target.directory, dict[str, Any]()
        if job.logdir:
            config["tensorboard"] = {"logdir": job.logdir, "run": job.source.path}
        metadata = RunMetadata(directory, self._target.run)
        folders = {file.name.rpartition("/")[0] for file in job.source.files} if job.source.path == ALL else {""}
        for folder in sorted(folders):
            for companion in companion_files(job.source.directory / folder):
                name = f"{printable(folder)}/{companion.name}" if folder else companion.name
                try:
                    result.media += metadata.keep_file(name, companion.path, store_file)
                    if companion.name == HYPERPARAMETERS:
                        config.update(hyperparameters(companion.path))
                except (OSError, ValueError, ImportError) as error:
                    result.skipped[SkipReason(name, error_reason(error))] += 1
        metadata.write_changes(job.meta, config)

    def _store(self, content: bytes) -> str:
        return store(str(self._target.directory), content)


def error_reason(error: Exception) -> str:
    """Return the reason of an error, for people."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def run_directory(root: Path, run: str) -> Path:
    """Return the directory of a run below `root`."""
    return root / ".tracker" / "runs" / run
