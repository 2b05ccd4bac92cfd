"""Print lines in a run, as a user's script does; write the cost to descriptor 3 as JSON.

    python printing.py CONSOLE DIRECTORY --calls N

CONSOLE: `write` (no run, `os.write`), `print` (no run), or a value of the setting `console`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable

LINE = "epoch 3 step 12345 loss 0.12345 accuracy 0.98765 lr 0.0003 1843 samples/s"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("console")
    parser.add_argument("directory")
    parser.add_argument("--calls", type=int, required=True)
    options = parser.parse_args()
    run = None
    result = {}
    if options.console not in ("write", "print"):
        import tracker

        settings = {"silent": True, "console": options.console}
        began = time.perf_counter()
        run = tracker.init(project="bench", dir=options.directory, mode="offline", settings=settings)
        result["init_ms"] = 1000 * (time.perf_counter() - began)
        time.sleep(1)  # until its helpers have started
    line = LINE.encode() + b"\n"

    def write() -> None:
        os.write(1, line)

    def flushed() -> None:
        print(LINE, flush=True)

    def buffered() -> None:
        print(LINE)

    if options.console == "write":
        result["flushed_ns"] = result["buffered_ns"] = measure(write, options.calls)
    else:
        result["flushed_ns"] = measure(flushed, options.calls)
        result["buffered_ns"] = measure(buffered, options.calls)
    if run is not None:
        began = time.perf_counter()
        run.finish()
        result["finish_ms"] = 1000 * (time.perf_counter() - began)
    os.write(3, json.dumps(result).encode())


def measure(call: Callable[[], None], calls: int) -> float:
    """Return the nanoseconds of each call, in bursts with pauses that are not counted."""
    spent = 0
    for _ in range(max(1, calls // 100)):
        began = time.perf_counter_ns()
        for _ in range(100):
            call()
        spent += time.perf_counter_ns() - began
        time.sleep(0.002)
    return spent / (max(1, calls // 100) * 100)


if __name__ == "__main__":
    main()
