"""Test how runs end; each test is a script in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.runlog.reader import read_stream, stream_paths

SERVED = """
import glob, time
while not glob.glob(run.dir + "/system-*.jsonl"):  # until the agent knows this process
    time.sleep(0.02)
"""
START = "import os, sys, tracker\nrun = tracker.init(id='r')\nrun.log({'x': 1})\n"


def script(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    Path("script.py").write_text(code)
    return subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=PATIENCE, **options)


def the_run() -> Any:
    return tracker.read_run(".tracker/runs/r")


def end_of(run: Any) -> dict[str, Any]:
    (end,) = [stream for stream in run.run_state.streams.values() if stream.ended]
    known: dict[str, Any] = end.to_json()
    return known


@pytest.mark.parametrize(
    ("ending", "state", "code"),
    [
        ("", "finished", 0),
        ("sys.exit()", "finished", 0),
        ("sys.exit(0)", "finished", 0),
        ("sys.exit(3)", "failed", 3),
        ("sys.exit('text')", "failed", 1),
        ("sys.exit(256)", "finished", 0),
        ("1 / 0", "failed", 1),
        ("raise KeyboardInterrupt", "killed", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(10)", "killed", -signal.SIGINT),
        ("run.finish()", "finished", 0),
        ("run.finish(4)", "failed", 0),
        ("tracker.finish(exit_code=4)", "failed", 0),
        ("run.finish(); sys.exit(3)", "finished", 3),
        ("run.state_at_exit = 'failed'", "failed", 0),
        ("run.state_at_exit = 'failed'; sys.exit(3)", "failed", 3),
        ("run.state_at_exit = 'failed'; run.finish()", "failed", 0),
        ("run.state_at_exit = 'failed'; tracker.finish()", "failed", 0),
        ("run.state_at_exit = 'failed'; run.finish(0)", "finished", 0),
        ("try: sys.exit(2)\nexcept SystemExit: pass", "finished", 0),
        ("try: argparse.ArgumentParser().parse_args(['x'])\nexcept SystemExit: pass", "finished", 0),
        ("try: sys.exit(2)\nexcept SystemExit: raise SystemExit(3)", "failed", 3),
        ("try: sys.exit(2)\nexcept SystemExit: run.state_at_exit = 'killed'", "killed", 0),
        ("exit(1)", "failed", 1),
        ("quit(2)", "failed", 2),
        ("exit()", "finished", 0),
        ("former_exit(5)", "failed", 5),
        ("raise SystemExit(2)", "failed", 2),
        ("raise SystemExit", "finished", 0),
        ("raise SystemExit('text')", "failed", 1),
        ("raise SystemExit(130)", "killed", 130),
        ("try: raise KeyboardInterrupt\nexcept KeyboardInterrupt: sys.exit(1)", "killed", 1),
        ("os._exit(0)", "finished", 0),
        ("os._exit(3)", "failed", 3),
        ("sys.excepthook(ValueError, ValueError('told, and dealt with'), None)", "finished", 0),
        ("try: 1 / 0\nfinally: run.finish()", "failed", 1),
        ("try: raise KeyboardInterrupt\nfinally: tracker.finish()", "killed", -signal.SIGINT),
        ("try: 1 / 0\nexcept ZeroDivisionError: run.finish()", "finished", 0),
        ("try:\n try: 1 / 0\n finally: run.finish()\nexcept ZeroDivisionError: pass\nraise ValueError", "finished", 1),
        ("with run: pass", "finished", 0),
        ("with run: sys.exit(3)", "failed", 3),
        ("with run: 1 / 0", "failed", 1),
        ("with run: raise KeyboardInterrupt", "killed", -signal.SIGINT),
        ("threading.Thread(target=sys.exit, args=(3,)).start()", "finished", 0),
        ("sys.excepthook = lambda *_: None; 1 / 0", "failed", 1),
    ],
)
def test_a_run_ends_as_its_process_and_the_process_is_not_changed(ending: str, state: str, code: int) -> None:
    modules = "import argparse, os, signal, sys, threading, time\nfrom sys import exit as former_exit\n"
    code_with = modules + START + ending
    code_without = modules + ending
    done = script(code_with)
    run = the_run()
    assert (done.returncode, run.state) == (code, state)
    assert [row["x"] for row in run.scan_history()] == [1]
    if "run" not in ending and "tracker" not in ending:
        alone = script(code_without)
        own = [line for line in done.stderr.splitlines() if not line.startswith("tracker: ")]
        assert (alone.returncode, alone.stdout) == (done.returncode, done.stdout)
        assert [line for line in own if "line" not in line] == [x for x in alone.stderr.splitlines() if "line" not in x]


def test_an_exception_is_kept_with_its_text_and_traceback() -> None:
    done = script(START + "def deep():\n    raise ValueError('too deep')\ndeep()")
    assert "ValueError: too deep" in done.stderr
    run = the_run()
    assert run.info["error"] == "ValueError: too deep"
    assert "in deep" in end_of(run)["traceback"]
    assert end_of(run)["exit_code"] == 1


def test_an_exception_without_text_is_kept_by_its_name() -> None:
    done = script(START + "class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Odd")
    assert "Odd" in done.stderr
    assert (done.returncode, the_run().state, the_run().info["error"]) == (1, "failed", "Odd")


def test_earlier_hooks_of_the_user_are_called() -> None:
    code = "import sys\nsys.excepthook = lambda kind, error, trace: print('mine:', error)\n" + START + "1 / 0"
    assert script(code).stdout == "mine: division by zero\n"
    assert the_run().state == "failed"


def test_all_runs_of_a_process_end_with_it() -> None:
    code = START + "other = tracker.init(id='s', reinit='create_new')\nsys.exit(3)"
    script(code)
    assert the_run().state == tracker.read_run(".tracker/runs/s").state == "failed"


def test_exit_handlers_of_the_user_may_still_log() -> None:
    script("import atexit\n" + START + "atexit.register(lambda: run.log({'x': 2}))")
    assert [row["x"] for row in the_run().scan_history()] == [1, 2]
    assert the_run().state == "finished"


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("os.abort()", "SIGABRT"),
        ("import signal; signal.signal(15, signal.SIG_DFL); os.kill(os.getpid(), 15)", "SIGTERM"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
)
def test_an_agent_notes_the_crash_of_a_process_that_vanished(
    ending: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_MODE", "online")
    script(START + SERVED + ending)
    assert the_run().state == "crashed"  # readers on this machine see it at once
    eventually(lambda: noted_ends(the_run()) == ["crashed"])
    assert [row["x"] for row in the_run().scan_history()] == [1]
    assert f"ended by {name}" in the_run().info["error"]
    assert "peak memory was" in the_run().info["error"]


def test_a_process_that_crashes_during_exit_has_crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash like the threads of a library when Python has ended."""
    monkeypatch.setenv("TRACKER_MODE", "online")
    script("import atexit, os\natexit.register(os.kill, os.getpid(), 11)\n" + START + SERVED)
    eventually(lambda: the_run().state == "crashed")
    assert "ended by SIGSEGV" in the_run().info["error"]


