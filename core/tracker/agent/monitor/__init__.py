"""Sample system metrics in the agent, with a module per source. The keys: docs/reference/system-metrics.md."""

from .monitor import SOURCES, Monitor

__all__ = ["SOURCES", "Monitor"]
