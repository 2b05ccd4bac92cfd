"""Row 29: the agent or the server is killed during the upload of a large file."""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import tracker
from tests.faults.harness import (
    TOKEN,
    agents,
    data_directory,
    has_left,
    kill_agents,
    on_server,
    sync_directory,
)
from tests.faults.proxy import Answer, CutBody, Fault, LoseAnswer, Proxy, proxy
from tests.ports import free_port
from tests.waiting import PATIENCE, eventually
from tracker.agent import backoff
from tracker.agent.file_uploader import PART
from tracker.errors import Unreachable
from tracker.sdk.agent_launch import start_agent
from tracker_server.embedded import Embedded, serve

LARGE = int(os.environ.get("TRACKER_TEST_FILE_SIZE") or 100_000_000)
PEAK = 100 * 1024 * 1024  # bytes of memory that an agent may take at any time


@pytest.fixture(params=[6 * PART, pytest.param(LARGE, marks=pytest.mark.slow)])
def size(request: pytest.FixtureRequest) -> int:
    """Return the size of the file in bytes."""
    return int(request.param)


@pytest.fixture
def saved(size: int) -> Iterator[tuple[tracker.Run, str]]:
    """Return an ended offline run without agent that has a file `large.bin` of `size` bytes, and the file's sha256."""
    rng = random.Random(27)
    with Path("large.bin").open("wb") as file:
        for at in range(0, size, 1 << 20):  # some bytes in each MiB; the rest is a hole
            file.seek(at)
            file.write(rng.randbytes(4096))
        file.truncate(size)
    with tracker.init(mode="offline", project="faults") as run:
        run.log({"x": 1})
        run.save("large.bin")
    eventually(lambda: has_left(Path(run.dir)), PATIENCE)
    sha = hashlib.sha256()
    with Path("large.bin").open("rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    yield run, sha.hexdigest()
    kill_agents(Path(run.dir))


def test_an_agent_killed_twice_during_an_upload_continues_it_and_needs_little_memory(
    server: Embedded, saved: tuple[tracker.Run, str], size: int
) -> None:
    run, digest = saved
    peaks: dict[int, int] = {}
    with proxy(server.url) as network:
        for part in (1 / 3, 2 / 3):
            killed = threading.Event()
            network.plan = _kill_at(part * size, Path(run.dir), killed, peaks)
            _start(run, network)
            assert killed.wait(PATIENCE)
        network.plan = lambda _: _measure(Path(run.dir), peaks)
        _start(run, network)
        eventually(lambda: has_left(Path(run.dir)), PATIENCE)
        bodies = [seen for seen in network.seen if "/uploads/" in seen.line and seen.line.startswith("POST")]
    file = _file(run)
    assert (file.digest, file.size) == (digest, size)
    assert file.is_at(file.download("back"))
    assert sum(seen.size for seen in bodies) <= size + 2 * PART  # only the part in transit at each kill is sent twice
    assert len(peaks) == 3
    assert max(peaks.values()) <= PEAK


def test_rows_logged_during_the_upload_of_a_large_file_do_not_wait_for_it(server: Embedded) -> None:
    Path("large.bin").write_bytes(random.Random(1).randbytes(3 * PART + 1))
    run: tracker.Run | None = None

    def plan(line: str) -> Fault | None:
        if run is not None and line.startswith("POST") and "/uploads/" in line:
            run.log({"before": line.partition("offset=")[2]})
        return None

    with proxy(server.url, plan) as network:
        run = tracker.init(project="faults", settings={"base_url": network.url, "api_key": server.token})
        run.save("large.bin")
        eventually(lambda: (found := on_server(run.path)) and found.files(), PATIENCE)
        posts = [seen.line for seen in network.seen if seen.line.startswith("POST")]
        run.finish()
        eventually(lambda: has_left(Path(run.dir)), PATIENCE)
    kinds = [line.split("/")[6] for line in posts if "/streams/system" not in line]
    assert kinds[kinds.index("uploads") :][:6] == ["uploads", "streams"] * 3
    assert _file(run).size == 3 * PART + 1


def test_a_server_killed_during_an_upload_has_what_it_acknowledged_and_continues(
    tmp_path: Path, saved: tuple[tracker.Run, str], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, digest = saved
    data, port = data_directory(tmp_path), free_port()
    monkeypatch.setattr(backoff, "_FIRST_DELAY", 0.01)  # the test starts the server, so it need not wait
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    for rounds in (2, 1, 0):
        with serve(data, port=port) as real, proxy(real.url) as network:
            monkeypatch.setenv("TRACKER_BASE_URL", network.url)
            parts = 0

            def plan(line: str, real: Embedded = real, rounds: int = rounds) -> Fault | None:
                nonlocal parts
                parts += "/uploads/" in line and line.startswith("POST")
                if rounds and parts > size // PART // 3:
                    real.process.kill()
                return None

            network.plan = plan
            if rounds:
                with pytest.raises(Unreachable):
                    sync_directory(Path(run.dir))
            else:
                done = sync_directory(Path(run.dir))
                assert (done.absent, done.refused) == ([], {})
                monkeypatch.setenv("TRACKER_BASE_URL", real.url)
                file = _file(run)
                assert (file.digest, file.size, file.is_at(file.download("back"))) == (digest, size, True)
                assert parts <= size // PART // 3 + 3
    assert list((data / "blobs" / "partial").iterdir()) == []


def test_a_download_whose_connection_is_reset_continues(
    server: Embedded, saved: tuple[tracker.Run, str], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = saved
    sync_directory(Path(run.dir))
    downloads: list[str] = []

    def plan(line: str) -> Fault | None:
        if line.startswith("GET") and "/blobs/" in line:
            downloads.append(line)
            return LoseAnswer(0.5) if len(downloads) <= 2 else None
        return None

    with proxy(server.url, plan) as network:
        monkeypatch.setenv("TRACKER_BASE_URL", network.url)
        path = tracker.restore("large.bin", run.path, root="back")
    monkeypatch.setenv("TRACKER_BASE_URL", server.url)
    assert (len(downloads), path.stat().st_size) == (3, size)
    assert _file(run).is_at(path)


@pytest.mark.parametrize("size", [PART, 2 * PART], ids=["whole", "in-parts"])
def test_a_file_passes_a_proxy_that_accepts_only_small_bodies(
    server: Embedded, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    content = random.Random(size).randbytes(size)
    Path("large.bin").write_bytes(content)
    with tracker.init(mode="offline", project="faults") as run:
        run.save("large.bin")
    eventually(lambda: has_left(Path(run.dir)), PATIENCE)
    bodies = 0

    def plan(line: str) -> Fault | None:
        nonlocal bodies
        if not line.startswith("PUT") and not (line.startswith("POST") and "/uploads/" in line):
            return None
        bodies += 1
        return Answer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n") if bodies <= 2 else None

    with proxy(server.url, plan) as network:
        monkeypatch.setenv("TRACKER_BASE_URL", network.url)
        done = sync_directory(Path(run.dir))
        assert (done.absent, done.refused) == ([], {})
        assert _file(run).download("back").read_bytes() == content
        sent = [seen.size for seen in network.seen if "/uploads/" in seen.line and seen.fault is None and seen.size]
        assert max(sent) == PART // 4


def _kill_at(
    size: float, directory: Path, killed: threading.Event, peaks: dict[int, int]
) -> Callable[[str], Fault | None]:
    """Kill the agent when it sends the part at byte `size`, of which the server gets half."""

    def plan(line: str) -> Fault | None:
        _measure(directory, peaks)
        offset = re.search(r"POST .*/uploads/.*[?&]offset=(\d+)", line)
        if offset is None or int(offset[1]) < size:
            return None
        kill_agents(directory)
        killed.set()
        return CutBody(0.5)

    return plan


def _measure(directory: Path, peaks: dict[int, int]) -> None:
    """Record the peak memory of each agent: `VmHWM` of proc(5)."""
    for agent in agents(directory):
        try:
            status = Path(f"/proc/{agent.pid}/status").read_text()
        except (FileNotFoundError, psutil.NoSuchProcess):
            continue
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        if peak is not None:
            peaks[agent.pid] = max(peaks.get(agent.pid, 0), int(peak[1]) * 1024)


def _start(run: tracker.Run, network: Proxy) -> None:
    start_agent(run.dir, {"TRACKER_BASE_URL": network.url, "TRACKER_DRAIN_TIMEOUT": str(PATIENCE)})


def _file(run: tracker.Run) -> tracker.api.File:
    found = on_server(run.path)
    assert found is not None
    return found.file("large.bin")