@pytest.mark.parametrize(("status", "state"), [(0, "finished"), (3, "failed")])
def test_an_exit_without_hooks_ends_the_run_by_the_exit_status(
    status: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_MODE", "online")
    script(f"from os import _exit\n{START}{SERVED}_exit({status})")
    eventually(lambda: noted_ends(the_run()) == [state])
    assert the_run().state == state
    assert end_of(the_run())["exit_code"] == status


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("sys.exit('no data')", "no data"),
        ("exit('no data')", "no data"),
        ("try: 1 / 0\nexcept Exception: sys.exit(1)", "ZeroDivisionError: division by zero"),
        ("try: 1 / 0\nexcept Exception: sys.exit('no data')", "no data"),
        ("try: 1 / 0\nexcept Exception: run.finish(1); raise", "ZeroDivisionError: division by zero"),
        ("try: 1 / 0\nexcept Exception as e: raise RuntimeError('no data') from e", "RuntimeError: no data"),
        ("with run: sys.exit('no data')", "no data"),
    ],
)
def test_the_message_of_a_failed_process_is_kept_and_so_is_its_cause(ending: str, text: str) -> None:
    assert script(START + ending).returncode == 1
    assert (the_run().state, the_run().info["error"]) == ("failed", text)
    if "1 / 0" in ending:
        assert "ZeroDivisionError: division by zero" in end_of(the_run())["traceback"]


def noted_ends(run: Any) -> list[str]:
    """Return the ends of processes in the log, not as readers on this machine see them."""
    records = (r for p in stream_paths(run.directory) for part in read_stream(p) for r in part.records)
    return [r.payload["state"] for r in records if r.kind == "finish"]


def test_finishing_twice_is_safe() -> None:
    done = script(START + "run.finish()\nrun.finish(5)\ntracker.finish()")
    assert done.returncode == 0
    assert the_run().state == "finished"
    begun, ended = done.stderr.splitlines()
    assert begun.endswith("in me/uncategorized: .tracker/runs/r")
    assert " finished, kept on disk" in ended
    assert noted_ends(the_run()) == ["finished"]


