"""Find the server that this user runs on this machine, by one small file for each server.

A server publishes `STATE/tracker/servers/<port>.json` while it runs (STATE is `$XDG_STATE_HOME` or `~/.local/state`).
The file has the server's token, so only its owner may read it, and readers ignore files that others may read. Before a
client sends the token, the server at the address must prove that it knows it (`proof`).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import stat
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .machine.atomic_files import SECRET, write_whole
from .machine.state_folder import state_folder
from .runlog.directory import is_alive, process_start, this_boot

PROOF_PATH = "/api/proof"
"""Where a server proves that it knows its token; see `proof`."""


class Server(NamedTuple):
    """A server on this machine: its address, token, pid, data directory, and when it started (Unix time)."""

    url: str
    token: str
    pid: int
    directory: str
    started: float
    process: tuple[str, int | None, str, str]
    """Host, start of the process (clock ticks since boot), boot, and pid namespace; with the pid, its identity."""


def folder() -> Path:
    """Return the folder in which servers publish themselves, which may not exist."""
    return state_folder() / "servers"


def publish(url: str, token: str, directory: Path | str) -> Path:
    """Publish that this process serves `directory` at `url`; return the file, for `withdraw`.

    The file appears whole, with the rights 0600 from its first byte.
    """
    from urllib.parse import urlsplit  # takes 3 ms, and training processes do not need it

    where = folder()
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = where / f"{urlsplit(url).port or 0}.json"
    entry = {
        "url": url,
        "token": token,
        "pid": os.getpid(),
        "dir": str(Path(directory).absolute()),
        "started": time.time(),
        "process": _process(os.getpid()),
    }
    write_whole(path, json.dumps(entry).encode(), SECRET)
    return path


def withdraw(path: Path) -> None:
    """Remove the file that `publish` made, unless another server has replaced it since."""
    entry = _read(path)
    if entry is not None and entry.pid == os.getpid():
        with contextlib.suppress(OSError):
            path.unlink()


def find() -> Server | None:
    """Return the newest published server whose process lives; None if there is none.

    Files that are damaged, belong to another user, or may be read by others are ignored. Opens no connection.
    """
    return max(_live(), key=lambda server: server.started, default=None)


def resolve(base_url: str | None, api_key: str | None) -> tuple[str | None, str | None]:
    """Return the address and the API key to use, completed from this user's own server on this machine.

    Without an address it is that server's, or None if there is none. The server's token is the key if none is given.
    """
    server = find()
    if server is not None and base_url in (None, server.url):
        return server.url, api_key or server.token
    return base_url, api_key


def token_at(url: str) -> str | None:
    """Return the token of this user's live server that published this address; None if there is none."""
    return next((server.token for server in _live() if server.url == url), None)


def proof(token: str, question: str, port: int) -> str:
    """Return the proof that only a server that knows the token and listens on `port` gives for a question.

    It covers the port: otherwise a program on another port could pass the question on to the server and use its proof.
    """
    return hmac.digest(_stretched(token), f"tracker {question} {port}".encode(), "sha256").hex()


@cache
def _stretched(token: str) -> bytes:
    # Slow, so that nobody who sees a proof can find a weak token by trying.
    return hashlib.pbkdf2_hmac("sha256", token.encode(), b"tracker proof", 50_000)


def _live() -> list[Server]:
    return [server for server in map(_read, _paths()) if server is not None and _alive(server)]


def _paths() -> list[Path]:
    try:
        return list(folder().glob("*.json"))
    except (OSError, RuntimeError):  # RuntimeError: a user without a home, as in some containers
        return []


def _read(path: Path) -> Server | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, encoding="utf-8") as file:
            status = os.fstat(descriptor)
            # Others who can write the file could redirect this user's runs; those who can read it could read the runs.
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
                return None
            entry = json.loads(file.read(65536))
        host, start, boot, space = entry["process"]
        process = (str(host), None if start is None else int(start), str(boot), str(space))
        about = str(entry["url"]), str(entry["token"]), int(entry["pid"]), str(entry["dir"]), float(entry["started"])
        return Server(*about, process)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _process(pid: int) -> tuple[str, int | None, str, str]:
    return (os.uname().nodename, process_start(pid), *this_boot())


def _alive(server: Server) -> bool:
    """Tell whether the process that published itself lives, and not another one with its pid."""
    return server.pid > 0 and is_alive(server.pid, server.process[1]) and server.process == _process(server.pid)
