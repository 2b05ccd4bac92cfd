"""Start, check and stop a run's companions: the agent's supervisor, console, event files, watched models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from tracker.capture import process
from tracker.capture.console import start_console
from tracker.errors import contained
from tracker.settings import Settings

from .agent_supervisor import Supervisor

if TYPE_CHECKING:
    from tracker.torch_watch import Watch

    from .event_files import EventFiles


class Companion(Protocol):
    """Something that works beside a run, in its process."""

    def check(self) -> None:
        """Check that it still works; called every few seconds."""

    def stop(self) -> None:
        """Stop."""

    def after_fork(self) -> None:
        """Continue in a forked child, or do nothing there."""


class Companions:
    """Starts, checks and stops a run's companions. A failure of one affects neither the training nor the others."""

    def __init__(self, directory: str, settings: Settings) -> None:
        self._directory = directory
        self._settings = settings
        self._watches = Watches()
        self._started: list[tuple[str, Companion]] = [("watching a model", self._watches)]
        self._event_files: EventFiles | None = None
        self.supervisor = Supervisor(directory, settings)

    def start(self, members: Callable[[], dict[str, Any]], write: Callable[[str, Any], Any]) -> None:
        """Start the companions that the settings ask for. `members` and `write` belong to the run."""
        with contained("capturing the console"):
            console = start_console(self._directory, self._settings, members)
            if console is not None:
                self._started.insert(0, ("capturing the console", console))
        if self._settings.sync_tensorboard:
            with contained("following event files"):
                from .event_files import EventFiles  # few runs need it
                from .program_event_files import ProgramEventFiles

                program = process.wrapped()
                found = ProgramEventFiles(program, self._directory) if program else None
                self._event_files = EventFiles(members()["id"], write, found)
                self._started.insert(-1, ("following event files", self._event_files))
                self._event_files.start()

    def wake(self) -> None:
        """Have an agent look at the run again after its end."""
        with contained("waking the agent"):
            self.supervisor.start()

    def look(self) -> None:
        """Look for event files of the program that this process runs; called often."""
        with contained("following event files"):
            if self._event_files is not None:
                self._event_files.look()

    def check(self, agent: bool) -> None:
        """Check all companions, and the agent if `agent`: only the process that started it does."""
        with contained("checking the agent"):
            if agent:
                self.supervisor.check()
        self._each(lambda companion: companion.check())

    def stop(self) -> None:
        """Stop all but the agent. Safe to repeat."""
        started, self._started, self._event_files = self._started, self._started[-1:], None  # before one of them fails
        for doing, companion in started:
            with contained(doing):
                companion.stop()

    def after_fork(self) -> None:
        """Continue in a forked child, as far as each companion can."""
        self._each(lambda companion: companion.after_fork())

    def watch(self, watch: Watch) -> None:
        """Add a watched model, whose histograms end with the run."""
        self._watches.add(watch)

    def unwatch(self, model: Any) -> None:
        """Stop watching one model, or all if it is None."""
        self._watches.end(model)

    def _each(self, act: Callable[[Companion], None]) -> None:
        for doing, companion in self._started:
            with contained(doing):
                act(companion)


class Watches:
    """The models whose histograms are logged; see `Run.watch`."""

    def __init__(self) -> None:
        self._watches: list[Watch] = []

    def add(self, watch: Watch) -> None:
        """Add a watched model."""
        self._watches.append(watch)

    def end(self, model: Any = None) -> None:
        """Stop watching one model, or all if it is None."""
        for watch in [w for w in self._watches if model is None or w.model is model]:
            watch.close()
            self._watches.remove(watch)

    def stop(self) -> None:
        """Stop watching all models."""
        self.end()

    def check(self) -> None:
        """Do nothing: the hooks in the model do the work."""

    def after_fork(self) -> None:
        """Do nothing: the child has a copy of the model, with the hooks."""
