"""Find the run that an argument of a command names."""

from __future__ import annotations

from pathlib import Path

from tracker.errors import NotARun
from tracker.machine.paths import expand
from tracker.runlog.records import RUN_ID
from tracker.settings import Settings

from .local import read_run
from .remote import Api
from .run_reader import RunReader


def find_run(named: str) -> RunReader:
    """Return the run that an argument names.

    It may be a run directory, a directory that contains only one run, a file that `tracker export` wrote, `FILE/ID` for
    one of several runs in such a file, the id of a run directory here, or `entity/project/id` on the server of the
    settings. Raises `NotARun`, or what `Api` raises, if there is no such run.
    """
    named = expand(named.strip())
    path = Path(named)
    if path.exists() or path.parent.is_file():
        return read_run(path)
    runs = Path(Settings().dir or ".") / ".tracker" / "runs"
    if RUN_ID.fullmatch(named):
        if not (runs / named).is_dir():
            raise NotARun(f"there is no run {named} in {runs}; for a run on a server, give entity/project/id")
        return read_run(runs / named)
    if named.startswith((".", "/", "~")) or path.suffix == ".zip":
        raise NotARun(f"{named} does not exist")
    try:
        return Api().run(named)
    except ValueError as error:
        if isinstance(error, NotARun) or "must be entity" not in str(error):
            raise
        raise NotARun(f"{named} is neither a run directory, nor an exported file, nor entity/project/id") from None
