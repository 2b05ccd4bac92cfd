"""Addresses for servers that a test starts, stops and starts again."""

from __future__ import annotations

import secrets
import socket

# Below the ports that the system gives to outgoing connections: there, another process may take the port while no
# server listens on it, and a client that keeps trying may even connect to itself.
_PORTS = range(15_000, 32_000)

_kept: list[socket.socket] = []


def free_port() -> int:
    """Return a port that nothing listens on. It stays free for servers of this test: no other test gets it."""
    while True:
        port = secrets.choice(_PORTS)  # not `random`: tests running beside this one may share its seed
        keeper = socket.socket()
        try:
            keeper.bind(("127.0.0.1", port))
        except OSError:
            keeper.close()
            continue
        # Servers set this, too, and so may listen there. Whoever asks `free_port` does not, and gets another port.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _kept.append(keeper)
        return port
