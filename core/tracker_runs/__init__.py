"""`tracker` under a name that nobody else has, for projects with a `tracker.py` or `tracker/` of their own.

    import tracker_runs as tracker

It is the very same module, submodules included.
"""

from ._same import become

become(__name__)
