"""Row 26: processes, agents, the network and the server fail in any order; in the end the server has what was logged.

The processes' streams are written by the test, so that it knows each line; the server, the uploads and the processes
whose deaths are noticed are real.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.depth import depth
from tests.faults.harness import ENTITY, PROJECT, TOKEN, data_directory, on_server, sync_directory, values
from tests.faults.proxy import Answer, CutBody, Fault, LoseAnswer, Proxy, proxy
from tests.faults.training import row
from tests.ports import free_port
from tracker.agent.uploader import Uploader
from tracker.client import Client
from tracker.errors import ServerError
from tracker.names import RunKey
from tracker.runlog.directory import process_start
from tracker.runlog.records import VERSION, encode
from tracker_server.embedded import Embedded, serve

PATIENCE = 1.0  # seconds until an uploader gives a request up: a frozen server is one of the faults
MOST_PROCESSES = 4


def _answer(status: str, body: bytes = b'{"error": "no"}') -> Answer:
    return Answer(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body))


parts = st.sampled_from([0.0, 0.3, 0.99])
faults = st.one_of(
    st.none(),
    st.builds(LoseAnswer, parts),
    st.builds(CutBody, parts),
    st.sampled_from(["400 Bad Request", "401 Unauthorized", "413 Too Large", "429 Too Many", "503 Busy"]).map(_answer),
    st.sampled_from([b"<html>", b"{}", b'{"offset": 1125899906842624}']).map(lambda body: _answer("200 OK", body)),
)
jumps = st.sampled_from([0.001, 0.001, 60.0, -3600.0])  # seconds that the clock goes on, or back


class World:
    """A server that can be killed and started again, and the network in front of it."""

    def __init__(self, data: Path, port: int, network: Proxy) -> None:
        self.network = network
        self._data, self._port = data, port
        self._serving = contextlib.ExitStack()
        self.server: Embedded | None = None
        self.schedules = 0

    def start(self) -> None:
        """Start the server if it is not running."""
        if self.server is None:
            self.server = self._serving.enter_context(serve(self._data, port=self._port))

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        if self.server is not None:
            self.server.process.kill()
            self._serving.close()
            self.server = None


class Process:
    """A process that logs: a stream, and a real process that its header names, which lives until it is ended."""

    def __init__(self, key: RunKey, stream: Path, first: int, pad: int, now: float) -> None:
        self._alive = subprocess.Popen(["sleep", "infinity"], stdin=subprocess.DEVNULL)
        pid = self._alive.pid
        self.stream, self.first, self.rows, self.pad, self.opened = stream, first, 0, pad, now
        here = {"host": os.uname().nodename, "pid": pid, "pid_start": process_start(pid)}
        self.write(encode("run", {"version": VERSION, **key._asdict(), **here}, now))

    def write(self, line: bytes) -> None:
        with self.stream.open("ab", buffering=0) as file:
            file.write(line)

    def end(self) -> None:
        self._alive.kill()
        self._alive.wait()

    @property
    def logged(self) -> list[dict[str, Any]]:
        return [row(self.first + n, self.pad) for n in range(self.rows)]


class Schedule(RuleBasedStateMachine):
    """One run. The model: the rows of its processes, its saved files, and how many lines were torn."""

    def __init__(self, world: World, root: Path) -> None:
        super().__init__()
        world.schedules += 1
        self.world = world
        self.key = RunKey(ENTITY, PROJECT, f"schedule-{world.schedules}")
        self.directory = root / self.key.id
        (self.directory / "files").mkdir(parents=True)
        self.processes: list[Process] = []
        self.alive: list[Process] = []
        self.saved: dict[str, bytes] = {}
        self.torn = 0
        self.acknowledged = 0
        self.now = time.time()

    @initialize()
    def begin(self) -> None:
        self.world.start()
        self.uploaders = [self._uploader(), self._uploader()]
        self.start(0.001, 0)

    # -- the run's processes ------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.processes) < MOST_PROCESSES)
    @rule(jump=jumps, pad=st.sampled_from([0, 3000]))
    def start(self, jump: float, pad: int) -> None:
        self.now += jump
        number = len(self.processes)
        stream = self.directory / f"history-{number}.jsonl"
        self.alive.append(Process(self.key, stream, number * 100_000, pad, self.now))
        self.processes.append(self.alive[-1])

    @precondition(lambda self: self.alive)
    @rule(which=st.integers(0, 9), rows=st.sampled_from([1, 20, 500]), jump=jumps)
    def log(self, which: int, rows: int, jump: float) -> None:
        process = self.alive[which % len(self.alive)]
        self.now += jump
        for n in range(process.rows, process.rows + rows):
            process.write(encode("log", row(process.first + n, process.pad), self.now + n / 1000, n))
        process.rows += rows

    @precondition(lambda self: self.alive)
    @rule(which=st.integers(0, 9), size=st.sampled_from([0, 100, 300_000]))
    def save(self, which: int, size: int) -> None:
        name = f"file-{len(self.saved)}"
        content = self.saved[name] = name.encode() + bytes(size)
        digest = hashlib.sha256(content).hexdigest()
        (self.directory / "files" / digest).write_bytes(content)
        record = {"name": name, "digest": digest, "size": len(content)}
        self.alive[which % len(self.alive)].write(encode("file", record, self.now))

    @precondition(lambda self: self.alive)
    @rule(which=st.integers(0, 9), how=st.sampled_from(["finish", "vanish", "in mid-write"]))
    def end(self, which: int, how: str) -> None:
        process = self.alive.pop(which % len(self.alive))
        if how == "finish":
            process.write(encode("finish", {"state": "finished"}, self.now))
        elif how == "in mid-write":
            process.write(encode("log", {"x": 1}, self.now, process.rows)[:-5])
            self.torn += 1
        process.end()

    # -- uploads ------------------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), fault=faults, after=st.integers(0, 2))
    def upload(self, which: int, fault: Fault | None, after: int) -> None:
        seen = 0

        def plan(_line: str) -> Fault | None:
            nonlocal seen
            seen += 1
            return fault if seen == after + 1 else None

        self._step(self.uploaders[which], plan)
        self._check()

    @rule()
    def upload_twice_at_once(self) -> None:
        threads = [threading.Thread(target=self._step, args=(uploader,)) for uploader in self.uploaders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._check()

    @rule(which=st.integers(0, 1))
    def kill_agent(self, which: int) -> None:
        self.uploaders[which] = self._uploader()

    @precondition(lambda self: self.world.server is not None)
    @rule()
    def sync(self) -> None:
        """Note also the ends of processes that are gone."""
        sync_directory(self.directory)
        self._check()

    # -- the server ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.server is not None)
    @rule(which=st.integers(0, 1), delay=st.sampled_from([0.0, 0.002, 0.01, 0.05]))
    def kill_server_while_it_takes_an_upload(self, which: int, delay: float) -> None:
        killers: list[threading.Timer] = []

        def plan(_line: str) -> None:
            if not killers:
                killers.append(threading.Timer(delay, self.world.server.process.kill))  # type: ignore[union-attr]
                killers[0].start()

        self._step(self.uploaders[which], plan)
        for killer in killers:
            killer.join()
        self.world.kill()

    @precondition(lambda self: self.world.server is None)
    @rule()
    def start_server(self) -> None:
        self.world.start()
        self._check()

    @precondition(lambda self: self.world.server is not None)
    @rule(which=st.integers(0, 1))
    def freeze_server(self, which: int) -> None:
        server = self.world.server
        assert server is not None
        server.process.send_signal(signal.SIGSTOP)
        try:
            self._step(self.uploaders[which])
        finally:
            server.process.send_signal(signal.SIGCONT)
        self._check()

    # -- the model and the server -------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Mend everything; then the server must have what was logged."""
        for process in self.alive:
            process.end()
        self.world.start()
        synced = sync_directory(self.directory)
        assert (synced.refused, synced.absent) == ({}, [])
        self._check()
        run = on_server("/".join(self.key))
        assert run is not None
        in_order = sorted(self.processes, key=lambda process: (process.opened, process.stream.name))
        assert values(run) == [logged for process in in_order for logged in process.logged]
        assert {file.name: file.digest for file in run.files()} == {
            name: hashlib.sha256(content).hexdigest() for name, content in self.saved.items()
        }
        assert (run.info["lost"], run.info["corrupt"]) == (self.torn, 0)
        assert run.state != "running"

    def _uploader(self) -> Uploader:
        return Uploader(Client(self.world.network.url, TOKEN, PATIENCE), self.key, self.directory, {})

    def _step(self, uploader: Uploader, plan: Callable[[str], Fault | None] = lambda _: None) -> None:
        """Upload what there is, while the network does what `plan` says."""
        self.world.network.plan = plan
        with contextlib.suppress(ServerError):
            uploader.step()
        self.world.network.plan = lambda _: None

    def _check(self) -> None:
        """What was acknowledged is on the server, and nothing that is not here."""
        if self.world.server is None:
            return
        offsets = Client(self.world.server.url, TOKEN).offsets(self.key)["offsets"]
        assert sum(offsets.values()) >= max(uploader.acknowledged for uploader in self.uploaders)
        assert sum(offsets.values()) >= self.acknowledged
        self.acknowledged = sum(offsets.values())
        for name, offset in offsets.items():
            assert offset <= (self.directory / name).stat().st_size


@depth("schedules", brief=10, slow=60)
def test_after_faults_in_any_order_the_server_has_what_was_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedules: int
) -> None:
    data, port = data_directory(tmp_path), free_port()
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("TRACKER_BASE_URL", url)
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    with proxy(url) as network, contextlib.ExitStack() as stack:
        world = World(data, port, network)
        stack.callback(world.kill)

        class InThisWorld(Schedule):
            def __init__(self) -> None:
                super().__init__(world, tmp_path / "runs")

        run_state_machine_as_test(
            InThisWorld,
            settings=settings(
                max_examples=schedules,
                stateful_step_count=20,
                derandomize=True,  # so that a change fails for what it changes
                suppress_health_check=list(HealthCheck),
            ),
        )
