"""Places on this machine, as far as there are any: nothing here raises where a directory or a home is missing."""

from __future__ import annotations

import os
import re

from tracker.errors import warn_once
from tracker.names import is_project_name, normal_name


def home() -> str | None:
    """Return the user's home directory; None where there is none, as for the users of some containers."""
    given = os.environ.get("HOME", "").strip()
    if os.path.isabs(given):
        return given
    import pwd  # which few processes need

    try:
        return pwd.getpwuid(os.getuid()).pw_dir or None
    except KeyError:
        return None


def user_folder(variable: str, *default: str) -> str | None:
    """Return the folder that an XDG variable names, else the one below the home directory; None without either."""
    given = os.environ.get(variable, "").strip()
    if os.path.isabs(given):  # the XDG specification: a relative path is to be ignored
        return given
    root = home()
    return None if root is None else os.path.join(root, *default)


def expand(path: str | os.PathLike[str]) -> str:
    """Return a path with a leading `~` or `~user` replaced, unless there is a file of that very name."""
    text = os.fspath(path)
    if not text.startswith("~") or os.path.lexists(text):
        return text
    first, _, rest = text.partition("/")
    if first == "~":
        root = home()
        return text if root is None else os.path.join(root, rest)
    return os.path.expanduser(text)


def working_directory() -> str:
    """Return the working directory; where that was deleted, the home directory or else `/`, with one warning."""
    try:
        return os.getcwd()
    except OSError:
        root = home()
        instead = root if root is not None and os.path.isdir(root) else "/"
        warn_once(f"the working directory was deleted; {instead} is used in its place", "working directory")
        return instead


def absolute(path: str | os.PathLike[str]) -> str:
    """Return a path as an absolute one without `..`, with `~` expanded; also where the working directory is gone."""
    text = expand(path)
    return os.path.normpath(text if os.path.isabs(text) else os.path.join(working_directory(), text))


def login_name() -> str:
    """Return the user's login name as a project's owner may be called; `default` where there is none."""
    import getpass

    try:
        name = normal_name(re.sub(r"[^\w.-]", "-", getpass.getuser()).lstrip(".")[:128])
    except (OSError, KeyError, ImportError):  # no such user, as in some containers
        name = ""
    return name if is_project_name(name) else "default"