def test_ctrl_c_in_the_middle_of_logging_leaves_whole_rows() -> None:
    code = START + "print('ready', flush=True)\nfor i in range(10**7): run.log({'x': i})"
    Path("script.py").write_text(code)
    process = subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert the_run().info["rows"] > 0  # the reader does not follow a writer that is faster
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert the_run().state == "killed"
    assert the_run().info["corrupt"] == 0


# -- forks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit(0)", "sys.exit(3)", "1 / 0", "os.kill(os.getpid(), 9)"])
def test_a_forked_child_logs_into_a_stream_of_its_own_and_does_not_end_the_run(leave: str) -> None:
    code = (
        START
        + f"""
pid = os.fork()
if pid == 0:
    run.log({{'child': 1}})
    {leave}
os.waitpid(pid, 0)
assert tracker.read_run(run.dir).state == 'running'
run.log({{'x': 2}})
"""
    )
    done = script(code)
    assert done.returncode == 0, done.stderr
    run = the_run()
    assert run.state == "finished"
    parent, child = stream_paths(run.directory, "history")
    rows = list(run.scan_history())
    assert [row["x"] for row in rows if "x" in row] == [1, 2]
    assert [row["child"] for row in rows if "child" in row] == [1]
    assert run.run_state.streams[child.name].parent == parent.name


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_do_not_affect_the_run(method: str) -> None:
    code = f"""
import multiprocessing, sys, tracker

def work(i):
    if tracker.run is not None:  # inherited by fork alone
        tracker.log({{"worker": i}})
    return i

if __name__ == "__main__":
    run = tracker.init(id="r")
    run.log({{"x": 1}})
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert pool.map(work, range(10)) == list(range(10))
        pool.close()
        pool.join()
    run.log({{"x": 2}})
"""
    done = script(code)
    assert done.returncode == 0, done.stderr
    rows = list(the_run().scan_history())
    assert [row["x"] for row in rows if "x" in row] == [1, 2]
    assert sorted(row["worker"] for row in rows if "worker" in row) == (list(range(10)) if method == "fork" else [])
    assert the_run().state == "finished"


def test_a_fork_while_other_threads_log_does_not_deadlock() -> None:
    code = (
        START
        + """
import threading, warnings
warnings.simplefilter("ignore")
stop = threading.Event()
def work():
    while not stop.is_set():
        run.log({"thread": 1})
workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers:
    worker.start()
for _ in range(30):
    pid = os.fork()
    if pid == 0:
        run.log({"child": 1})
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for worker in workers:
    worker.join()
"""
    )
    done = script(code)
    assert done.returncode == 0, done.stderr
    rows = list(the_run().scan_history())
    assert sum("child" in row for row in rows) == 30
    assert the_run().info["corrupt"] == 0


@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "raise ValueError('mine')", "os._exit(4)", "run.finish(5)"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_of_multiprocessing_with_a_run_of_its_own_ends_it(method: str, ending: str) -> None:
    code = f"""
import multiprocessing, os, sys, tracker

def work():
    run = tracker.init(id="r")
    run.log({{"x": 1}})
    {ending}

if __name__ == "__main__":
    child = multiprocessing.get_context({method!r}).Process(target=work)
    child.start()
    child.join()
"""
    assert script(code).returncode == 0
    state = the_run().state
    assert state == ("failed" if ending else "finished")
    assert the_run().info["error"] == ("ValueError: mine" if "mine" in ending else None)
    assert [row["x"] for row in the_run().scan_history()] == [1]


@pytest.mark.parametrize(("ending", "state"), [("", "finished"), ("sys.exit(3)", "failed"), ("1 / 0", "failed")])
def test_a_child_of_multiprocessing_ends_its_run_while_its_parent_has_one(ending: str, state: str) -> None:
    code = f"""
import multiprocessing, os, sys, tracker

def work():
    tracker.init(id="r", reinit="create_new").log({{"x": 1}})
    {ending}

if __name__ == "__main__":
    tracker.init(id="of-parent")
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
"""
    assert script(code).returncode == 0
    eventually(lambda: the_run().state == state)
    assert the_run().info["error"] == ("ZeroDivisionError: division by zero" if "/" in ending else None)
    assert tracker.read_run(".tracker/runs/of-parent").state == "finished"


