"""Restore a run's code and files to a new directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tracker.api import File, LocalRun, RunReader
from tracker.errors import TrackerError
from tracker.runlog.records import jsonable
from tracker.runlog.safe_open import open_file

from . import repository, rerun_command
from .tree import Refused, Tree

DETAILS = ".tracker/restored"
"""The folder for files that describe the run and are not part of its code."""

_PATCH = "diff.patch"
_REQUIREMENTS = "requirements.txt"


@dataclass
class Restored:
    """The result of `restore`. All names come from the run: clean them before you print them."""

    directory: Path
    environment: dict[str, Any]
    """The run's environment; see `RunReader.environment`."""
    commit: str | None = None
    origin: repository.Origin | None = None
    patched: bool = False
    untracked: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    """Paths of files from the source code that the run stored."""
    details: list[str] = field(default_factory=list)
    """Paths of the files in `DETAILS`."""
    absent: list[str] = field(default_factory=list)
    """Files of the run that are not available here."""
    refused: dict[str, str] = field(default_factory=dict)
    """Files that were not written, and why."""
    working_directory: Path | None = None
    """Where to run the command; None if the run's working directory was outside of its repository."""
    command: str | None = None


def restore(
    run: RunReader,
    directory: Path,
    repositories: list[Path],
    fetch: bool = False,
    with_git: bool = True,
) -> Restored:
    """Restore the run's repository in a new directory: its commit, local changes, untracked files, and stored code.

    Nothing of the run is started. An error leaves nothing behind.

    Args:
        run: The run.
        directory: A directory that does not exist or is empty.
        repositories: Where to look for the commit first; one that has it gets a worktree. Then come the repository in
            which the run was and the run's remote, which are cloned.
        fetch: Allow the network for the remote.
        with_git: If False, restore only the files that the run itself stores.

    Raises:
        CommitNotFound: No repository has the commit.
        TrackerError: The directory is not empty, or something else fails.
    """
    if not run.environment:
        raise TrackerError(
            f"{run.path} does not say how it was started: it ran with TRACKER_CAPTURE=none or TRACKER_DISABLE_CODE, or "
            "ended before its agent could look"
        )
    existed = directory.exists()
    if existed and (not directory.is_dir() or any(directory.iterdir())):
        raise TrackerError(f"{directory} is not empty, and nothing is ever overwritten: choose another one with --dir")
    directory = directory.absolute()
    made = Restored(directory, run.environment)
    try:
        _Restoration(run, made, repositories, fetch, with_git).do()
    except BaseException:
        repository.remove(made.origin, directory)
        shutil.rmtree(directory, ignore_errors=True)
        if existed:
            directory.mkdir(exist_ok=True)
        raise
    return made


class _Restoration:
    def __init__(self, run: RunReader, made: Restored, repositories: list[Path], fetch: bool, with_git: bool) -> None:
        self._run, self._made, self._repositories = run, made, repositories
        self._fetch, self._with_git = fetch, with_git
        self._tree = Tree(made.directory)
        self._files = _files_of(run)
        git = run.environment.get("git")
        self._git: dict[str, Any] = git if isinstance(git, dict) else {}
        named = [*_texts(run.environment.get("files")), *_texts(run.environment.get("local"))]
        made.absent = [name for name in named if name not in self._files]
        self._kept = {name: self._files[name] for name in named if name in self._files}

    def do(self) -> None:
        made = self._made
        made.directory.parent.mkdir(parents=True, exist_ok=True)
        patch = self._kept.get(_PATCH)
        if self._git and self._with_git:
            self._check_out()
            if patch is not None:
                with tempfile.TemporaryDirectory(prefix="tracker-") as folder:
                    patch.copy_to(Path(folder, _PATCH))
                    repository.apply(made.directory, Path(folder, _PATCH))
                made.patched = True
        made.directory.mkdir(exist_ok=True)
        self._write_all("untracked/", self._kept, made.untracked)
        # `log_code` may have stored code that no environment names. Files of the commit or the patch take precedence.
        lacking = {name: f for name, f in self._files.items() if not os.path.lexists(made.directory / name[5:])}
        self._write_all("code/", lacking, made.code)
        self._write_details(patch)
        inside = rerun_command.directory_of(made.environment)
        try:
            made.working_directory = self._tree.folder(inside) if inside is not None else None
        except Refused as error:
            made.refused[str(inside)] = str(error)
        made.command = rerun_command.command(made.environment, made.directory)

    def _check_out(self) -> None:
        commit, root, remote = (
            value if isinstance(value, str) else None for value in map(self._git.get, ("commit", "root", "remote"))
        )
        if commit is None:
            repository.begin(self._made.directory)
            return
        try:
            origin = repository.find(commit, self._repositories, root, remote, self._fetch)
            self._made.origin, self._made.commit = origin, commit
            repository.check_out(origin, commit, self._made.directory, self._fetch)
        except repository.CommitNotFound as error:
            kept = sum(name.startswith(("untracked/", "code/")) for name in self._files)
            what = (
                f"the {kept} file{'s' if kept != 1 else ''} that the run itself stores"
                if kept
                else "config and packages"
            )
            raise repository.CommitNotFound(f"{error}; --without-git restores {what}") from None

    def _write_all(self, prefix: str, files: dict[str, File], done: list[str]) -> None:
        for name, file in sorted(files.items()):
            if name.startswith(prefix):
                self._write(name.removeprefix(prefix), name, file.copy_to, done)

    def _write_details(self, patch: File | None) -> None:
        run = self._run
        details: dict[str, Callable[[Path], None]] = {
            "config.json": lambda path: _write_json(path, run.config),
            "environment.json": lambda path: _write_json(path, run.environment),
        }
        for name, file in ((_REQUIREMENTS, self._kept.get(_REQUIREMENTS)), (_PATCH, patch)):
            if file is not None:
                details[name] = file.copy_to
        for name, content in details.items():
            self._write(f"{DETAILS}/{name}", name, content, self._made.details, ours=True)
        # git must not count these files as code.
        self._write(f"{DETAILS}/.gitignore", ".gitignore", _hide, [], ours=True)

    def _write(
        self, path: str, name: str, content: Callable[[Path], None], done: list[str], ours: bool = False
    ) -> None:
        try:
            self._tree.write(path, content, ours)
            done.append(path)
        except Refused as error:
            self._made.refused[name] = str(error)


def _files_of(run: RunReader) -> dict[str, File]:
    """Return the run's files by name, with those of its directory that were never uploaded."""
    files = {file.name: file for file in run.files()}
    if isinstance(run, LocalRun):
        for name in _texts(run.environment.get("local")):
            try:
                with open(open_file(run.directory, f"local/{name}"), "rb") as file:
                    content = file.read()
            except OSError:
                continue
            digest = hashlib.sha256(content).hexdigest()
            files[name] = File(name, len(content), digest, lambda target, content=content: _write_to(target, content))  # type: ignore[misc]
    return files


def _hide(path: Path) -> None:
    path.write_text("*\n")


def _write_to(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _write_json(path: Path, value: Any) -> None:
    path.write_bytes(orjson.dumps(jsonable(value), option=orjson.OPT_INDENT_2) + b"\n")
