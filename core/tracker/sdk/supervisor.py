"""Look after the agent of a run, from the course of logging: no thread, no waiting."""

from __future__ import annotations

import os
import time

from tracker.errors import say, warn_once
from tracker.runlog.directory import agent_alive, agent_came
from tracker.settings import Settings

from . import launch

CHECK_EVERY = 5_000_000
"""Microseconds between looks at the agent and the run directory."""

_STARTING = 3.0  # seconds within which a new agent need not have shown itself
_MOST_STARTS = 10  # an agent that keeps dying is given up; `tracker sync` completes the run


class Supervisor:
    """Starts the agent of a run directory, starts it again if it died, and passes on what it has to say."""

    def __init__(self, directory: str, settings: Settings) -> None:
        self._directory = directory
        self._settings = settings
        self._helper: int | None = None
        self._starts = 0
        self._started = self._started_at = 0.0
        self._notices = launch.Notices(directory)

    def start(self) -> None:
        """Start an agent. A failure is told once; `tracker sync` stands in for it."""
        self._starts += 1
        self._started, self._started_at = time.monotonic(), time.time()
        try:
            self._helper = launch.start_agent(self._directory, self._settings.environment())
        except (OSError, ValueError) as error:  # ValueError: a setting that no environment can carry
            warn_once(f"cannot start the agent ({error}); run `tracker sync {shorten(self._directory)}` later")

    def check(self) -> None:
        """Say what the agent had to say, and start it again if it is gone."""
        self._helper = launch.reap(self._helper)  # a pid that was collected may become that of the user's own child
        for notice in self._notices.new():
            warn_once(notice)
        starting = time.monotonic() - self._started < _STARTING
        if 0 < self._starts < _MOST_STARTS and not starting and not agent_alive(self._directory):
            self.start()

    def farewell(self, name: str, state: str, url: str | None) -> None:
        """After the end of the run: wait for the upload if the settings say so, and tell where the run is."""
        self.check()
        if self._settings.finish_timeout > 0 and self._settings.mode == "online":
            deadline = time.monotonic() + self._settings.finish_timeout
            while self._working() and time.monotonic() < deadline:
                time.sleep(0.02)
            for notice in self._notices.new():
                warn_once(notice)
        self._helper = launch.reap(self._helper)
        if url is not None:
            say(f"run {name} {state}: {url}")
        else:
            say(f"run {name} {state}, kept on disk; upload it with: tracker sync {shorten(self._directory)}")

    def _working(self) -> bool:
        """Tell whether an agent is at work, or was started and has yet to begin."""
        return agent_alive(self._directory) or (
            self._starts > 0 and not agent_came(self._directory, self._started_at) and os.path.isdir(self._directory)
        )


def shorten(directory: str) -> str:
    """Return a directory relative to the working directory, if it lies below."""
    try:
        relative = os.path.relpath(directory)
    except OSError:  # the working directory was deleted
        return directory
    return directory if relative.startswith("..") else relative
