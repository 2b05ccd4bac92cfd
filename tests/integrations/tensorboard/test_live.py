"""`init(sync_tensorboard=True)` imports the event files of a process into its run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

import tracker
from tests.integrations.tensorboard.events import NAME, many, rows, version, write
from tests.waiting import PATIENCE, eventually
from tracker.cli.sync import sync
from tracker.random_names import random_id
from tracker.runlog.records import encode

ROOT = Path(__file__).parents[3]
STEPS = 1500

INIT = "import tracker; run = tracker.init(name='a', sync_tensorboard=True)\n"
BY_HAND = f"""
import os, sys
from tests.integrations.tensorboard.events import *
def append(name, content):
    path = Path("logs", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(content)
{INIT}"""
OFFLINE = {"TRACKER_MODE": "offline", "TRACKER_STATS_DISABLED": "true"}

WRITERS = {
    "torch": """
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter("logs/torch") as writer:
    for step in range(STEPS):
        writer.add_scalar("loss", step / 4, step)
        writer.add_scalar("acc", step / 8, step)
""",
    "tensorboardX": """
from tensorboardX import SummaryWriter
with SummaryWriter("logs/x", flush_secs=1, max_queue=3) as writer:
    for step in range(STEPS):
        writer.add_scalar("loss", step / 4, step)
        writer.add_scalar("acc", step / 8, step)
""",
    "tensorflow": """
import tensorflow as tf
with tf.summary.create_file_writer("logs/tf", max_queue=3).as_default():
    for step in range(STEPS):
        tf.summary.scalar("loss", step / 4, step)
        tf.summary.scalar("acc", step / 8, step)
""",
    "lightning": """
from lightning.pytorch.loggers import TensorBoardLogger
logger = TensorBoardLogger("logs", version="")
for step in range(STEPS):
    logger.log_metrics({"loss": step / 4, "acc": step / 8}, step)
logger.log_hyperparams({"lr": 0.25})
logger.finalize("success")
""",
}


def start(code: str, **settings: str) -> subprocess.Popen[str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
    environment = {**os.environ, **quiet, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **settings}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def do(code: str, **settings: str) -> str:
    process = start(code, **settings)
    output, _ = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 0, output
    return output


def local() -> Any:
    """Return the only run of this directory, None as long as there is none."""
    found = list(Path(".tracker/runs").glob("*/history-*.jsonl"))
    return tracker.read_run(found[0].parent) if found else None


def counts(run: Any) -> dict[str, int]:
    return {} if run is None else dict(Counter(key for key, _, _ in rows(run)))


def arrived(**expected: int) -> Any:
    """Return the run once it has these numbers of values by key; fail if it ever has more."""

    def there() -> Any:
        run = local()
        found = counts(run)
        assert all(count <= expected[key] for key, count in found.items()), found
        return run if found == expected else None

    return eventually(there)


# -- the libraries --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", WRITERS)
def test_everything_that_a_library_writes_is_in_the_run_on_the_server(
    library: str, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    project = f"live-{random_id()}"
    monkeypatch.setenv("TRACKER_PROJECT", project)
    do(f"STEPS = {STEPS}\n{INIT}run.log({{'own': 1.5}})\n{WRITERS[library]}run.finish()\n")
    run: Any = eventually(
        lambda: next((run for run in tracker.Api().runs(f"me/{project}") if run.state == "finished"), None)
    )
    found = rows(run)
    for key, share in (("loss", 4), ("acc", 8)):
        points = [(step, value) for name, step, value in found if name == key]
        assert points == [(step, step / share) for step in range(STEPS)]
    assert [value for name, _, value in found if name == "own"] == [1.5]
    assert (run.info["lost"], run.info["corrupt"]) == (0, 0)
    if library == "lightning":
        assert run.config["lr"] == 0.25


KERAS = """
import keras
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, name="dense")], name="net")
model.compile("sgd", "mse")
callback = keras.callbacks.TensorBoard("logs", histogram_freq=1, update_freq=1)
x, y = keras.ops.ones((64, 3)), keras.ops.ones((64, 1))
model.fit(x, y, batch_size=4, epochs=3, validation_split=0.5, callbacks=[callback], verbose=0)
run.finish()
"""


def test_everything_that_kerass_callback_writes_is_in_the_run() -> None:
    if find_spec("tensorflow") is None:
        pytest.skip("tensorflow is not installed")
    do(INIT + KERAS, **OFFLINE)
    expected = {"batch_loss": 3 * 8, "epoch_loss": 3, "validation/epoch_loss": 3, "net/dense/kernel/histogram": 3}
    run: Any = eventually(lambda: run if expected.items() <= counts(run := local()).items() else None)
    assert any(file.name.startswith("tensorboard/graph_keras_model/") for file in run.files())


def test_no_library_is_patched() -> None:
    code = """
