"""Wait for the upload when a run ends and when the process ends, then print where the run is.

`machine/containers.py` decides how long at most: with `finish_timeout="auto"`, `finish` waits only where the agent
would end with the script, as in a container. This module stops earlier if the upload does not advance.
"""

from __future__ import annotations

import os
import time

from tracker.errors import say, warn_once
from tracker.machine.containers import LONGEST_WAIT, wait_seconds

from .agent_supervisor import Supervisor, shorten

_STALL = 20.0  # seconds without progress after which an automatic wait ends
_TROUBLE = 3.0  # the same, once the agent has reported that it cannot upload
_STALLED = 0.2  # the same for later runs, once an upload did not advance
_LOOK = 0.02  # seconds between looks at the agent's status

_pending: list[Supervisor] = []
"""The runs that have ended, and whose upload had not ended when `finish` returned."""
_stalled = False
"""Whether the last wait of this process ended without progress: then a sweep does not wait for every run."""


def wait_after_finish(supervisor: Supervisor, name: str, state: str, url: str | None) -> None:
    """Wait for the upload of a run that has ended, if the settings ask for it, and print where the run is."""
    supervisor.check()
    settings = supervisor.settings
    waited = 0.0
    if settings.mode == "online" and supervisor.unable is None:
        waited = _wait(supervisor, wait_seconds(settings.finish_timeout))
    if supervisor.is_working() and settings.finish_timeout == "auto" and waited:
        _pending.append(supervisor)
    supervisor.listen()
    directory = shorten(supervisor.directory)
    if url is None or settings.mode != "online":
        say(f"run {name} {state}, kept on disk; upload it with: tracker sync {directory}")
    elif (reason := _why_incomplete(supervisor, waited)) is None:
        say(f"run {name} {state}: {url}")
    else:
        goes_on = supervisor.is_working() and not waited
        how = "the agent keeps trying; to upload it now" if goes_on else "complete it with"
        say(f"run {name} {state}, but not all of it is uploaded: {reason}")
        say(f"{how}: tracker sync {directory}")


def wait_at_exit() -> None:
    """Wait at the end of the process for uploads that would end with it.

    Takes at most `LONGEST_WAIT` seconds for all of them, and stops when none of them advances.
    """
    global _stalled
    _stalled = False
    deadline = time.monotonic() + LONGEST_WAIT
    incomplete: list[tuple[str, str]] = []
    while _pending:
        supervisor = _pending.pop()
        timeout = 0.0 if _stalled else deadline - time.monotonic()
        if timeout > 0 and supervisor.is_working():
            _wait(supervisor, timeout)
        reason = _why_incomplete(supervisor, LONGEST_WAIT)
        if reason is not None:
            incomplete.append((supervisor.directory, reason))
    if not incomplete:
        return
    (directory, reason), count = incomplete[0], len(incomplete)
    what = f"{count} runs are" if count > 1 else f"{shorten(directory)} is"
    folder = os.path.dirname(directory) if count > 1 else directory
    warn_once(f"{what} not completely uploaded: {reason}; complete it with: tracker sync {shorten(folder)}")


def _wait(supervisor: Supervisor, timeout: float) -> float:
    """Wait for the upload, at most `timeout` seconds; return how long it took.

    With `finish_timeout="auto"` it waits only while the upload advances.
    """
    global _stalled
    auto = supervisor.settings.finish_timeout == "auto"
    begun = advanced = time.monotonic()
    seen: int | None = None
    while supervisor.is_working() and (now := time.monotonic()) - begun < timeout:
        status = supervisor.status()
        if status is not None and status.moved != seen:
            if seen is not None and status.trouble is None:
                _stalled = False  # the first status only shows that an agent begins
            seen, advanced = status.moved, now
        stall = _TROUBLE if status is not None and status.trouble is not None else _STALL
        if status is None and supervisor.shared_agent_serves():
            stall = timeout  # the agent has not reached this run yet
        if auto and now - advanced > (_STALLED if _stalled else stall):
            _stalled = True
            break
        time.sleep(_LOOK)
    return time.monotonic() - begun


def _why_incomplete(supervisor: Supervisor, waited: float) -> str | None:
    """Return why something is not uploaded; None if everything is, or probably will be."""
    status, working = supervisor.status(), supervisor.is_working()
    if status is not None and status.done:
        return status.refusal
    if status is not None and status.trouble is not None:
        return status.trouble
    if supervisor.unable is not None:
        return supervisor.unable
    if not working:
        return "the agent has ended" if os.path.isdir(supervisor.directory) else None
    if _stalled and waited:
        return "the upload does not advance"
    return f"the upload was not complete after {waited:.0f} seconds" if waited >= _STALLED else None
