"""Test that a process's output is kept, and that the process and its users see no difference."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.capture.consoles import DIRECTORY, HEAD, INIT, Terminal, lines, script
from tests.waiting import PATIENCE, eventually
from tracker.runlog.directory import agent_alive

BOTH = pytest.mark.parametrize("mode", ["wrap", "redirect"])
ALL = pytest.mark.parametrize("mode", ["off", "wrap", "redirect"])


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_CAPTURE", "command")


FROM_EVERYWHERE = """
print("from print")
sys.stdout.flush()
os.write(1, b"from os.write\\n")
libc = ctypes.CDLL(None)
libc.puts(b"from C")
libc.fflush(None)
subprocess.run([sys.executable, "-c", "import sys; print('from a child'); print('its error', file=sys.stderr)"])
workers = [threading.Thread(target=print, args=(f"from thread {n}\\n" * 100,), kwargs={"end": ""}) for n in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print("an error", file=sys.stderr)
"""


def test_redirect_keeps_all_output_completely_and_in_order() -> None:
    done = script("redirect", FROM_EVERYWHERE)
    assert (done.returncode, lines("stderr")) == (0, ["its error", "an error"])
    assert lines("stdout")[:4] == ["from print", "from os.write", "from C", "from a child"]
    assert lines("stdout") == done.stdout.splitlines()
    assert sorted(lines("stdout")[4:]) == [f"from thread {n}" for n in range(4) for _ in range(100)]


def test_wrap_keeps_all_output_of_python_completely_and_in_order() -> None:
    done = script("wrap", FROM_EVERYWHERE)
    assert lines("stderr") == ["an error"]
    assert lines("stdout")[0] == "from print"
    assert sorted(lines("stdout")[1:]) == [f"from thread {n}" for n in range(4) for _ in range(100)]
    assert "from C" in done.stdout.splitlines()


@ALL
def test_capture_does_not_change_the_output_and_the_exit_status(mode: str) -> None:
    code = FROM_EVERYWHERE.split("workers")[0] + "sys.exit('the end')\n"
    alone = script(mode, code, init="")
    tracked = script(mode, code)
    assert (tracked.returncode, tracked.stdout, tracked.stderr) == (alone.returncode, alone.stdout, alone.stderr)


def test_off_keeps_nothing() -> None:
    script("off", "print('x')")
    assert lines() == []


@ALL
def test_a_disabled_run_keeps_no_console_and_changes_no_stream(mode: str) -> None:
    code = "print(sys.stdout.write.__self__ is sys.stdout, os.fstat(1) == before)"
    done = script(mode, code, "before = os.fstat(1)\nrun = tracker.init(mode='disabled')\n")
    assert done.stdout == "True True\n"
    assert not Path(".tracker").exists()


@BOTH
def test_finish_restores_the_streams(mode: str) -> None:
    code = """
objects = sys.stdout, sys.stderr, sys.__stdout__
def state():
    found = sorted(vars(sys.stdout)), sorted(vars(sys.stderr)), sys.stdout.isatty(), sys.stdout.encoding
    return found, [os.fstat(fd)[:3] for fd in (0, 1, 2)], sorted(os.listdir("/proc/self/fd"))
before = state()
for n in range(3):
    with tracker.init():
        print("inside", n)
        assert (sys.stdout, sys.stderr, sys.__stdout__) == objects
    print("outside", n)
    assert state() == before, (state(), before)
"""
    done = script(mode, code, init="")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(f"inside {n}\noutside {n}\n" for n in range(3))
    kept = [lines(directory=path) for path in Path(".tracker/runs").iterdir()]
    assert sorted(kept) == [["inside 0"], ["inside 1"], ["inside 2"]]


@BOTH
def test_runs_side_by_side_may_end_in_any_order(mode: str) -> None:
    code = """
other = tracker.init(id="s", reinit="create_new")
print("both")
run.finish()
print("other")
other.finish()
print("none")
assert "write" not in vars(sys.stdout)
"""
    done = script(mode, code)
    assert (done.returncode, done.stdout) == (0, "both\nother\nnone\n"), done.stderr
    assert lines() == ["both"]
    assert lines(directory=Path(".tracker/runs/s")) == ["both", "other"]


@BOTH
@pytest.mark.parametrize("ending", ["os._exit(3)", "os.kill(os.getpid(), 9)", "ctypes.string_at(0)"])
def test_output_before_a_sudden_end_is_kept(mode: str, ending: str) -> None:
    code = "for n in range(1000): print(n, flush=True)\nprint('not ended', end='', flush=True)\n" + ending
    done = script(mode, code)
    assert done.stdout == "".join(f"{n}\n" for n in range(1000)) + "not ended"
    numbers = [str(n) for n in range(1000)]
    if mode == "redirect":
        eventually(lambda: lines() == [*numbers, "not ended"])
    else:
        assert lines() == numbers
    eventually(lambda: not agent_alive(str(DIRECTORY)))


@BOTH
def test_the_traceback_that_ended_the_process_is_kept(mode: str) -> None:
    done = script(mode, "print('working')\n1 / 0")
    assert lines("stderr")[-1] == "ZeroDivisionError: division by zero"
    assert lines("stderr") == done.stderr.splitlines()


def test_redirect_keeps_the_last_output_of_a_crash() -> None:
    script("redirect", "import faulthandler\nfaulthandler.enable()\nctypes.string_at(0)")
    eventually(lambda: any("Segmentation fault" in line for line in lines("stderr")))


@BOTH
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_print_as_usual(mode: str, method: str) -> None:
    code = f"""
import multiprocessing
def work(n):
    print("worker", n, flush=True)
if __name__ == "__main__":
    run = tracker.init(id="r")
    print("before")
    for n in range(3):
        worker = multiprocessing.get_context({method!r}).Process(target=work, args=(n,))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
    print("after")
"""
    done = script(mode, code, init="")
    printed = ["before", "worker 0", "worker 1", "worker 2", "after"]
    assert sorted(done.stdout.splitlines()) == sorted(printed), done.stderr
    if mode == "redirect":
        assert lines() == done.stdout.splitlines()
    else:  # each forked child has a stream of its own; spawned ones are other processes
        assert sorted(lines()) == sorted(printed if method == "fork" else ["before", "after"])


@BOTH
def test_a_fork_while_threads_print_does_not_hang_or_lose_output(mode: str) -> None:
    code = """
import warnings
warnings.simplefilter("ignore")
stop = threading.Event()
def talk():
    n = 0
    while not stop.is_set():
        sys.stderr.write(f"{n}\\n")
        n += 1
talker = threading.Thread(target=talk)
talker.start()
for n in range(20):
    pid = os.fork()
    if pid == 0:
        print("child", n, flush=True)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
talker.join()
"""
    done = script(mode, code)
    assert done.returncode == 0
    assert sorted(lines("stdout")) == sorted(f"child {n}" for n in range(20))
    assert lines("stderr") == done.stderr.splitlines()


def test_redirect_lets_a_child_that_outlives_the_run_print_to_the_original_target() -> None:
    code = """
reader, writer = os.pipe()
subprocess.Popen(["sh", "-c", f"echo early; read line <&{reader}; echo late"], pass_fds=[reader])
time.sleep(0)
while "early" not in str(list(tracker.read_run(run.dir).console())):
    pass
run.finish()
print("finished", flush=True)
os.write(writer, b"go\\n")
"""
    done = script("redirect", code)
    assert done.stdout == "early\nfinished\nlate\n"
    assert lines() == ["early"]


@BOTH
@pytest.mark.parametrize("streams", ["stdout", "stderr", "stdout, sys.stderr"])
def test_closed_and_missing_streams_raise_nothing(mode: str, streams: str) -> None:
    for init in (f"for s in (sys.{streams},): s.close()\n{INIT}", f"sys.{streams.split(',')[0]} = None\n{INIT}"):
        done = script(mode, "run.log({'x': 1})\nrun.finish()\nos._exit(7)", init)
        assert done.returncode == 7, done.stderr


@BOTH
def test_a_stream_that_was_replaced_meanwhile_is_left_alone(mode: str) -> None:
    code = """
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as own:
    print("aside")
print("main")
sys.stdout = replaced = io.StringIO()
run.finish()
assert sys.stdout is replaced
sys.stdout = sys.__stdout__
assert own.getvalue() == "aside\\n"
assert "write" not in vars(sys.stdout)
"""
    done = script(mode, code)
    assert (done.returncode, done.stderr) == (0, "")
    assert lines() == ["main"]


def test_redirect_leaves_a_descriptor_alone_that_was_redirected_meanwhile() -> None:
    code = """
other = os.open("other", os.O_WRONLY | os.O_CREAT)
print("first", flush=True)
os.dup2(other, 1)
run.finish()
print("second", flush=True)
"""
    done = script("redirect", code)
    assert (done.stdout, Path("other").read_text(), lines()) == ("first\n", "second\n", ["first"])


@BOTH
def test_output_through_an_older_reference_to_the_stream_is_kept(mode: str) -> None:
    init = "import logging\nlogging.basicConfig(level='INFO', format='%(message)s')\n" + INIT
    script(mode, "logging.info('logged')", init)
    assert lines("stderr") == ["logged"]


@BOTH
def test_stdout_and_stderr_of_one_file_stay_in_order(mode: str) -> None:
    code = "for n in range(500):\n    print(n, flush=True)\n    print(n, file=sys.stderr)\n"
    with Path("both").open("wb") as both:
        script(mode, code, stdout=both, stderr=both)
    expected = [str(n) for n in range(500) for _ in range(2)]
    assert Path("both").read_text().splitlines() == lines() == expected


@ALL
def test_a_captured_terminal_stays_a_terminal(mode: str) -> None:
    terminal = Terminal()
    code = """
print(sys.stdout.isatty(), sys.stderr.isatty(), os.isatty(1), os.get_terminal_size(1).columns, flush=True)
subprocess.run(["sh", "-c", "test -t 1 && echo child sees one"])
print("red \\033[31mtext\\033[0m", file=sys.stderr)
for n in range(1000): print(f"\\r{n}", end="", flush=True)
print()
run.finish()
print("after", os.isatty(1))
"""
    done = script(mode, code, stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave)
    seen = terminal.close()
    assert done.returncode == 0, seen
    printed = ["True True True 77", "child sees one", "red \x1b[31mtext\x1b[0m", "999"]
    assert [line.rpartition("\r")[2] for line in seen.split("\n")] == [*printed, "after True", ""]
    kept = {"off": [], "redirect": printed, "wrap": [printed[0], *printed[2:]]}[mode]
    assert lines() == kept


@BOTH
def test_large_output_is_kept_up_to_the_limit_and_passed_on_completely(mode: str) -> None:
    code = """
line = "x" * 99
for n in range(100_000): print(line)
sys.stdout.flush()
"""
    with Path("out").open("wb") as out:
        done = script(mode, code, stdout=out, environment={"TRACKER_CONSOLE_LIMIT": "1"})
    assert done.returncode == 0
    assert Path("out").stat().st_size == 10_000_000
    assert 900_000 < sum(path.stat().st_size for path in DIRECTORY.glob("console*")) < 1_300_000
    assert any("bytes of console left out" in line for line in lines())
    assert lines()[-1] == "x" * 99


@BOTH
def test_ctrl_c_ends_a_printing_script_as_usual(mode: str) -> None:
    code = HEAD + INIT + "print('ready', flush=True)\nwhile True: print('x', flush=True)\n"
    environment = {**os.environ, "TRACKER_CONSOLE": mode, "TRACKER_SILENT": "true"}
    with Path("out").open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=out, stderr=subprocess.PIPE)
    try:
        eventually(lambda: Path("out").stat().st_size)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT
    assert error.endswith(b"KeyboardInterrupt\n")
    assert lines("stderr")[-1] == "KeyboardInterrupt"
    printed, kept = Path("out").read_text().splitlines(), lines("stdout")
    assert kept == printed[: len(kept)]
    assert len(printed) - len(kept) <= 1  # the interrupt may come after printing and before keeping


def test_replaced_streams_are_wrapped_instead_of_redirected() -> None:
    init = "import io\nsys.stdout = io.TextIOWrapper(io.BytesIO(), line_buffering=True)\n" + INIT
    script("redirect", "before = os.fstat(1)\nprint('to a notebook')\nassert os.fstat(1) == before", init)
    assert lines() == ["to a notebook"]


def test_pytest_sees_what_tests_print_in_a_run() -> None:
    Path("test_it.py").write_text("""
import sys
import tracker

def test_capsys(capsys):
    with tracker.init(id="r"):
        print("one")
        assert capsys.readouterr().out == "one\\n"
    print("two")
    assert capsys.readouterr().out == "two\\n"

def test_capfd(capfd):
    with tracker.init(id="s", settings={"console": "redirect"}):
        print("three")
    assert capfd.readouterr().out == "three\\n"
""")
    done = script("wrap", "", init="import pytest\nassert pytest.main(['-q', 'test_it.py']) == 0\n")
    assert done.returncode == 0, done.stdout
    assert lines() == ["one"]
    assert lines(directory=Path(".tracker/runs/s")) == ["three"]
