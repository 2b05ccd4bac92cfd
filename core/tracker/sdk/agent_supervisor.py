"""Keep an agent serving the run, checked in the course of logging: no thread, and no waiting except at the end."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

from tracker.agent_protocol import handover
from tracker.agent_protocol.status import Status, read_status
from tracker.errors import say, warn_once
from tracker.machine import containers
from tracker.machine.containers import LONGEST
from tracker.machine.python_process import NoPython, collect
from tracker.runlog.directory import agent_alive, agent_came, process_start
from tracker.settings import Settings

from . import agent_launch

CHECK_EVERY = 5_000_000
"""Microseconds between looks at the agent and the run directory."""

MOST_STARTS, WITHIN = 10, 600.0
"""So many agents are started for one run within so many seconds; then they are left alone for a while."""

_STARTING = 3.0  # seconds within which a new agent need not have shown itself
_SHARED = 4  # so often the shared agent is asked before one is started for this run alone
_STALL = 20.0  # seconds without progress of the upload after which `finish` waits no more on its own account
_TROUBLE = 3.0  # the same, once the agent has said that it cannot upload
_STALLED = 0.2  # the same for further runs, once an upload was seen to get nowhere
_LOOK = 0.02

_pending: list[Supervisor] = []
"""Of runs that have ended, and whose upload had not when `finish` returned."""
_agents: dict[int, int] = {}
"""The agents that are known, by pid: when they started (see `process_start`)."""
_stalled = False
"""Whether the upload of this process has last been seen to get nowhere: then a sweep does not wait for every run."""


class Supervisor:
    """Keeps an agent serving the run directory, restarts it if it died, and passes on its messages."""

    def __init__(self, directory: str, settings: Settings) -> None:
        self.directory = directory
        self._settings = settings
        self._starts: deque[float] = deque(maxlen=MOST_STARTS)
        self._asked = 0  # how often in a row no agent has come
        self._started_at = 0.0
        self._unable: str | None = None
        self._folder: Path | None = None
        self._notices = agent_launch.Notices(directory)

    def start(self) -> None:
        """Have an agent serve the run. A failure is reported once; `tracker sync` can then upload the run."""
        self._starts.append(time.monotonic())
        self._asked += 1
        if self._asked == 1:
            self._started_at = time.time()
        try:
            self._start()
        except (OSError, ValueError) as error:  # ValueError: a setting that no environment can carry
            self._unable = f"no agent could be started ({error})"
            warn_once(f"cannot start the agent ({error}); run `tracker sync {shorten(self.directory)}` later")

    def _start(self) -> None:
        if self._asked <= _SHARED:
            try:
                self._folder = agent_launch.hand_over(self.directory, self._settings.given())
            except NoPython:
                raise
            except OSError:
                pass  # such as a home that cannot be written in: then this run has one of its own
            else:
                return
        agent_launch.start_agent(self.directory, self._settings.environment())

    def check(self) -> None:
        """Print the agent's messages, and restart it if it is gone."""
        collect()
        self._know_agent()
        self._tell()
        if not self._starts or self._unable is not None:
            return
        if agent_alive(self.directory):
            self._asked = 0
            return
        now = time.monotonic()
        if now - self._starts[-1] < _STARTING and not agent_came(self.directory, self._started_at):
            return
        if len(self._starts) == MOST_STARTS and now - self._starts[0] < WITHIN:
            minutes = (WITHIN - (now - self._starts[0])) / 60
            warn_once(
                f"the agent ended {MOST_STARTS} times within {WITHIN / 60:.0f} minutes; "
                f"{shorten(self.directory)}/agent.log may say why. It is started again in {minutes:.0f} minutes; "
                f"`tracker sync {shorten(self.directory)}` uploads what there is"
            )
            return
        self.start()

    def farewell(self, name: str, state: str, url: str | None) -> None:
        """After the end of the run: wait for the upload if the settings say so, and print where the run is."""
        self.check()
        waited = 0.0
        if self._settings.mode == "online" and self._unable is None:
            waited = self._wait(containers.seconds(self._settings.finish_timeout))
        if self._working() and self._settings.finish_timeout == "auto" and waited:
            _pending.append(self)
        self._tell()
        self._know_agent()
        directory = shorten(self.directory)
        if url is None or self._settings.mode != "online":
            say(f"run {name} {state}, kept on disk; upload it with: tracker sync {directory}")
        elif (reason := self._missing(waited)) is None:
            say(f"run {name} {state}: {url}")
        else:
            goes_on = self._working() and not waited
            how = "the agent keeps trying; to upload it now" if goes_on else "complete it with"
            say(f"run {name} {state}, but not all of it is uploaded: {reason}")
            say(f"{how}: tracker sync {directory}")

    def wait_at_exit(self, timeout: float) -> str | None:
        """Wait again for an upload that `finish` gave up waiting for; return why something is missing, or None."""
        if timeout > 0 and self._working():
            self._wait(timeout)
        return self._missing(LONGEST)

    def _wait(self, timeout: float) -> float:
        """Wait for the upload, at most `timeout` seconds; return for how long.

        With `finish_timeout="auto"` it waits only while the upload advances.
        """
        global _stalled
        auto = self._settings.finish_timeout == "auto"
        begun = advanced = time.monotonic()
        seen: int | None = None
        while self._working() and (now := time.monotonic()) - begun < timeout:
            status = self._status()
            if status is not None and status.moved != seen:
                if seen is not None and status.trouble is None:
                    _stalled = False  # that an agent begins is no sign that it gets anywhere
                seen, advanced = status.moved, now
            stall = _TROUBLE if status is not None and status.trouble is not None else _STALL
            if status is None and self._folder is not None and handover.is_served(self._folder):
                stall = timeout  # it has yet to come to this run
            if auto and now - advanced > (_STALLED if _stalled else stall):
                _stalled = True
                break
            time.sleep(_LOOK)
        return time.monotonic() - begun

    def _missing(self, waited: float) -> str | None:
        """Return why something is not uploaded; None if everything is, or probably will be."""
        status, working = self._status(), self._working()
        if status is not None and status.done:
            return status.left
        if status is not None and status.trouble is not None:
            return status.trouble
        if self._unable is not None:
            return self._unable
        if not working:
            return "the agent has ended" if os.path.isdir(self.directory) else None
        if _stalled and waited:
            return "the upload does not advance"
        return f"the upload was not complete after {waited:.0f} seconds" if waited >= _STALLED else None

    def _status(self) -> Status | None:
        """Return the status that the present agent wrote; None before it has begun."""
        status = read_status(self.directory)
        return status if status is not None and status.moved >= (self._started_at - 0.1) * 1e9 else None

    def _working(self) -> bool:
        """Tell whether an agent is at work, or was started and has not begun yet."""
        return agent_alive(self.directory) or (
            bool(self._starts)
            and self._unable is None
            and not agent_came(self.directory, self._started_at)
            and os.path.isdir(self.directory)
        )

    def _tell(self) -> None:
        for notice in self._notices.new():
            warn_once(notice)

    def _know_agent(self) -> None:
        status = read_status(self.directory)
        if status is not None and status.start is not None:
            _agents[status.pid] = status.start
        _collect_agents()


