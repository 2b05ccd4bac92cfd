"""Serve one run directory as `python -m tracker.agent RUN_DIR`."""

import sys

from .main import serve_one

sys.argv.insert(1, "detached")
serve_one()
