"""Find directories and expand paths, without raising if a directory or the user's home is missing."""

from __future__ import annotations

import os
import re

from tracker.errors import warn_once
from tracker.names import is_project_name, normal_name


def home() -> str | None:
    """Return the user's home directory; None if there is none, as for users of some containers."""
    given = os.environ.get("HOME", "").strip()
    if os.path.isabs(given):
        return given
    import pwd  # few processes need it

    try:
        return pwd.getpwuid(os.getuid()).pw_dir or None
    except KeyError:
        return None


def user_folder(variable: str, *default: str) -> str | None:
    """Return the folder that an XDG variable names, else `default` below the home directory; None without a home."""
    given = os.environ.get(variable, "").strip()
    if os.path.isabs(given):  # the XDG specification says to ignore relative paths
        return given
    root = home()
    return None if root is None else os.path.join(root, *default)


def expand(path: str | os.PathLike[str]) -> str:
    """Return a path with a leading `~` or `~user` replaced, unless a file has exactly this name."""
    text = os.fspath(path)
    if not text.startswith("~") or os.path.lexists(text):
        return text
    first, _, rest = text.partition("/")
    if first == "~":
        root = home()
        return text if root is None else os.path.join(root, rest)
    return os.path.expanduser(text)


def working_directory() -> str:
    """Return the working directory; if it was deleted, the home directory or else `/`, with one warning."""
    try:
        return os.getcwd()
    except OSError:
        root = home()
        other = root if root is not None and os.path.isdir(root) else "/"
        warn_once(f"the working directory was deleted; {other} is used instead", "working directory")
        return other


def absolute(path: str | os.PathLike[str]) -> str:
    """Return an absolute path without `..`, with `~` expanded, even if the working directory was deleted."""
    text = expand(path)
    return os.path.normpath(text if os.path.isabs(text) else os.path.join(working_directory(), text))


def login_name() -> str:
    """Return the user's login name, changed to a name that an entity may have; `default` if there is none."""
    import getpass

    try:
        name = normal_name(re.sub(r"[^\w.-]", "-", getpass.getuser()).lstrip(".")[:128])
    except (OSError, KeyError, ImportError):  # no such user, as in some containers
        name = ""
    return name if is_project_name(name) else "default"