@pytest.mark.parametrize("leave", ["pass", "pool.close(); pool.join()"])
def test_the_runs_of_pool_workers_end_well(leave: str) -> None:
    """The end of the `with` block terminates the workers; the work is done."""
    code = f"""
import multiprocessing, tracker

def work(i):
    tracker.init(id=f"r{{i}}", reinit="create_new").log({{"x": i}})
    return i

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(4), chunksize=1) == [0, 1, 2, 3]
        {leave}
"""
    assert script(code).returncode == 0
    states = [tracker.read_run(f".tracker/runs/r{i}") for i in range(4)]
    eventually(lambda: [tracker.read_run(run.directory).state for run in states] == ["finished"] * 4)


def test_a_terminated_worker_of_a_pool_ends_although_its_wait_for_work_goes_on(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a library made with gcc lets the wait go on")
    library = tmp_path / "deaf_wait.so"
    source = Path(__file__).with_name("deaf_wait.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    code = """
import multiprocessing.pool, os, time, tracker

def until(name):
    while not os.path.exists(name):
        time.sleep(0.01)

def work():
    tracker.init(id="r").log({"x": 1})
    open("begun", "w").close()
    until("locked")

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    tasks, results = context.SimpleQueue(), context.SimpleQueue()
    worker = context.Process(target=multiprocessing.pool.worker, args=(tasks, results))
    worker.start()
    tasks.put((0, 0, work, (), {}))
    until("begun")
    tasks._rlock.acquire()
    open("armed", "w").close()
    open("locked", "w").close()
    until("waiting")
    worker.terminate()
    worker.join(30)
    print(worker.exitcode)
    worker.kill()
"""
    done = script(code, env={**os.environ, "LD_PRELOAD": str(library)})
    assert done.stdout == f"{-signal.SIGTERM}\n", done.stderr
    eventually(lambda: the_run().state == "finished")


def test_a_pool_worker_that_is_terminated_while_busy_has_not_ended_well() -> None:
    code = """
import multiprocessing, time, tracker

def work(i):
    run = tracker.init(id="r")
    run.log({"x": 1})
    open("begun", "w").close()
    time.sleep(100)

if __name__ == "__main__":
    import os
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply_async(work, (1,))
        while not os.path.exists("begun"):
            time.sleep(0.01)
"""
    assert script(code).returncode == 0
    assert the_run().state in ("crashed", "killed")


def test_the_runs_of_executor_workers_end_well() -> None:
    code = """
import concurrent.futures, tracker

def work(i):
    tracker.init(id=f"r{i}", reinit="create_new").log({"x": i})

if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(work, range(4)))
"""
    assert script(code).returncode == 0
    assert [tracker.read_run(f".tracker/runs/r{i}").state for i in range(4)] == ["finished"] * 4


@pytest.mark.parametrize(
    ("ending", "state"), [("os._exit(0)", "finished"), ("os._exit(3)", "failed"), ("", "finished")]
)
def test_a_forked_child_with_a_run_of_its_own_ends_it(ending: str, state: str) -> None:
    code = f"""
import os, sys, tracker
if os.fork() == 0:
    run = tracker.init(id="r")
    run.log({{"x": 1}})
    {ending or "sys.exit()"}
os.wait()
"""
    assert script(code).returncode == 0
    assert the_run().state == state


@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit(0)"])
@pytest.mark.parametrize(("ending", "state"), [("", "finished"), ("1 / 0", "failed"), ("os._exit(2)", "failed")])
def test_a_daemon_continues_the_run_and_its_end_is_the_end_of_the_run(leave: str, ending: str, state: str) -> None:
    code = f"""{START}
import time
first = os.getpid()
if os.fork():
    {leave}
os.setsid()
if os.fork():
    os._exit(0)
while open(f"/proc/{{first}}/stat").read().rsplit(")")[1].split()[0] != "Z":  # until the first process has left
    time.sleep(0.01)
run.log({{"x": 2}})
assert tracker.read_run(run.dir).state == "running"
{ending}
"""
    assert script(code).returncode == 0
    eventually(lambda: len([s for s in the_run().run_state.streams.values() if s.goes_on and s.ended]) == 1)
    assert the_run().state == state
    assert [row["x"] for row in the_run().scan_history()] == [1, 2]


def test_a_forked_child_that_outlives_a_crash_does_not_hide_it() -> None:
    code = f"""{START}
import signal, time
parent = os.getpid()
if os.fork() == 0:
    while os.getppid() == parent:
        time.sleep(0.01)
    run.log({{"x": 2}})
    sys.exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""
    script(code)
    eventually(lambda: len(list(the_run().scan_history())) == 2)
    assert the_run().state == "crashed"
