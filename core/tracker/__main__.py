"""Run the command `tracker` as `python -m tracker`."""

from .cli.main import main

main()
