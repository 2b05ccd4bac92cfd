"""Keep what a run's process prints, as lines. docs/how-to/console.md says what each way of capture sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tracker.errors import warn_once
from tracker.settings import Settings

from .console_stream import ConsoleStream
from .console_wrap import Wrap


class Capture(Protocol):
    """One way to see what a process prints."""

    def start(self) -> None:
        """Start."""

    def stop(self) -> None:
        """Restore the former state; everything printed until then is in the stream."""

    def after_fork(self) -> None:
        """Continue in a forked child, or do nothing there."""

    def check(self) -> None:
        """Check that the capture still works; called every few seconds."""


def start_console(directory: str, settings: Settings, members: Callable[[], dict[str, Any]]) -> Capture | None:
    """Start to keep what this process prints, as the setting `console` asks; return None if it is off.

    `members` returns what identifies the run. Output that cannot be redirected is wrapped: notebooks and test runners
    have streams of their own, and a second run of the process cannot take what the first one has.
    """
    limit = int(settings.console_limit * 2**20)

    def make() -> ConsoleStream:
        run = members()
        return ConsoleStream(directory, {name: run[name] for name in ("id", "entity", "project")}, limit)

    if settings.console == "redirect":
        from .console_redirect import Redirect  # only this setting needs its imports

        if Redirect.possible():
            redirect = Redirect(directory, limit, make)
            try:
                redirect.start()
                return redirect
            except OSError as error:
                warn_once(f"stdout and stderr cannot be redirected ({error}); only what Python prints is kept")
    if settings.console == "off":
        return None
    wrap = Wrap(make)
    wrap.start()
    return wrap