def _collect_agents() -> None:
    """Collect the exit status of agents that became children of this process, so that they do not stay zombies.

    In a container every process whose parent has ended becomes a child of process 1.
    """
    for pid, start in list(_agents.items()):
        if process_start(pid) == start:
            try:
                if not os.waitpid(pid, os.WNOHANG)[0]:
                    continue
            except ChildProcessError:
                pass  # the usual case: it is no child of ours, nor will it be
        del _agents[pid]


def wait_at_exit() -> None:
    """At the end of the process: wait for unfinished uploads that would end with it.

    Takes at most `LONGEST` seconds for all of them, and stops when none of them advances.
    """
    global _stalled
    _stalled = False
    deadline = time.monotonic() + LONGEST
    missing: list[tuple[str, str]] = []
    while _pending:
        supervisor = _pending.pop()
        reason = supervisor.wait_at_exit(0.0 if _stalled else deadline - time.monotonic())
        if reason is not None:
            missing.append((supervisor.directory, reason))
    if not missing:
        return
    (directory, reason), count = missing[0], len(missing)
    what = f"{count} runs are" if count > 1 else f"{shorten(directory)} is"
    folder = os.path.dirname(directory) if count > 1 else directory
    warn_once(f"{what} not completely uploaded: {reason}; complete it with: tracker sync {shorten(folder)}")


def shorten(directory: str) -> str:
    """Return a directory relative to the working directory, if it is below it."""
    try:
        relative = os.path.relpath(directory)
    except OSError:  # the working directory was deleted
        return directory
    return directory if relative.startswith("..") else relative
