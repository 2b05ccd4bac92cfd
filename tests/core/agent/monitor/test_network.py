from __future__ import annotations

import socket
import threading
from collections.abc import Callable


def over_loopback(size: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname())
        receiver, _ = server.accept()
    thread = threading.Thread(target=lambda: (sender.sendall(bytes(size)), sender.close()))
    thread.start()
    with receiver:
        while receiver.recv(1 << 20):
            pass
    thread.join()


def test_loopback_traffic_is_not_counted(average: Callable[..., dict[str, float]]) -> None:
    size = 64 << 20
    values = average("network", between=lambda: over_loopback(size))
    assert 0 <= values["network/received_bytes_per_s"] < size
    assert 0 <= values["network/sent_bytes_per_s"] < size
