"""A training that logs a point for each line that it reads, and prints when it has; ends with its input."""

from __future__ import annotations

import sys
import time

import tracker

run = tracker.init(project="live", name="live", settings={"silent": True, "console": "off"})
for number, _ in enumerate(sys.stdin):
    run.log({"loss": 1 / (1 + number)})
    print(time.time(), flush=True)
run.finish()
