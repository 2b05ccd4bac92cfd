"""Log a point for each line of stdin, and print when that is done."""

from __future__ import annotations

import sys
import time

import tracker

run = tracker.init(project="live", name="live", settings={"silent": True, "console": "off"})
for number, _ in enumerate(sys.stdin):
    run.log({"loss": 1 / (1 + number)})
    print(time.time(), flush=True)
run.finish()
