"""Run a server in a child process while a block of code runs: for demos, notebooks and tests."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Embedded(NamedTuple):
    """A running server: its URL, access token and process."""

    url: str
    token: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def serve(directory: Path | str, host: str = "127.0.0.1", port: int = 0, timeout: float = 60) -> Iterator[Embedded]:
    """Serve `directory` until the block ends. The server answers requests when the block begins.

    Args:
        directory: Holds the runs; it is created if needed. The server's output goes to `server.log` inside it.
        host: The address to listen on.
        port: The port to listen on; 0 picks a free one.
        timeout: Seconds to wait for the server to start.

    Raises:
        RuntimeError: If it does not start in time, with the end of its log.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "tracker_server", "--dir", str(directory), "--host", host, "--port", str(port)]
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe, (directory / "server.log").open("ab") as log:
        try:
            process = subprocess.Popen(
                [*command, "--announce-fd", str(writer)],
                pass_fds=[writer],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # ctrl+C at the terminal is for the caller, which may still need the server while it cleans up.
                start_new_session=True,
            )
        finally:
            os.close(writer)
        try:
            announced = _read(pipe.fileno(), time.monotonic() + timeout)
            if not announced:
                tail = (directory / "server.log").read_text(errors="replace")[-2000:].strip()
                raise RuntimeError(f"the server on {directory} did not start: {tail or 'its log is empty'}")
            yield Embedded(**json.loads(announced), process=process)
        finally:
            _stop(process)


def _read(descriptor: int, deadline: float) -> bytes:
    """Return all bytes until the other side closes the pipe, or none if it does not by `deadline`."""
    data = b""
    while select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        piece = os.read(descriptor, 65536)
        if not piece:
            return data
        data += piece
    return b""


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
