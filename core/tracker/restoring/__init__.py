"""Put together again what a run was run with: code, files and command. The opposite of `tracker.capture`."""

from .restore import Restored, restore

__all__ = ["Restored", "restore"]
