"""Check out a commit to a new directory, without running anything that a run, a commit or a repository names."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tracker.errors import TrackerError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LEFT_OUT = ("[.][tT][rR][aA][cC][kK][eE][rR]/*", "*/[.][tT][rR][aA][cC][kK][eE][rR]/*")
_NETWORK = ("http", "https", "ssh", "git")
# Hooks, file system monitors and transport helpers start programs; the other options change what git writes.
_OPTIONS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.protectHFS=true", "core.protectNTFS=true",
    "protocol.allow=never", "protocol.file.allow=always", "submodule.recurse=false", "fetch.recurseSubmodules=false",
    "apply.whitespace=nowarn", "apply.ignoreWhitespace=no", "advice.detachedHead=false", "gc.auto=0",
    "maintenance.auto=false",
)  # fmt: skip
_ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_TEMPLATE_DIR", "GIT_ALLOW_PROTOCOL",
)  # fmt: skip


class CommitNotFound(TrackerError):
    """No known repository has the commit; the text names those that were searched, and says what to do."""


class Origin(NamedTuple):
    """Where a commit comes from: the directory of a repository, or the address of one to clone."""

    place: str
    clone: bool

    def __str__(self) -> str:
        return f"a clone of {self.place}" if self.clone else f"a worktree of {self.place}"


def find(commit: str, chosen: Iterable[Path], noted: str | None, remote: str | None, fetch: bool) -> Origin:
    """Return where to get a commit.

    Only a repository that the user chose gets a worktree. Another one may be a trap, so it is cloned: its configuration
    has no effect in a clone.

    Args:
        commit: The full digest.
        chosen: Repositories that the user chose, which are searched first.
        noted: The directory in which the run was, searched next.
        remote: The run's remote, used last, if it is a path on this machine or `fetch` is set.
        fetch: Allow the network.

    Raises `CommitNotFound`, or another `TrackerError` if `commit` is not a digest.
    """
    if not _COMMIT.fullmatch(commit):
        raise TrackerError(f"the run names a commit {commit[:80]!r}, which is not a digest")
    searched: dict[str, None] = {}
    for directory in chosen:
        top = _top(directory)
        if top is not None:
            searched[str(top)] = None
            if _has(top, commit):
                return Origin(str(top), clone=False)
    near = [_directory(noted), _directory(Path(noted or ".", remote.removeprefix("file://")) if remote else None)]
    for place in filter(None, near):
        searched[str(place)] = None
        if _has(place, commit):
            return Origin(str(place), clone=True)
    if remote is not None and near[1] is None and fetch:
        return Origin(remote, clone=True)
    raise CommitNotFound(
        f"commit {commit[:12]} is not in {', '.join(searched) or 'any repository here'}"
        + (f"; --fetch looks for it at {remote}" if remote is not None and near[1] is None else "")
        + "; name a repository that has it with --repository DIR"
    )


def check_out(origin: Origin, commit: str, target: Path, fetch: bool) -> None:
    """Check out a commit, detached, to a directory that does not exist or is empty.

    Raises `TrackerError`; `remove` then removes the rest.
    """
    if not origin.clone:
        _git(Path(origin.place), "worktree", "add", "--quiet", "--detach", str(target.absolute()), commit)
        return
    address = ("--quiet", "--no-checkout", "--no-recurse-submodules", "--template=", "--", origin.place, str(target))
    _git(None, "clone", *address, fetch=fetch)
    if not _has(target, commit):
        try:
            _git(target, "fetch", "--quiet", "origin", commit, fetch=fetch)
        except TrackerError:
            raise CommitNotFound(
                f"commit {commit[:12]} is not at {origin.place}: it was never pushed there, or was removed; "
                "name a repository that has it with --repository DIR"
            ) from None
    _git(target, "checkout", "--quiet", "--detach", commit, fetch=fetch)


def begin(target: Path) -> None:
    """Make a repository without a commit, for a run whose repository had none. Raises `TrackerError`."""
    _git(None, "init", "--quiet", "--template=", str(target))


def apply(target: Path, patch: Path) -> None:
    """Apply a whole patch to the files of a work tree, or none of it.

    git refuses paths that lead out of the tree, into `.git`, or beyond a link. Changes in `.tracker`, which has
    settings, are left out. Raises `TrackerError`.
    """
    if patch.stat().st_size:
        left_out = (f"--exclude={pattern}" for pattern in _LEFT_OUT)
        _git(target, "apply", "--whitespace=nowarn", *left_out, str(patch.absolute()))


def remove(origin: Origin | None, target: Path) -> None:
    """Remove the worktree that `check_out` made from its repository."""
    if origin is not None and not origin.clone:
        _run(Path(origin.place), "worktree", "remove", "--force", str(target.absolute()))


def _directory(path: str | Path | None) -> Path | None:
    return Path(path) if path is not None and Path(path).is_dir() else None


def _top(directory: Path) -> Path | None:
    if not directory.is_dir():
        return None
    done = _run(directory, "rev-parse", "--show-toplevel")
    if done.returncode == 0 and done.stdout.strip():
        return Path(done.stdout.removesuffix("\n"))
    bare = _run(directory, "rev-parse", "--is-bare-repository")
    return directory if bare.stdout.strip() == "true" else None


def _has(directory: Path, commit: str) -> bool:
    return _run(directory, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def _git(directory: Path | None, *arguments: str, fetch: bool = False) -> str:
    done = _run(directory, *arguments, fetch=fetch)
    if done.returncode != 0:
        message = done.stderr.strip() or f"exit status {done.returncode}"
        raise TrackerError(f"git {arguments[0]} failed: {message[-2000:]}")
    return done.stdout


def _run(directory: Path | None, *arguments: str, fetch: bool = False) -> subprocess.CompletedProcess[str]:
    options = [*_OPTIONS, *(f"protocol.{name}.allow=always" for name in _NETWORK if fetch)]
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment.update({"LC_ALL": "C"} if fetch else {"LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1"})
    try:
        return subprocess.run(
            ["git", *(word for option in options for word in ("-c", option)), *arguments],
            cwd=directory,
            env=environment,
            stdin=None if fetch else subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        raise TrackerError(f"git cannot be started ({error.strerror or error})") from None
