"""Row 3: the power is cut. Flushed data is on the disk; any part of the rest may be."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import tracker
from tests.faults.harness import (
    Training,
    agents,
    kill_agents,
    on_server,
    require,
    sync_directory,
    uploaded,
    values,
)
from tests.faults.proxy import Answer, Fault, proxy
from tests.faults.training import content, row
from tests.waiting import PATIENCE, eventually
from tracker.runlog.records import parse
from tracker_server.embedded import Embedded

KEEPS = ("nothing", "part", "zeros", "pages")
HURRY = {"TRACKER_FSYNC_INTERVAL": "0.2"}


class Cut(NamedTuple):
    """A run directory after a power cut, with its streams before and after it."""

    directory: Path
    written: dict[str, bytes]
    left: dict[str, bytes]


class Machine:
    """A machine whose power can be cut: its disk is a file system that loses unflushed data (lossy.py)."""

    def __init__(self, root: Path, keeps: str, seed: int) -> None:
        self.disk, self.mount = root / "disk", root / "mount"
        self.disk.mkdir()
        self.mount.mkdir()
        script, self._log = Path(__file__).with_name("lossy.py"), root / "lossy"
        command: list[str | Path] = [
            sys.executable,
            script,
            self.disk,
            self.mount,
            "--keeps",
            keeps,
            "--seed",
            str(seed),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self) -> None:
        eventually(lambda: self._mounted() or self._process.poll() is not None, PATIENCE)
        assert self._mounted(), self._log.read_text()

    def flushed(self, path: Path) -> bytes:
        """Return the part of a mounted file that is certainly on the disk."""
        name = f"/{path.relative_to(self.mount)}"
        flushes = [line.split(" ", 1) for line in (self.disk / "ledger").read_text().splitlines()]
        return path.read_bytes()[: max((int(size) for size, of in flushes if of == name), default=0)]

    def lie(self) -> None:
        """Make flushes do nothing but report success from now on."""
        (self.disk / "lie").touch()

    def cut(self, training: Training) -> Cut:
        """Cut the power while the agent is busy and the training continues; start the machine again."""
        for agent in agents(training.directory):
            agent.suspend()  # otherwise it may see the training end first, and flush its last rows
        training.reach(training.board.returned + 100)
        training.kill()
        kill_agents(training.directory)
        streams = list(training.directory.glob("*.jsonl"))
        written = {path.name: path.read_bytes() for path in streams}
        flushed = {path.name: self.flushed(path) for path in streams}
        self.off()
        shutil.rmtree(self.disk / "inodes")  # content without a name is lost
        after = self.disk / "root" / training.directory.relative_to(self.mount)
        left = {path.name: path.read_bytes() for path in after.glob("*.jsonl")}
        assert all(left[name].startswith(data) for name, data in flushed.items() if data)
        return Cut(after, written, left)

    def off(self) -> None:
        """Stop the file system in its present state. Safe to repeat."""
        self._process.kill()
        self._process.wait()
        # The file system also unmounts itself when it dies, so it may be gone already.
        subprocess.run(["umount", "--lazy", self.mount], check=False, stderr=subprocess.DEVNULL)
        assert not self._mounted()

    def _mounted(self) -> bool:  # not `os.path.ismount`, which fails on a dead mount
        return f" {self.mount} " in Path("/proc/self/mountinfo").read_text()


@pytest.fixture
def machine(tmp_path: Path, rng: random.Random) -> Iterator[Callable[[str], Machine]]:
    """Return a function that makes machines; `keeps` says what their disk keeps of unflushed data (see lossy.py)."""
    able = os.geteuid() == 0 and os.path.exists("/dev/fuse") and importlib.util.find_spec("mfusepy") is not None
    require(able and shutil.which("fusermount3") is not None, "root, FUSE and mfusepy make a disk that forgets")
    made: list[Machine] = []

    def make(keeps: str) -> Machine:
        made.append(Machine(tmp_path, keeps, rng.randrange(2**32)))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.off()


@pytest.mark.parametrize("keeps", KEEPS)
def test_rows_flushed_before_a_power_cut_are_uploaded_and_damage_is_never_read_as_rows(
    server: Embedded, train: Callable[..., Training], machine: Callable[[str], Machine], keeps: str
) -> None:
    computer = machine(keeps)
    offline = {**HURRY, "TRACKER_MODE": "offline"}
    training = train("--pause", 0.001, "--save", 50, directory=computer.mount, environment=offline)
    training.reach(100)
    durable = _await_flush(computer, training, "file-50")
    cut = computer.cut(training)

    assert not sync_directory(cut.directory).refused
    run = on_server(training.path)
    assert run is not None
    whole = _whole_rows(cut)
    if keeps in ("nothing", "zeros"):  # otherwise all may be there, by chance
        assert len(whole) < training.board.returned
    assert values(run) == [row(n) for n in whole]
    assert whole[:durable] == list(range(durable))
    if keeps != "pages":  # with `pages`, rows may follow a gap
        assert whole == list(range(len(whole)))

    arrived = {file.name: file.download(f"back-{file.name}").read_bytes() for file in run.files()}
    assert [name for name, data in arrived.items() if data != content(name)] == []
    assert {"file-0", "file-50"} <= arrived.keys()
    assert {file.name for file in tracker.read_run(cut.directory).files()} == arrived.keys()
    absent = _saved(cut) - arrived.keys()
    counts = (run.state, run.info["corrupt"], run.info["lost"])
    assert counts == ("crashed", _damaged(cut), _is_torn(cut) + len(absent))

    assert not sync_directory(cut.directory).refused  # a second sync changes nothing
    run.reload()
    assert (run.state, run.info["corrupt"], run.info["lost"]) == counts
    assert run.info["rows"] == len(whole)


@pytest.mark.parametrize("keeps", ["nothing", "pages"])
def test_a_run_can_be_resumed_if_the_server_has_more_than_the_disk_after_a_power_cut(
    server: Embedded, train: Callable[..., Training], machine: Callable[[str], Machine], keeps: str
) -> None:
    computer = machine(keeps)
    with proxy(server.url) as network:
        first = train(
            "--pause", 0.001, directory=computer.mount, environment={**HURRY, "TRACKER_BASE_URL": network.url}
        )
        first.reach(100)
        durable = _await_flush(computer, first)
        computer.lie()
        rows = first.board.returned + 2
        first.reach(rows)  # when it wrote the last one, no earlier flush was running
        eventually(lambda: (run := on_server(first.path)) and run.info["rows"] > rows, PATIENCE)
        network.plan = _refuse  # once one is refused, no earlier upload is running
        eventually(lambda: any(seen.fault is not None for seen in network.seen), PATIENCE)
        cut = computer.cut(first)
    run = on_server(first.path)
    assert run is not None
    known = values(run)
    assert known == [row(n) for n in range(len(known))]
    if keeps == "nothing":
        assert len(_whole_rows(cut)) < len(known)

    sync_directory(cut.directory)
    run.reload()
    there = values(run)
    more = [found["i"] for found in there[len(known) :]]  # rows on the disk that the server did not have
    assert there == [row(n) for n in (*range(len(known)), *more)]
    assert set(more) <= set(_whole_rows(cut))
    if keeps != "pages":
        assert more == list(range(len(known), len(known) + len(more)))
    counts = (run.state, run.info["corrupt"], run.info["lost"])
    assert counts == ("crashed", min(counts[1], _damaged(cut)), _is_torn(cut))
    sync_directory(cut.directory)
    run.reload()
    assert (run.state, run.info["corrupt"], run.info["lost"]) == counts
    assert values(run) == there

    resume = {"TRACKER_RESUME": "must"}
    options = ("--first", durable, "--rows", 20)
    second = train(*options, id=first.id, directory=computer.disk / "root", environment=resume)
    assert second.process.wait(PATIENCE) == 0, second.stderr
    run = uploaded(second, "finished")
    assert values(run) == [*there, *(row(n) for n in range(durable, durable + 20))]
    step = _whole_rows(cut)[-1] + 1  # the run continues from what its directory has
    assert [found["_step"] for found in run.scan_history()][-20:] == list(range(step, step + 20))
    assert (run.info["corrupt"], run.info["lost"]) == counts[1:]
    assert "Network error" not in second.stderr
    assert "trying again" not in second.stderr


def _refuse(line: str) -> Fault | None:
    refusal = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return Answer(refusal) if line.startswith("POST") else None


def _await_flush(computer: Machine, training: Training, file: str = "") -> int:
    """Wait until all rows logged so far, and the digest of a saved file, are certain to be on the disk; return how many
    rows those are.
    """
    returned = training.board.returned
    (stream,) = training.directory.glob("history*.jsonl")
    size = stream.stat().st_size
    eventually(lambda: len(computer.flushed(stream)) >= size, PATIENCE)

    def noted() -> bool:
        return any(f'"{file}"'.encode() in computer.flushed(path) for path in training.directory.glob("system*.jsonl"))

    if file:
        eventually(noted, PATIENCE)
    return returned


def _whole_rows(cut: Cut) -> list[int]:
    """Return the numbers of the readable rows in the history."""
    (name,) = (name for name in cut.written if name.startswith("history"))
    lines = [line for line in cut.written[name].splitlines(keepends=True) if b'"log":' in line]
    return [n for n, line in enumerate(lines) if line in cut.left[name]]


def _saved(cut: Cut) -> set[str]:
    """Return the names of saved files that the history still names."""
    (left,) = (data for name, data in cut.left.items() if name.startswith("history"))
    return {record.payload["name"] for record in parse(left).records if record.kind == "save"}


def _damaged(cut: Cut) -> int:
    """Return the number of damaged lines."""
    found = [(line, name) for name, data in cut.left.items() for line in data.splitlines(keepends=True)]
    return sum(line.endswith(b"\n") and line not in cut.written[name].splitlines(keepends=True) for line, name in found)


def _is_torn(cut: Cut) -> bool:
    (left,) = (data for name, data in cut.left.items() if name.startswith("history"))
    return not left.endswith(b"\n")
