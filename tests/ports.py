"""Addresses for servers that a test starts, stops and starts again."""

from __future__ import annotations

import secrets
import socket

# Below the ports that the system gives to outgoing connections: there, another process may take the port while no
# server listens on it, and a client that keeps trying may even connect to itself.
_PORTS = range(15_000, 32_000)


def free_port() -> int:
    """Return a port that nothing listens on."""
    while True:
        port = secrets.choice(_PORTS)  # not `random`: tests running beside this one may share its seed
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
