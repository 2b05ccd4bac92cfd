"""Import a directory in processes that are killed at each of their writes in turn, and continue each import.

    python dying.py LOGDIR PART

PART thousandths of the write in which a process dies still reach the disk. The directory `complete` has an import
without a kill; in `killed-N`, the first process was killed at its N-th write and the next one at its 2nd.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.integrations.tensorboard.events import bring
from tracker_tensorboard import stream_filler


def main(logdir: Path, part: int) -> None:
    stream_filler.MARK_INTERVAL = 16 * 1024
    bring(logdir, "whole")
    at = 1
    while killed(logdir, f"killed-{at}", at, part):
        killed(logdir, f"killed-{at}", 2, part)
        bring(logdir, f"killed-{at}")
        at += 1


def killed(logdir: Path, root: str, at: int, part: int) -> bool:
    """Import in a process that dies at its n-th write; return whether it did."""
    child = os.fork()
    if child == 0:
        arm(at, part)
        bring(logdir, root)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL, status
    return status != 0


def arm(left: int, part: int) -> None:
    def dying(name: str, real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if name == "write":
                    real(arguments[0], arguments[1][: len(arguments[1]) * part // 1000])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    for name in ("write", "replace", "ftruncate", "mkdir"):
        setattr(os, name, dying(name, getattr(os, name)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
