from __future__ import annotations

import sys

import pytest

import tracker
from tracker import errors


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_warned", set())
    monkeypatch.setattr(errors, "_silent", False)


def test_a_message_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    errors.warn_once("the disk is full")
    errors.warn_once("the disk is full")
    assert capsys.readouterr().err == "tracker: the disk is full\n"


def test_messages_that_share_a_topic_are_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    for step in (0.1, 0.2, 0.3):
        errors.warn_once(f"bad step {step}", "step")
    assert capsys.readouterr().err == "tracker: bad step 0.1\n"


def test_silence_suppresses_all_output(capsys: pytest.CaptureFixture[str]) -> None:
    errors.silence(True)
    errors.say("run started")
    errors.warn_once("trouble")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("closed", [True, False])
def test_a_broken_stderr_raises_nothing(closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if closed:
        with open("x", "w") as file:
            pass
        monkeypatch.setattr(sys, "stderr", file)
    else:
        monkeypatch.setattr(sys, "stderr", None)
    errors.warn_once("trouble")


def test_internal_errors_are_counted_reported_once_and_kept_out_of_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TRACKER_RAISE_INTERNAL")
    before = errors.failures
    for i in range(3):
        with errors.contained("log() of 'x'") as attempt:
            raise ValueError(f"number {i}")
        assert str(attempt.error) == f"number {i}"
    with errors.contained("log() of 'x'") as attempt:
        pass
    assert attempt.error is None
    assert errors.failures == before + 3
    assert capsys.readouterr().err.splitlines() == [
        "tracker: log() of 'x' failed and is skipped (ValueError: number 0); training goes on"
    ]


def test_internal_errors_are_raised_if_the_variable_is_set() -> None:
    with pytest.raises(ValueError, match="inner"), errors.contained("log()"):
        raise ValueError("inner")


def test_all_errors_are_tracker_errors_and_standard_ones() -> None:
    assert issubclass(tracker.SettingsError, (tracker.TrackerError, ValueError))
    for kind, builtin in (
        (tracker.SettingsError, ValueError),
        (tracker.NotARun, ValueError),
        (tracker.NoRun, RuntimeError),
        (tracker.Unreachable, ConnectionError),
        (tracker.Unreachable, tracker.ServerError),
    ):
        assert issubclass(kind, tracker.TrackerError)
        assert issubclass(kind, builtin)
    assert tracker.ServerError("refused", 403).status == 403
