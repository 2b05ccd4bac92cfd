"""Hand run directories over to the agent: one process that serves all runs of this user on this machine.

They share a folder that only the user can read. It has a lock, which the agent holds, and `queue/`, with a file for
each directory that waits for the agent. The agent moves the file to `taken/`, and deletes it when the directory no
longer needs an agent. So if an agent is killed, the next one knows what to do. Programs with another Python, another
tracker, or another environment (in variables that matter to an agent) have a folder of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tracker.machine.atomic_files import SECRET, write_whole
from tracker.machine.state_folder import state_folder
from tracker.runlog import locks

LOCK, LOG = "lock", "agent.log"
_CONCERNS = re.compile(
    r"proxy|ca_bundle|ssl|cert|^home$|^xdg_|^path$|^ld_|^python|^git_|ssh|key|token|secret|pass|pwd|cred|auth|dsn|_ur[li]",
    re.IGNORECASE,
)
"""Variables that change what an agent can reach, what it runs, or what it must keep secret."""
_VARIES = {"PWD", "OLDPWD"}


class Request(NamedTuple):
    """A run directory, and the settings that its process got as arguments and variables."""

    directory: str
    given: dict[str, Any]


def folder() -> Path:
    """Return the folder that processes like this one share with their agent. Raises OSError if it cannot be made."""
    reasons = []
    for root in _roots():
        path = root / "agents" / _mark()
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part in (path.parent, path, path / "queue", path / "taken"):
                part.mkdir(exist_ok=True, mode=0o700)
                _check_ours(part)
        except OSError as error:
            reasons.append(str(error))
        else:
            return path
    raise OSError("; ".join(reasons))


def _roots() -> list[Path]:
    shared = Path(os.environ.get("TMPDIR") or "/tmp") / f"tracker-{os.getuid()}"
    try:
        return [state_folder(), shared]
    except RuntimeError:  # a user without a home, as in some containers
        return [shared]


def _check_ours(path: Path) -> None:
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError(f"{path} is not a folder that only its owner {os.getuid()} may write to")


def _mark() -> str:
    """Return the name of the folder: it differs for processes that one agent cannot serve together."""
    words = [
        sys.modules[str(__package__).partition(".")[0]].__version__,
        __file__,
        sys.executable or "",
        os.uname().nodename,
        str(os.getuid()),
    ]
    for name in ("pid", "mnt", "net", "user"):  # another container has other files and networks
        try:
            words.append(str(os.stat(f"/proc/self/ns/{name}").st_ino))
        except OSError:
            words.append("")
    words += [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if _CONCERNS.search(name) and name not in _VARIES and not name.startswith("TRACKER_")
    ]
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()[:24]


def lock(path: Path) -> int | None:
    """Become the agent of a folder, and return the descriptor that holds the lock; None if there is an agent.

    A process that inherits the descriptor holds the lock, too. Raises OSError.
    """
    fd = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    held = locks.take(fd)
    if held is None:
        os.close(fd)
    return held


def is_served(path: Path) -> bool:
    """Tell whether a folder has an agent, or one is being started."""
    try:
        fd = os.open(path / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return locks.is_taken(fd)
    finally:
        os.close(fd)


def put(path: Path, directory: str, given: Mapping[str, Any]) -> None:
    """Queue a directory for the agent of a folder, the present one or the next. Raises OSError."""
    name = f"{hashlib.sha256(os.fsencode(directory)).hexdigest()[:32]}-{os.getpid()}"
    request = json.dumps({"directory": directory, "given": dict(given)}).encode()  # in ASCII: names may have any bytes
    write_whole(path / "queue" / name, request, SECRET, path)  # the queue itself must not hold drafts


def take(path: Path) -> dict[str, Request]:
    """Take the requests that wait in the queue; return them by their names, for `done`."""
    taken = {}
    for name in sorted(os.listdir(path / "queue")):
        os.replace(path / "queue" / name, path / "taken" / name)
        request = _read(path / "taken" / name)
        if request is not None:
            taken[name] = request
    return taken


def unfinished(path: Path) -> dict[str, Request]:
    """Return the requests that an earlier agent took and did not finish."""
    found = {name: _read(path / "taken" / name) for name in sorted(os.listdir(path / "taken"))}
    return {name: request for name, request in found.items() if request is not None}


def waiting(path: Path) -> bool:
    """Tell whether a request waits in the queue."""
    return bool(os.listdir(path / "queue"))


def done(path: Path, name: str) -> None:
    """Forget a request that was taken."""
    (path / "taken" / name).unlink(missing_ok=True)


def _read(path: Path) -> Request | None:
    try:
        entry = json.loads(path.read_text("utf-8"))
        return Request(str(entry["directory"]), dict(entry["given"]))
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        return None