import builtins, io, os, tensorboardX
from tensorboard.summary.writer import event_file_writer, record_writer
things = builtins, io, os, tensorboardX, tensorboardX.SummaryWriter, tensorboardX.record_writer.RecordWriter
things += event_file_writer.EventFileWriter, record_writer.RecordWriter
def members():
    found = [(name, id(member)) for thing in things for name, member in vars(thing).items()]
    return [one for one in found if one[0] != "_exit"]  # every run patches this to record how its process ends
before = members()
"""
    after = """
with tensorboardX.SummaryWriter("logs") as writer:
    writer.add_scalar("loss", 1.0, 1)
assert members() == before
"""
    do(code + INIT + after, **OFFLINE)
    arrived(loss=1)


# -- when data arrives ----------------------------------------------------------------------------------------------


def test_values_arrive_while_the_process_runs() -> None:
    with start(BY_HAND + "append('tfevents.1', many(0, 5)); sys.stdin.readline()\n", **OFFLINE) as process:
        assert arrived(loss=5, acc=5).state == "running"
        process.communicate("\n", timeout=4 * PATIENCE)
    eventually(lambda: local().state == "finished")


def test_data_of_a_killed_process_arrives_without_a_torn_end() -> None:
    code = "append('tfevents.1', version() + many(0, 500)[:-5]); os.kill(os.getpid(), 9)\n"
    process = start(BY_HAND + code, **OFFLINE)
    process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == -signal.SIGKILL
    run = arrived(loss=500, acc=499)
    eventually(lambda: run.reload() or run.state == "crashed")


def test_data_written_shortly_after_finish_is_in_the_run() -> None:
    code = """
append('tfevents.1', version() + many(0, 5))
run.finish()
append('tfevents.1', many(5, 9))
append('tfevents.2', many(9, 10))
"""
    do(BY_HAND + code, **OFFLINE)
    arrived(loss=9, acc=9)


def test_a_follower_that_is_killed_repeatedly_continues_where_it_was() -> None:
    code = """
for part in range(4):
    append('tfevents.1', many(500 * part, 500 * part + 500))
    sys.stdin.readline()
