"""Run jobs in several processes, which end with this process, however it ends."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

_MAX_PROCESSES = 4  # so that processes together take no more than 300 MB
Pipe = connection.Connection
Job = TypeVar("Job")
Result = TypeVar("Result")
Work = Callable[[Job, Callable[[Any], None]], Result]
"""Does a job, and reports progress with the function that it gets. Must be importable by name."""


class Failure(NamedTuple):
    """Stands for a result if the process died or raised."""

    reason: str


class Progress(NamedTuple):
    """What a running job reports."""

    value: Any


def process_count(jobs: int) -> int:
    """Return how many processes to use for `jobs` jobs: at most one per processor that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MAX_PROCESSES, jobs)


def run_here(
    work: Work[Job, Result], jobs: Iterable[Job], on_progress: Callable[[Any], None]
) -> Iterator[tuple[Job, Result | Failure]]:
    """Run jobs one after the other in this process; yield each with its result."""
    for job in jobs:
        yield job, work(job, on_progress)


def run_apart(
    work: Work[Job, Result], jobs: Iterable[Job], on_progress: Callable[[Any], None], processes: int
) -> Iterator[tuple[Job, Result | Failure]]:
    """Run jobs in so many processes, one at a time in each; yield each job with its result when it is done.

    The processes are forked if this one has no other threads, since a new (spawned) process needs longer to start than
    to read about ten files. They leave ctrl+C to this process, and end when it does, since their pipe breaks. If a
    process dies, for example for lack of memory, only its current job fails.
    """
    pending = deque(jobs)
    workers: list[_Worker] = []
    for _ in range(min(processes, len(pending))):
        workers.append(_Worker(work, workers))
    try:
        while pending or any(worker.job is not None for worker in workers):
            for i, worker in enumerate(workers):
                if worker.job is None and pending:
                    if worker.dead:
                        worker.close()
                        worker = workers[i] = _Worker(work, workers)
                    worker.give(pending.popleft())
            busy = {worker.pipe: worker for worker in workers if worker.job is not None}
            for pipe in connection.wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                value = worker.take()
                if isinstance(value, Progress):
                    on_progress(value.value)
                else:
                    job, worker.job = worker.job, None
                    yield job, value
    finally:
        for worker in workers:
            worker.close()


class _Worker:
    def __init__(self, work: Work[Any, Any], others: Iterable[_Worker]) -> None:
        copied = threading.active_count() == 1 and hasattr(os, "fork")
        context = get_context("fork" if copied else "spawn")
        self.pipe, theirs = context.Pipe()
        # A fork inherits our ends of all pipes, and must not keep them open after we end.
        ours = [self.pipe, *(other.pipe for other in others if not other.pipe.closed)] if copied else []
        process = context.Process  # type: ignore[attr-defined]
        self.process: BaseProcess = process(target=_serve, args=(work, theirs, ours), daemon=True)
        with warnings.catch_warnings():
            # Python 3.12 counts the threads of numpy's libraries, which handle forks themselves.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self.process.start()
        theirs.close()  # so that our end is the only one, and the worker sees it close
        self.job: Any = None
        self.dead = False

    def give(self, job: Any) -> None:
        self.job = job
        try:
            self.pipe.send(job)
        except BrokenPipeError:
            pass  # `take` notices that it is dead

    def take(self) -> Any:
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionError):
            self.dead = True
            self.process.join()
            return Failure(f"the importing process ended with exit code {self.process.exitcode}")

    def close(self) -> None:
        self.pipe.close()
        if self.job is not None and not self.dead:
            self.process.terminate()
        self.process.join()


def _serve(work: Work[Any, Any], pipe: Pipe, ours: list[Pipe]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in ours:
        other.close()
    try:
        while True:
            job = pipe.recv()
            try:
                result = work(job, lambda value: pipe.send(Progress(value)))
            except (EOFError, ConnectionError):
                raise
            except Exception as error:  # noqa: BLE001 - the other jobs go on
                result = Failure(f"{type(error).__name__}: {error}")
            pipe.send(result)
    except (EOFError, ConnectionError):
        pass  # the parent process is gone
