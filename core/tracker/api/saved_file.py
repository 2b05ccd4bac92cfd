"""Fetch one saved file, wherever the run is at hand: what `tracker.restore` does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from tracker.settings import Settings

from .files import File
from .local import read_run
from .remote import Api


class Current(Protocol):
    """What is to be known of the current run."""

    @property
    def dir(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def settings(self) -> Settings: ...


def fetch(
    name: str, run_path: str | None, current: Current | None, root: str | os.PathLike[str], replace: bool
) -> Path:
    """Fetch a file of the run at `run_path`, or else of the current one; see `tracker.restore`."""
    file = Api().run(str(run_path)).file(name) if current is None else _of(current, name)
    target = file.target(root)
    return target if file.is_at(target) else file.download(root, replace)


def _of(current: Current, name: str) -> File:
    try:
        return read_run(current.dir).file(name)
    except KeyError:
        settings = current.settings
        if settings.mode != "online" or settings.base_url is None:
            raise
    # A run that is resumed on another machine has its earlier files on the server only.
    return Api(settings.base_url, settings.api_key).run(current.path).file(name)
