"""Run scripts whose console is kept, and read the kept lines."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE
from tracker.runlog.reader import read_stream, stream_paths

DIRECTORY = Path(".tracker/runs/r")
HEAD = "import ctypes, os, subprocess, sys, threading, time\nimport tracker\n"
INIT = "run = tracker.init(id='r')\n"


def script(mode: str, code: str, init: str = INIT, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, after `init`; nothing of tracker's own is printed."""
    Path("script.py").write_text(HEAD + init + code)
    environment = {**os.environ, "TRACKER_CONSOLE": mode, "TRACKER_SILENT": "true", **options.pop("environment", {})}
    outputs = {} if "stdout" in options else {"capture_output": True}
    command = [sys.executable, "script.py"]
    return subprocess.run(command, env=environment, text=True, timeout=PATIENCE, **outputs, **options)  # type: ignore[call-overload, no-any-return]


def lines(name: str | None = None, directory: Path = DIRECTORY) -> list[str]:
    """Return the kept lines of stdout, stderr or both, in order."""
    records = [r for path in stream_paths(directory, "console") for part in read_stream(path) for r in part.records]
    return [r.payload["text"] for r in records if r.kind == "console" and name in (None, r.payload["stream"])]


class Terminal:
    """A pseudo-terminal of 77 columns, whose user sees `seen`."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        self.seen = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # nobody has it open
                return
            self.seen += data

    def close(self) -> str:
        """Wait until all processes have closed it; return the visible text, with usual line ends."""
        os.close(self.slave)
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive()
        os.close(self.master)
        return self.seen.decode().replace("\r\n", "\n")
