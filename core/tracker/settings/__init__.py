"""Resolve settings: from arguments, `TRACKER_*` variables, the directory's `.tracker/settings.toml`, the user's file.

`SETTINGS` lists them all, with the text of their rows in `docs/reference/settings.md`.
"""

from .files import directory_file, read_directory_file, read_file, user_file, write_directory_file, write_file
from .parsing import is_local
from .resolve import Settings, without_key
from .table import SETTINGS, Setting

__all__ = [
    "SETTINGS",
    "Setting",
    "Settings",
    "directory_file",
    "is_local",
    "read_directory_file",
    "read_file",
    "user_file",
    "without_key",
    "write_directory_file",
    "write_file",
]
