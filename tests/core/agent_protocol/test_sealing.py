"""Test seals: only this user can make them, and each is valid for one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.agent_protocol import sealing
from tracker.agent_protocol.sealing import seal
from tracker.runlog.directory import this_process


def test_only_the_user_can_read_the_key_and_it_stays_the_same() -> None:
    mark = seal("a", "b")
    assert mark == seal("a", "b")
    assert mark not in (seal("a"), seal("ab"), seal("b", "a"), seal("ab", ""))
    (key,) = (Path.home() / ".local" / "state" / "tracker").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.stat().st_size == 32


def test_a_seal_is_of_one_process_of_one_run_on_one_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"id": "x", **this_process()}
    sealed = {**about, "seal": sealing.process_seal("x", about)}
    assert sealing.is_process_sealed(sealed)
    for member, other in (("id", "y"), ("pid", 1), ("pid_start", 1), ("pid_start", None), ("host", "other")):
        assert not sealing.is_process_sealed({**sealed, member: other})
    monkeypatch.setattr(sealing, "this_boot", lambda: ("another boot", ""))
    assert not sealing.is_process_sealed(sealed)
