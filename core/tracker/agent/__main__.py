"""`python -m tracker.agent RUN_DIR`."""

from .main import main

main()
