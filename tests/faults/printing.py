"""A training that prints numbers until it is stopped: `python printing.py BOARD [--pause S] [--log]`."""

from __future__ import annotations

import argparse
import itertools
import time

from training import Board  # type: ignore[import-not-found]

import tracker


def main() -> None:
    """Print until the board says stop, then finish."""
    parser = argparse.ArgumentParser()
    parser.add_argument("board")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between lines")
    parser.add_argument("--log", action="store_true", help="log a row with each line")
    options = parser.parse_args()
    board = Board(options.board)
    run = tracker.init()
    for n in itertools.count():
        if board.stop:
            break
        print(n, flush=True)
        if options.log:
            run.log({"n": n})
        board.returned = n + 1
        time.sleep(options.pause)
    run.finish()
    board.dropped = run.dropped


if __name__ == "__main__":
    main()
