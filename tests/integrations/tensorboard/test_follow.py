"""Follow directories that grow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

import tracker
from tests.integrations.tensorboard.events import NAME, Silent, many, plan, rows, runs, text, version, write
from tests.waiting import PATIENCE, eventually
from tracker.random_names import random_id
from tracker_tensorboard import importer
from tracker_tensorboard.importer import Importer


class Meanwhile(Silent):
    """Does one action before each look at the directories, then interrupts."""

    def __init__(self, *things: Callable[[], Any]) -> None:
        self._things = list(things)

    def following(self, runs: int) -> None:
        if not self._things:
            raise KeyboardInterrupt
        self._things.pop(0)()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "_MIN_INTERVAL", 0.0)


def follow(*things: Callable[[], Any]) -> Importer:
    done = Importer(plan(Path("logs")), None, Meanwhile(*things))
    done.follow(None)
    return done


def append(name: str, content: bytes) -> Callable[[], None]:
    def do() -> None:
        path = Path("logs", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(content)

    return do


def test_data_written_meanwhile_is_imported_at_each_look() -> None:
    found = []
    write(Path("logs") / NAME, version(), many(0, 5))
    follow(
        append(NAME, many(5, 6)),
        lambda: found.append((len(rows(runs()["logs"])), runs()["logs"].state)),
        append(NAME, many(6, 9)[:-7]),
        lambda: found.append((len(rows(runs()["logs"])), runs()["logs"].state)),
        append(NAME, many(6, 9)[-7:]),
    )
    assert found == [(12, "running"), (17, "running")]
    run = runs()["logs"]
    assert (len(rows(run)), run.info["rows"], run.state) == (18, 18, "finished")


def test_new_files_and_directories_are_followed_and_metadata_of_tags_is_kept() -> None:
    write(Path("logs/tfevents.1"), version(), text("note", 0, "a"))
    follow(
        append("tfevents.2", text("note", 1, "b", metadata=False)),
        append("new/tfevents.1", many(0, 2)),
        append("tfevents.2", text("note", 2, "c", metadata=False)),
        append("tfevents.1", text("note", 3, "d", metadata=False)),
    )
    assert sorted(value["value"] for _, _, value in rows(runs()["logs"])) == ["a", "b", "c", "d"]
    assert len(rows(runs()["new"])) == 4


def test_a_missing_directory_is_awaited() -> None:
    follow(append("a/tfevents.1", many(0, 1)))
    assert len(rows(runs()["a"])) == 2


def test_the_last_data_is_imported_at_the_end_of_following() -> None:
    write(Path("logs") / NAME, many(0, 1))
    follow(append(NAME, many(1, 2)))
    write(Path("logs") / NAME, many(0, 4))
    follow()
    assert len(rows(runs()["logs"])) == 8


def test_streams_of_files_deleted_meanwhile_are_kept_and_ended() -> None:
    write(Path("logs/a") / NAME, many(0, 1))
    write(Path("logs/b/tfevents.1"), many(0, 1))
    write(Path("logs/b/tfevents.2"), many(1, 2))
    done = follow((Path("logs/a") / NAME).unlink, Path("logs/b/tfevents.1").unlink)
    assert {name: (len(rows(run)), run.state) for name, run in runs().items()} == {
        "a": (2, "finished"),
        "b": (4, "finished"),
    }
    assert all(outcome.complete for outcome in done.results.values())


def test_until_idle_ends_following_after_some_time_without_data() -> None:
    write(Path("logs") / NAME, many(0, 1))
    done = Importer(plan(Path("logs")), None, Silent())
    done.follow(0.2)
    assert runs()["logs"].state == "finished"


# -- with writers, a server, and a process of its own ---------------------------------------------------------------

STEPS, TAGS = 2000, 3

WRITERS = {
    "torch": """
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter("logs/torch", flush_secs=1, max_queue=7)
add = writer.add_scalar
""",
    "tensorboardX": """
from tensorboardX import SummaryWriter
writer = SummaryWriter("logs/tensorboardX", flush_secs=1, max_queue=7)
add = writer.add_scalar
""",
    "tensorflow": """
import tensorflow as tf
writer = tf.summary.create_file_writer("logs/tensorflow", max_queue=7)
writer.set_as_default()
add = lambda tag, value, step: tf.summary.scalar(tag, value, step=step)
""",
}
LOOP = f"""
for step in range({STEPS}):
    for tag in range({TAGS}):
        add(f"m/{{tag}}", step + tag / 4, step)
    if step % 100 == 0:
        writer.flush()
writer.close()
"""


def start(*command: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def test_data_of_real_writers_running_meanwhile_is_on_the_server_exactly(server: Any) -> None:
    project = f"live-{random_id()}"
    there = [name for name in WRITERS if __import__("importlib.util").util.find_spec(name) is not None]
    assert there
    follower = start("-m", "tracker.cli.main", "tensorboard-import", "logs", "--follow", "--project", project)
    writers = [start("-c", WRITERS[name] + LOOP) for name in there]
    for writer in writers:
        output, _ = writer.communicate(timeout=4 * PATIENCE)
        assert writer.returncode == 0, output

    def arrived() -> bool:
        found = tracker.Api().runs(f"me/{project}")
        return sum(run.info["rows"] for run in found) >= STEPS * TAGS * len(there)

    eventually(arrived)
    follower.send_signal(signal.SIGINT)
    output, _ = follower.communicate(timeout=4 * PATIENCE)
    assert follower.returncode == 0, output
    remote = {run.name: run for run in tracker.Api().runs(f"me/{project}")}
    assert set(remote) == set(there)
    for run in remote.values():
        assert rows(run) == [(f"m/{tag}", step, step + tag / 4) for step in range(STEPS) for tag in range(TAGS)]
        assert (run.state, run.info["lost"], run.info["corrupt"]) == ("finished", 0, 0)


def test_following_continues_without_a_server_and_warns_once() -> None:
    write(Path("logs") / NAME, many(0, 1))
    os.environ["TRACKER_BASE_URL"] = "http://127.0.0.1:9"
    try:
        follower = start("-m", "tracker.cli.main", "tensorboard-import", "logs", "--follow")
    finally:
        del os.environ["TRACKER_BASE_URL"]
    eventually(lambda: Path(".tracker/runs").exists() and runs())
    append(NAME, many(1, 3))()
    eventually(lambda: len(rows(runs()["logs"])) == 6)
    follower.send_signal(signal.SIGINT)
    output, _ = follower.communicate(timeout=4 * PATIENCE)
    assert follower.returncode == 1
    assert output.count("the import goes on and tries again") == 1
    assert "Nothing is lost" in output
    assert len(rows(runs()["logs"])) == 6
