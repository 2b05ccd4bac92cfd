"""The system monitor of the agent process, one file per source. Its keys: docs/reference/system-metrics.md."""

from .monitor import SOURCES, Monitor

__all__ = ["SOURCES", "Monitor"]
