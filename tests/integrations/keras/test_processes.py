"""How fits end with their process, and several processes that train one model."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras")

import tracker
from tests.ports import free_port

from .conftest import BACKEND

Runs = Callable[[], list[Any]]
Script = Callable[..., subprocess.CompletedProcess[str]]

ENDINGS = {
    "exception": ("train('batch', fail)", 1),
    "exit": ("train('epoch', lambda: sys.exit(3))", 3),
    "caught exception": (
        "try: train('batch', fail)\nexcept ValueError: print({'tensorflow'} & {*sys.modules}, flush=True)",
        0,
    ),
    "interrupt": ("train('epoch', interrupt)", -signal.SIGINT),
    "caught interrupt": ("try: train('epoch', interrupt)\nexcept KeyboardInterrupt: pass", 0),
}


def test_a_fit_that_did_not_end_is_failed_or_killed_and_the_exit_code_is_unchanged(script: Script) -> None:
    # One process imports Keras and forks one for each ending, to save time.
    done = script(f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for tests in its background
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
def train(log_freq, end):
    network().fit(x, y, verbose=0, callbacks=[TrackerCallback(log_freq), Stop(end)])
for name, (ending, _) in {ENDINGS!r}.items():
    child = os.fork()
    if child == 0:
        os.environ["TRACKER_RUN_ID"] = name.replace(" ", "-")
        exec(ending)
        break
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "ended", flush=True)
""")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.endswith("ended")] == [
        f"{name} {status} ended" for name, (_, status) in ENDINGS.items()
    ]
    if BACKEND != "tensorflow":
        assert "set()" in lines  # the callback does not import TensorFlow
    for name, (_, status) in ENDINGS.items():
        run = tracker.read_run(f".tracker/runs/{name.replace(' ', '-')}")
        (end,) = [s for stream, s in run.run_state.streams.items() if stream.startswith("history") and s.ended]
        assert run.state == ("killed" if "interrupt" in name else "failed"), name
        if "interrupt" not in name:
            assert (end.exit_code, run.info["rows"]) == (status, 1 if name == "exit" else 2), name
        if name == "exception":
            assert (run.info["error"], "on_epoch_end" in end.traceback) == ("ValueError: mine", True)


def test_a_sigkill_loses_no_batch_that_keras_has_reported(runs: Runs, script: Script) -> None:
    code = """
import signal
class Kill(keras.callbacks.Callback):  # its hook is not asynchronous, so that no report is under way
    def on_train_batch_end(self, batch, logs=None):
        if batch == 9:
            os.kill(os.getpid(), signal.SIGKILL)
network().fit(x, y, batch_size=1, verbose=0, callbacks=[TrackerCallback("batch"), Kill()])
"""
    assert script(code).returncode == -signal.SIGKILL
    (run,) = runs()
    assert (run.state, [row["_step"] for row in run.scan_history()]) == ("crashed", [*range(1, 11)])


def test_data_parallel_training_on_two_devices_is_logged_once(runs: Runs, script: Script) -> None:
    pytest.importorskip("jax")
    code = """
import json
distribution = keras.distribution.DataParallel()
keras.distribution.set_distribution(distribution)
history = network().fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[TrackerCallback("batch")])
print(json.dumps([len(keras.distribution.list_devices()), history.history]))
"""
    done = script(code, KERAS_BACKEND="jax", XLA_FLAGS="--xla_force_host_platform_device_count=2", JAX_PLATFORMS="cpu")
    assert done.returncode == 0, done.stderr
    devices, history = json.loads(done.stdout.splitlines()[-1])
    (run,) = runs()
    found = list(run.scan_history())
    assert devices == 2
    assert [row["loss"] for row in found if "loss" in row] == history["loss"]
    assert [row["_step"] for row in found if "batch/loss" in row] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.slow)])
def test_only_the_first_of_several_processes_starts_a_run(
    runs: Runs, script: Script, tmp_path: Path, backend: str
) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    address = f"127.0.0.1:{free_port()}"
    joining = {
        "jax": f"import jax; jax.distributed.initialize({address!r}, 2, rank)",
        "torch": "import torch.distributed as d\n"
        f"d.init_process_group('gloo', 'file://{tmp_path}/meet', world_size=2, rank=rank)",
    }
    code = f"rank = int(os.environ['NUMBER'])\n{joining[backend]}\n"
    code += "network().fit(x, y, verbose=0, callbacks=[TrackerCallback('batch')]); tracker.finish(); print(rank)\n"
    code += "d.barrier(); d.destroy_process_group()" if backend == "torch" else "jax.distributed.shutdown()"
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda n: script(code, KERAS_BACKEND=backend, NUMBER=str(n)), range(2)))
    assert [done.stdout.split()[-1:] for done in found] == [["0"], ["1"]], [done.stderr for done in found]
    (run,) = runs()
    assert [row["_step"] for row in run.scan_history()] == [1, 1]
