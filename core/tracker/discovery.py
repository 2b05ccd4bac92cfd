"""How a client on this machine finds a server that the same user started: one small file per server.

A server publishes `STATE/tracker/servers/<port>.json` while it runs (STATE is `$XDG_STATE_HOME` or `~/.local/state`).
The file holds the server's token, so only its owner may read it, and readers trust only files that are so. Before a
client sends the token, the server at the address has to prove that it knows it (`proof`).
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
"""Where a server answers the question whether it knows its token; see `proof`."""


class Server(NamedTuple):
    """A server on this machine: its address, the key to it, its process, its data, and when it started (Unix time)."""

    url: str
    token: str
    pid: int
    directory: str
    started: float
    process: tuple[str, int | None, str, str]
    """Its host, when its process started (clock ticks since boot), the boot, and what its pid is valid in."""


def folder() -> Path:
    """Return where servers publish themselves; it may not exist."""
    return state_folder() / "servers"


def publish(url: str, token: str, directory: Path | str) -> Path:
    """Tell this user's clients that this process serves `directory` at `url`; return the file for `withdraw`.

    The file appears whole, and never with other rights than 0600.
    """
    from urllib.parse import urlsplit  # 3 ms to import, which training processes need not pay

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
    """Remove what `publish` made, unless another server has taken its place since."""
    entry = _read(path)
    if entry is not None and entry.pid == os.getpid():
        with contextlib.suppress(OSError):
            path.unlink()


def find() -> Server | None:
    """Return the newest published server whose process is alive, or None.

    Entries that are damaged, that another user owns, or that others may read are ignored. Takes no lock and
    connects to nothing.
    """
    return max(_live(), key=lambda server: server.started, default=None)


def resolve(base_url: str | None, api_key: str | None) -> tuple[str | None, str | None]:
    """Return the address and the key to use: those given, completed from this user's own server on this machine.

    Without an address it is that server's (None if there is none); its token is the key where none is given.
    """
    server = find()
    if server is not None and base_url in (None, server.url):
        return server.url, api_key or server.token
    return base_url, api_key


def token_at(url: str) -> str | None:
    """Return the token of the live server of this user that published this address, None if there is none."""
    return next((server.token for server in _live() if server.url == url), None)


def proof(token: str, question: str, port: int) -> str:
    """Return what only a server that knows the token and listens on `port` answers to a question.

    The port is part of it, or what listens there could pass the question on to the server and have its answer.
    """
    return hmac.digest(_stretched(token), f"tracker {question} {port}".encode(), "sha256").hex()


@cache
def _stretched(token: str) -> bytes:
    # Slow: whoever sees a proof must not find out a token that is easy to guess by trying.
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
            # Whoever may write the file could send this user's runs, and readers of it could read them.
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
    """Tell whether the very process that published itself lives, and not another one that got its pid."""
    return server.pid > 0 and is_alive(server.pid, server.process[1]) and server.process == _process(server.pid)
