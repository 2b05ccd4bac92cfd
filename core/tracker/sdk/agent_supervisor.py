"""Keep an agent serving the run. The check happens while the run logs: there is no thread, and nothing waits."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

from tracker.agent_protocol import handover
from tracker.agent_protocol.status import Status, read_status
from tracker.errors import warn_once
from tracker.machine.python_process import NoPython, collect
from tracker.runlog.directory import agent_alive, agent_came, process_start
from tracker.settings import Settings

from . import agent_launch

CHECK_EVERY = 5_000_000
"""Microseconds between looks at the agent and the run directory."""

MOST_STARTS, WITHIN = 10, 600.0
"""Most agents that are started for one run within so many seconds. After that, none is started for a while."""

_STARTING = 3.0  # seconds that a new agent has to take its lock
_SHARED = 4  # attempts with the shared agent before this run gets an agent of its own

_agents: dict[int, int] = {}
"""The known agents: the `process_start` of each pid."""


class Supervisor:
    """Keeps an agent serving the run directory, restarts it if it died, and passes on its messages."""

    def __init__(self, directory: str, settings: Settings) -> None:
        self.directory = directory
        self.settings = settings
        self.unable: str | None = None
        """Why no agent can be started; None if one can."""
        self._starts: deque[float] = deque(maxlen=MOST_STARTS)
        self._attempts = 0  # starts in a row after which no agent came
        self._started_at = 0.0
        self._folder: Path | None = None
        self._notices = agent_launch.Notices(directory)

    def start(self) -> None:
        """Have an agent serve the run. A failure is reported once; `tracker sync` can then upload the run."""
        self._starts.append(time.monotonic())
        self._attempts += 1
        if self._attempts == 1:
            self._started_at = time.time()
        try:
            self._start()
        except (OSError, ValueError) as error:  # ValueError: a setting that no environment can carry
            self.unable = f"no agent could be started ({error})"
            warn_once(f"cannot start the agent ({error}); run `tracker sync {shorten(self.directory)}` later")

    def _start(self) -> None:
        if self._attempts <= _SHARED:
            try:
                self._folder = agent_launch.hand_over(self.directory, self.settings.given())
            except NoPython:
                raise
            except OSError:
                pass  # the home is not writable, say: then this run gets an agent of its own
            else:
                return
        agent_launch.start_agent(self.directory, self.settings.environment())

    def check(self) -> None:
        """Print the agent's messages, and restart it if it is gone."""
        collect()
        self.listen()
        if not self._starts or self.unable is not None:
            return
        if agent_alive(self.directory):
            self._attempts = 0
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

    def status(self) -> Status | None:
        """Return the status that the present agent wrote; None before it has begun."""
        status = read_status(self.directory)
        return status if status is not None and status.moved >= (self._started_at - 0.1) * 1e9 else None

    def is_working(self) -> bool:
        """Tell whether an agent is at work, or was started and has not begun yet."""
        return agent_alive(self.directory) or (
            bool(self._starts)
            and self.unable is None
            and not agent_came(self.directory, self._started_at)
            and os.path.isdir(self.directory)
        )

    def shared_agent_serves(self) -> bool:
        """Tell whether a shared agent serves the queue that this run was put in."""
        return self._folder is not None and handover.is_served(self._folder)

    def listen(self) -> None:
        """Print the agent's messages, and collect agents that have ended."""
        status = read_status(self.directory)
        if status is not None and status.start is not None:
            _agents[status.pid] = status.start
        _collect_agents()
        for notice in self._notices.new():
            warn_once(notice)


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
                pass  # the usual case: it is not a child of this process, and never will be
        del _agents[pid]


def shorten(directory: str) -> str:
    """Return a directory relative to the working directory, if it is below it."""
    try:
        relative = os.path.relpath(directory)
    except OSError:  # the working directory was deleted
        return directory
    return directory if relative.startswith("..") else relative
