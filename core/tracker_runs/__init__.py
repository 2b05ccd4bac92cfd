"""`tracker` under a name that nobody else uses, for projects with a `tracker.py` or `tracker/` of their own."""

from ._same import become

become(__name__)
