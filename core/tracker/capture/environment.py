"""Gather what is needed to repeat a run. The agent does this, so training does not wait for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from tracker.settings import Settings

from . import git, host, packages
from .file_keeper import Keeper

_FROM_PROCESS = ("command", "program", "cwd", "executable", "variables", "node")
_SKIPPED = frozenset("__pycache__ node_modules site-packages".split())
_MOST_SOURCES = 5000


def environment(header: dict[str, Any], settings: Settings, deadline: git.Deadline, keeper: Keeper) -> dict[str, Any]:
    """Return the payload of an `environment` record (FORMAT.md), without `stream` and `started`.

    It is about the process that wrote `header`; `keeper` gets the files. Never raises if the machine, the
    repository or git lacks something.
    """
    process: dict[str, Any] = header["process"]
    program, cwd = process.get("program"), process.get("cwd")
    found = {member: process[member] for member in _FROM_PROCESS if member in process}
    found.update({member: header[member] for member in ("host", "python") if member in header})
    if settings.captures("host"):
        found.update(host.describe())
    first = not process.get("node")  # the machines of a job share their code, so one of them keeps it
    if first and settings.captures("packages") and "path" in process:
        keeper.keep("requirements.txt", packages.requirements(process["path"]).encode())
    repository = None
    if settings.captures("git"):
        try:
            repository = git.find(program, cwd, deadline)
            if repository is not None:
                found["git"] = git.describe(repository, program, cwd)
                found["git"].update(_changes(repository, settings, keeper if first else None))
        except git.Failed as error:
            keeper.leave("git", str(error))
    if first and settings.save_code and not settings.disable_code and program is not None:
        keeper.keep_file(_code_name(program, repository.root if repository else cwd), os.path.realpath(program))
    outcome = {"files": keeper.names, "local": keeper.local, "left_out": keeper.left_out}
    return {**found, **{member: value for member, value in outcome.items() if value}}


def code(root: str, globs: Iterable[str], settings: Settings, deadline: git.Deadline, keeper: Keeper) -> None:
    """Keep the files below a directory whose names, or paths from it, match one of `globs`.

    Files that git ignores are left out; without git, hidden folders and environments are. They are named `code/` and
    their path in the repository, or in `root` if there is none.
    """
    base, found = root, None
    if settings.captures("git"):
        try:
            repository = git.repository_of(root, deadline)
            if repository is not None:
                base, found = repository.root, repository.sources(root)
        except git.Failed as error:
            keeper.leave("git", str(error))
    patterns = list(globs)
    below = git.inside(base, root) or "."
    taken = 0
    for path in found if found is not None else _walk(root):
        names = (os.path.basename(path), os.path.relpath(path, below).replace(os.sep, "/"))
        if not any(fnmatchcase(name, pattern) for pattern in patterns for name in names):
            continue
        if taken >= _MOST_SOURCES:
            keeper.leave(f"code/{path}", f"more than {_MOST_SOURCES} files")
            continue
        taken += 1
        keeper.keep_file(f"code/{path}", os.path.join(base, path))


def _changes(repository: git.Repository, settings: Settings, keeper: Keeper | None) -> dict[str, Any]:
    """Give the diff and the untracked files to the keeper; return what to note about them and the submodules.

    If one part fails, the others are still kept.
    """
    found: dict[str, Any] = {}
    try:
        found["dirty"] = repository.differs()
        submodules = repository.submodules()
        if submodules:
            found["submodules"] = submodules
    except git.Failed as error:
        if keeper is not None:
            keeper.leave("git", str(error))
    if keeper is None:
        return found
    if settings.captures("diff"):
        try:
            keeper.keep_patch("diff.patch", repository.patch())
        except git.Failed as error:
            keeper.leave("diff.patch", str(error))
    if settings.captures("untracked") and settings.capture_limit > 0:
        try:
            paths = repository.untracked()
            if paths is None or os.path.realpath(repository.root) == os.path.realpath(os.path.expanduser("~")):
                keeper.leave("untracked", "the repository is a home directory, or does not show untracked files")
            else:
                keeper.keep_untracked(repository.root, paths)
        except git.Failed as error:
            keeper.leave("untracked", str(error))
    return found


def _code_name(program: str, base: str | None) -> str:
    inside = git.inside(base, program) if base is not None else None
    return f"code/{inside or os.path.basename(program)}"


def _walk(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