"""
    with start(BY_HAND + code, **OFFLINE) as process:
        assert process.stdin is not None
        killed = set()
        for part in range(4):
            eventually(lambda some=500 * part: counts(local()).get("acc", 0) > some)  # type: ignore[misc]
            killed.add(kill_follower())
            process.stdin.write("\n")
            process.stdin.flush()
        process.communicate(timeout=4 * PATIENCE)
    run = arrived(loss=2000, acc=2000)
    assert [step for key, step, _ in rows(run) if key == "loss"] == list(range(2000))
    assert len(killed) == 4


def kill_follower() -> int:
    """Kill the follower of the only run here; return its process id."""
    found = eventually(lambda: [pid for pid, words in helpers() if "run_follower" in words])
    return kill(found[0])


def helpers() -> list[tuple[int, str]]:
    """Return the helper processes of the only run here, with their command lines."""
    (directory,) = Path(".tracker/runs").absolute().iterdir()
    found = ((process.pid, process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    return [(pid, " ".join(words)) for pid, words in found if str(directory) in words]


def kill(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return pid


def test_sync_uploads_the_rest_after_all_helpers_were_killed(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project = f"live-{random_id()}"
    code = "append('tfevents.1', many(0, 50)); sys.stdin.readline(); append('tfevents.1', many(50, 90)); os._exit(0)\n"
    with start(BY_HAND + code, **OFFLINE, TRACKER_PROJECT=project) as process:
        arrived(loss=50, acc=50)
        for pid, _ in helpers():
            with contextlib.suppress(ProcessLookupError):  # the death of one may end another
                kill(pid)
        eventually(lambda: not helpers())
        process.communicate("\n", timeout=4 * PATIENCE)
    result = CliRunner().invoke(sync, [])
    assert result.exit_code == 0, result.output
    (run,) = tracker.Api().runs(f"me/{project}")
    assert counts(run) == {"loss": 90, "acc": 90}


# -- which files belong to the run ----------------------------------------------------------------------------------


def test_other_directories_prefix_their_keys_and_logged_rows_are_kept_beside_event_files() -> None:
    code = """
append('train/tfevents.1', version() + many(0, 3))
run.log({'loss': 7.0})
append('validation/tfevents.1', version() + many(0, 4))
append('train/tfevents.2', many(3, 5))
"""
    do(BY_HAND + code, **OFFLINE)
    run = arrived(**{"loss": 6, "acc": 5, "validation/loss": 4, "validation/acc": 4})
    assert [value for key, _, value in rows(run) if key == "loss"].count(7.0) == 1


def test_earlier_files_other_files_and_files_that_are_only_read_are_not_followed() -> None:
    write(Path("logs") / NAME, version(), many(0, 5))
    code = f"""
open('logs/{NAME}', 'rb').read()
append('notes.txt', b'x')
append('tfevents.2', many(0, 2))
"""
    do(BY_HAND + code, **OFFLINE)
    arrived(loss=2, acc=2)


def test_event_files_belong_to_the_latest_run_and_only_with_sync_tensorboard() -> None:
    code = """
append('tfevents.1', many(0, 1))
run.finish()
append('tfevents.2', many(0, 2))
with tracker.init(name='b') as run:
    append('tfevents.3', many(0, 3))
with tracker.init(name='c', sync_tensorboard=True) as run:
    append('tfevents.4', many(0, 4))
"""
    do(BY_HAND + code, **OFFLINE)

    def found() -> dict[str, int]:
        paths = sorted(Path(".tracker/runs").iterdir())
        return {run.name: counts(run).get("loss", 0) for run in map(tracker.read_run, paths)}

    expected = {"a": 1, "b": 0, "c": 4}
    assert eventually(lambda: found() == expected or None)


def test_a_foreign_run_directory_causes_no_reading_of_files_that_it_names(server: Any) -> None:
    write(Path("secret/tfevents.1"), version(), many(0, 5))
    with tracker.init(mode="offline") as run:
        run.log({"x": 1})
    (directory,) = Path(".tracker/runs").iterdir()
    (stream,) = directory.glob("history-*.jsonl")
    lines = stream.read_bytes().splitlines(keepends=True)
    forged = {"path": str(Path("secret/tfevents.1").absolute()), "seal": "0" * 64}
    lines.insert(1, encode("event_file", forged, 1.7e9))
    stream.write_bytes(b"".join(lines))
    tracker.Sync().upload(directory)
    assert counts(local()) == {"x": 1}


# -- programs without tracker ---------------------------------------------------------------------------------------


def wrapped(script: str, *arguments: str, **settings: str) -> None:
    """Run a script under `tracker run`."""
    Path("script.py").write_text(f"STEPS = {STEPS}\n{script}")
    call = [sys.executable, "-c", "from tracker.cli.run import run; run(prog_name='tracker run')"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRACKER_SYNC_TENSORBOARD": "1", **OFFLINE, **settings}
    program = [sys.executable, "script.py", *arguments]
    done = subprocess.run([*call, *program], env=environment, timeout=4 * PATIENCE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_tracker_run_follows_event_files_of_any_descendant_process(tmp_path: Path) -> None:
    Path("train.py").write_text(
        f"STEPS = {STEPS}\n" + WRITERS["torch"].replace('"logs/torch"', "__import__('sys').argv[1]")
    )
    wrapped(
        "import subprocess, sys, os\n"
        "subprocess.run(['sh', '-c', f'{sys.executable} train.py {os.environ[\"ELSEWHERE\"]}; true'], check=True)\n",
        ELSEWHERE=str(tmp_path / "elsewhere"),
    )
    arrived(loss=STEPS, acc=STEPS)
    eventually(lambda: local().state == "finished")


def test_tracker_run_finds_files_that_were_open_only_briefly() -> None:
    wrapped(
        BY_HAND.replace(INIT, "")
        + f"""
