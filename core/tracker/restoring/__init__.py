"""Restore a run's code, files and command. The opposite of `tracker.capture`."""

from .restore import Restored, restore

__all__ = ["Restored", "restore"]
