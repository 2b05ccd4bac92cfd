"""Run `tracker server` as `python -m tracker_server`."""

from .cli import server

server(prog_name="tracker server")
