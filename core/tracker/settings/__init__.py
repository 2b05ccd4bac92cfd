"""Settings: arguments first, then `TRACKER_*` variables, then `.tracker/settings.toml` in the directory, then the
user's.

`SETTINGS` lists them all; `docs/reference/settings.md` documents each and a test holds the two together.
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
