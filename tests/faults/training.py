"""A training that logs known rows, and records its progress in a file that survives its death.

`python training.py BOARD [--rows N] …`; the run itself comes from `TRACKER_*` variables.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import tracker

_NUMBERS = ("returned", "dropped", "longest", "stop", "ready", "go")


class Board:
    """Numbers that a training and its test share in a mapped file: each sees the other's writes at once.

    `returned`: how many `log()` have returned. `dropped`: what the run counted as dropped, set after its end.
    `longest`: nanoseconds of the slowest `log()`. `stop`: set to 1 by the test to end the training. `ready`, `go`: see
    `--together`.
    """

    returned: int
    dropped: int
    longest: int
    stop: int
    ready: int
    go: int

    def __init__(self, path: str) -> None:
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(8 * len(_NUMBERS))
            self.__dict__["_numbers"] = memoryview(mmap.mmap(file.fileno(), 8 * len(_NUMBERS))).cast("Q")

    def __getattr__(self, name: str) -> int:
        return self.__dict__["_numbers"][_NUMBERS.index(name)]  # type: ignore[no-any-return]

    def __setattr__(self, name: str, value: int) -> None:
        self.__dict__["_numbers"][_NUMBERS.index(name)] = value


def row(n: int, pad: int = 0) -> dict[str, Any]:
    """Return the nth row; `pad` characters make it longer."""
    values: dict[str, Any] = {"i": n, "loss": 1 / (n + 1), "phase": "warm-up" if n < 50 else "training"}
    return {**values, "pad": chr(97 + n % 26) * pad} if pad else values


def content(name: str) -> bytes:
    """Return the content of the saved file of this name."""
    return random.Random(name).randbytes(20_000)


def main() -> None:
    """Log rows until there are enough or the board says stop, then end as the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("board")
    parser.add_argument("--first", type=int, default=0, help="number of the first row")
    parser.add_argument("--rows", type=int, default=sys.maxsize)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between rows")
    parser.add_argument("--pad", type=int, default=0)
    parser.add_argument("--hoard", type=int, default=0, help="bytes of memory to take and keep with each row")
    parser.add_argument("--save", type=int, default=0, help="rows after each of which a file is saved")
    parser.add_argument("--exit", type=int, default=0, help="exit status")
    parser.add_argument("--vanish", action="store_true", help="end without a word, by SIGKILL")
    parser.add_argument("--together", action="store_true", help="be ready, and start when the board says go")
    options = parser.parse_args()
    board = Board(options.board)
    board.ready = 1
    while options.together and not board.go:
        pass
    run = tracker.init()
    hoard: list[bytes] = []
    for n in range(options.first, options.first + options.rows):
        if board.stop:
            break
        begun = time.perf_counter_ns()
        run.log(row(n, options.pad))
        board.longest = max(board.longest, time.perf_counter_ns() - begun)
        board.returned = n + 1 - options.first
        if options.save and n % options.save == 0:
            name = f"file-{n}"
            Path(name).write_bytes(content(name))
            run.save(name)
        if options.hoard:
            hoard.append(b"\1" * options.hoard)
        if options.pause:
            time.sleep(options.pause)
    if options.vanish:
        os.kill(os.getpid(), signal.SIGKILL)
    if options.exit == 0:
        run.finish()
        board.dropped = run.dropped
    sys.exit(options.exit)


if __name__ == "__main__":
    main()
