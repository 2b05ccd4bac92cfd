"""A training whose worker processes all log to its run: `python workers.py BOARD METHOD`.

METHOD is how `multiprocessing` starts them. Forked ones inherit the run; others join it by its id, which is in
`TRACKER_RUN_ID`. Each logs `ITEMS` rows {"who": name, "i": n}. Meanwhile a thread of the training logs, too, so that
forks happen while the run is in use.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from typing import Any

import tracker

EPOCHS, WORKERS, ITEMS = 3, 3, 100


def worker(name: str, tasks: Any, results: Any) -> None:
    """Log a row for each task until there are none left, like a data loader's worker."""
    run = tracker.init(id=None)  # the inherited run, or another writer of the same run
    for i in iter(tasks.get, None):
        run.log({"who": name, "i": i})
        results.put(i)
    run.finish()


def main() -> None:
    """Run some epochs, each with new workers that take their tasks from queues."""
    context: Any = multiprocessing.get_context(sys.argv[2])
    run = tracker.init()
    busy = threading.Event()
    busy.set()
    thread = threading.Thread(target=chatter, args=[run, busy])
    thread.start()
    for epoch in range(EPOCHS):
        results = context.Queue()
        names = [f"worker {epoch}.{n}" for n in range(WORKERS)]
        queues = [context.Queue() for _ in names]
        processes = [
            context.Process(target=worker, args=[n, queue, results]) for n, queue in zip(names, queues, strict=True)
        ]
        for process in processes:
            process.start()
        for i in range(ITEMS):
            for queue in queues:
                queue.put(i)
        for _ in range(ITEMS * WORKERS):
            results.get()
        for queue in queues:
            queue.put(None)
        for process in processes:
            process.join()
            assert process.exitcode == 0
        run.log({"who": "training", "i": epoch})
    busy.clear()
    thread.join()
    run.finish()


def chatter(run: tracker.Run, busy: threading.Event) -> None:
    """Log without a pause."""
    i = 0
    while busy.is_set():
        run.log({"who": "thread", "i": i})
        i += 1


if __name__ == "__main__":
    main()
