"""What accompanies a run in its process: the agent's supervisor, the console, event files, watched models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tracker.capture import process
from tracker.capture.console import Capture, start_console
from tracker.errors import contained
from tracker.settings import Settings

from .agent_supervisor import Supervisor

if TYPE_CHECKING:
    from tracker.torch_watch import Watch

    from .event_files import EventFiles


class Companions:
    """Starts, checks and stops them. Trouble of one never reaches the training, nor the others."""

    def __init__(self, directory: str, settings: Settings) -> None:
        self._directory = directory
        self._settings = settings
        self._console: Capture | None = None
        self._event_files: EventFiles | None = None
        self._watches: list[Watch] = []
        self.supervisor = Supervisor(directory, settings)

    def start(self, members: Callable[[], dict[str, Any]], write: Callable[[str, Any], Any]) -> None:
        """Begin what the settings ask for, beside the agent; `members` and `write` are the run's."""
        with contained("capturing the console"):
            self._console = start_console(self._directory, self._settings, members)
        if self._settings.sync_tensorboard:
            with contained("following event files"):
                from .event_files import EventFiles  # which few runs need
                from .program_event_files import ProgramEventFiles

                program = process.wrapped()
                found = ProgramEventFiles(program, self._directory) if program else None
                self._event_files = EventFiles(members()["id"], write, found)
                self._event_files.start()

    def wake(self) -> None:
        """Have an agent look at the run again, after its end."""
        with contained("waking the agent"):
            self.supervisor.start()

    def look(self) -> None:
        """See what the program writes that this process only runs; to be called often."""
        with contained("following event files"):
            if self._event_files is not None:
                self._event_files.look()

    def check(self, agent: bool) -> None:
        """Look after them; after the `agent` only in the process that started it."""
        with contained("looking after the agent"):
            if agent:
                self.supervisor.check()
            if self._console is not None:
                self._console.check()

    def stop(self) -> None:
        """End all but the agent. Safe to repeat."""
        console, self._console = self._console, None
        with contained("capturing the console"):
            if console is not None:
                console.stop()
        event_files, self._event_files = self._event_files, None
        with contained("following event files"):
            if event_files is not None:
                event_files.stop()
        with contained("watching a model"):
            self.unwatch(None)

    def after_fork(self) -> None:
        """In a forked child: only the console goes on."""
        if self._console is not None:
            self._console.after_fork()

    def watch(self, watch: Watch) -> None:
        """Have what logs a model's histograms end with the run."""
        self._watches.append(watch)

    def unwatch(self, model: Any) -> None:
        """End the watches of one model; of all, if it is None."""
        for watch in [w for w in self._watches if model is None or w.model is model]:
            watch.close()
            self._watches.remove(watch)
