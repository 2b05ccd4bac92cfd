"""Fetch one saved file, from the run directory or the server. `tracker.restore` calls this.

That function has its name for users of other trackers; the command `tracker restore` restores a run's code.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from tracker.settings import Settings

from .files import File
from .local import read_run
from .remote import Api


class Current(Protocol):
    """The members of the current run that `fetch` needs."""

    @property
    def dir(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def settings(self) -> Settings: ...


def fetch(
    name: str, run_path: str | None, current: Current | None, root: str | os.PathLike[str], replace: bool
) -> Path:
    """Write a saved file below `root` and return its path; see `tracker.restore`.

    Args:
        name: The name of the file.
        run_path: The run on the server, `entity/project/id`, if there is no `current` one.
        current: The current run.
        root: The directory to write to.
        replace: Overwrite an existing file that has another content.
    """
    file = Api().run(str(run_path)).file(name) if current is None else _file_of(current, name)
    target = file.target(root)
    return target if file.is_at(target) else file.download(root, replace)


def _file_of(current: Current, name: str) -> File:
    try:
        return read_run(current.dir).file(name)
    except KeyError:
        settings = current.settings
        if settings.mode != "online" or settings.base_url is None:
            raise
    # The earlier files of a run that was resumed on another machine are only on the server.
    return Api(settings.base_url, settings.api_key).run(current.path).file(name)
