"""Provide `tracker` under a unique name, for projects with a `tracker.py` or `tracker/` of their own."""

from ._same import become

become(__name__)
