"""`python -m tracker_server` is `tracker server`."""

from .cli import server

server(prog_name="tracker server")
