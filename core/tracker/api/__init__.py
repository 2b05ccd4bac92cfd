"""Read runs from a server (`Api`) or a run directory (`read_run`), and add to them."""

from .files import File
from .local import LocalRun, read_run
from .remote import Api, RemoteRun, Runs
from .run_reader import RunReader

__all__ = ["Api", "File", "LocalRun", "RemoteRun", "RunReader", "Runs", "read_run"]