write(Path("old", "{NAME}"), version(), many(0, 3, ("old",)))
os.utime("old/{NAME}", (1.7e9, 1.7e9))
append("{NAME}", version() + many(0, 5))
"""
    )
    arrived(loss=5, acc=5)


def test_tracker_run_does_not_follow_files_of_another_run() -> None:
    other = f"""
import tracker
from tests.integrations.tensorboard.events import *
with tracker.init(id="other"):
    pass
write(Path("logs", "{NAME}"), version(), many(0, 5))
write(Path("logs", "{NAME}.1.0"), version(), many(0, 5))
"""
    wrapped(
        "import os, subprocess, sys\n"
        "del os.environ['TRACKER_RUN_DIR'], os.environ['TRACKER_SYNC_TENSORBOARD']\n"
        f"subprocess.run([sys.executable, '-c', {other!r}], check=True)\n"
    )
    runs = [tracker.read_run(path) for path in Path(".tracker/runs").iterdir()]
    assert [run.keys() for run in runs] == [[], []]


# -- folders of restarted processes ---------------------------------------------------------------------------------

RESUMES = BY_HAND.replace("name='a'", "id='one', resume='allow'")


def test_a_restart_with_a_new_folder_continues_the_keys_of_the_former_process() -> None:
    for number, folder in enumerate(("Nov29_10-00_host", "Nov30_11-00_host", "Nov30_12-00_host")):
        do(
            f"{RESUMES}append('{folder}/{NAME}.{number}', version() + many({10 * number}, {10 * number + 10}))",
            **OFFLINE,
        )
    arrived(loss=30, acc=30)


def test_folders_named_like_those_of_the_former_process_get_the_same_keys() -> None:
    for number, folders in enumerate((("train", "validation"), ("validation", "train"))):
        files = "".join(
            f"append('start{number}/{folder}/{NAME}', version()"
            f" + many({10 * number}, {10 * number + 10}, ('{folder}',)))\n"
            for folder in folders
        )
        do(RESUMES + files, **OFFLINE)
    arrived(**{"train": 20, "validation/validation": 20})


def test_folders_of_concurrent_processes_have_different_keys() -> None:
    wait = "sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.read()\n"
    first = start(f"{RESUMES}append('a/{NAME}', version() + many(0, 10))\n{wait}", **OFFLINE)
    assert first.stdout is not None
    while first.stdout.readline() != "ready\n":
        pass
    second = start(f"{RESUMES}append('b/{NAME}', version() + many(0, 10))\n{wait}", **OFFLINE)
    assert second.stdout is not None
    while second.stdout.readline() != "ready\n":
        pass
    for process in (second, first):
        process.communicate("", timeout=4 * PATIENCE)
    eventually(lambda: local().state == "finished")
    found = eventually(lambda: counts(local()) if len(counts(local())) == 4 else None)
    assert sorted(found.values()) == [10] * 4
    assert {key.rpartition("/")[0] for key in found} in ({"", "b"}, {"", "a"})
