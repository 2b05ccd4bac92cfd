"""Seal records, so that an agent knows that a process of its own user wrote them.

A record that asks an agent for files from outside the run directory has a seal: an HMAC with a key that only this user
can read. Without seals, a run directory from someone else could make whoever syncs it upload any of their files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.machine.atomic_files import SECRET, write_first
from tracker.machine.state_folder import state_folder
from tracker.runlog.directory import this_boot


def seal(*parts: str) -> str:
    """Return the seal of these words, which only this user can make. Raises OSError if the key cannot be stored."""
    import hmac  # most training processes do not need it

    return hmac.digest(_key(), _joined(parts), "sha256").hex()


def is_sealed(mark: object, *parts: str) -> bool:
    """Tell whether `mark` is this user's seal of these words."""
    import hmac

    try:
        return isinstance(mark, str) and mark.isascii() and hmac.compare_digest(mark, seal(*parts))
    except OSError:
        return False


def process_seal(run_id: str, process: Mapping[str, Any]) -> str:
    """Return the seal of a process of this user that writes to a run.

    It covers `host`, `pid` and `pid_start` of the stream's header, and the machine's boot and pid namespace. Raises
    OSError if the key cannot be stored.
    """
    return seal(*_process(run_id, process))


def is_process_sealed(header: Mapping[str, Any]) -> bool:
    """Tell whether a stream's header is from a process of this user on this machine since its last boot."""
    return type(header.get("pid_start")) is int and is_sealed(header.get("seal"), *_process(header.get("id"), header))


def _process(run_id: object, process: Mapping[str, Any]) -> list[str]:
    named = (run_id, "process", *(process.get(member) for member in ("host", "pid", "pid_start")), *this_boot())
    return [str(part) for part in named]


def _joined(parts: tuple[str, ...]) -> bytes:
    # With lengths: words that are divided in another way have another seal.
    return b"".join(b"%d:%b" % (len(part), part) for part in (p.encode("utf-8", "surrogateescape") for p in parts))


def _key() -> bytes:
    try:
        path = state_folder() / "seal.key"
    except RuntimeError as error:  # a user without a home, as in some containers
        raise OSError(str(error)) from None
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < 32:  # short enough to guess, and then to make seals
        raise OSError(f"{path} is damaged: remove it")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_first(path, os.urandom(32), SECRET)
