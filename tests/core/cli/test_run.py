"""Test `tracker run` in a process of its own, with pipes and at a pseudo-terminal that the test types at."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.api import LocalRun

CALL = [sys.executable, "-c", "from tracker.cli.run import run; run(prog_name='tracker run')"]
JOINS = "import sys, tracker\nrun = tracker.init(project='elsewhere', config={'lr': 0.1})\n"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_CAPTURE", "command")


def call(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CALL, *arguments], capture_output=True, text=True, timeout=PATIENCE, **options)


def python(code: str) -> list[str]:
    return ["--", sys.executable, "-c", code]


def the_run() -> LocalRun:
    (directory,) = Path(".tracker/runs").iterdir()
    return tracker.read_run(directory)


def console(name: str) -> list[str]:
    found = [line["text"] for line in the_run().console() if line["stream"] == name]
    return [line for line in found if not line.startswith("tracker: ")]


def own(text: str) -> list[str]:
    """Return the output without tracker's own messages."""
    return [line for line in text.splitlines() if not line.startswith("tracker: ")]


# -- with pipes -------------------------------------------------------------------------------------------------------


def test_any_program_is_a_run_with_its_output_and_exit_status() -> None:
    done = call("--project", "digits", "--name", "mine", "--group", "g", "--tag", "a", "--tag", "b",
                "sh", "-c", "echo out; echo error >&2; exit 5")  # fmt: skip
    assert (done.returncode, done.stdout, own(done.stderr)) == (5, "out\n", ["error"])
    run = the_run()
    assert (run.project, run.name, run.group, run.tags, run.state) == ("digits", "mine", "g", ["a", "b"], "failed")
    assert (console("stdout"), console("stderr")) == (["out"], ["error"])


@pytest.mark.parametrize(
    ("command", "status", "state"),
    [
        ("exit 0", 0, "finished"),
        ("exit 77", 77, "failed"),
        ("kill -9 $$", 128 + 9, "failed"),
        ("kill -SEGV $$", 128 + 11, "failed"),
        ("kill -INT $$", 128 + 2, "killed"),
    ],
)
def test_the_exit_status_is_that_of_the_program(command: str, status: int, state: str) -> None:
    assert call("sh", "-c", command).returncode == status
    assert the_run().state == state


def test_a_missing_program_is_an_error_and_no_run() -> None:
    done = call("--", "no-such-program", "--option")
    assert (done.returncode, done.stderr) == (127, "Error: no-such-program: command not found\n")
    Path("data").write_text("1")
    done = call("./data")
    assert (done.returncode, done.stderr) == (126, "Error: ./data: not executable\n")
    assert not Path(".tracker").exists()


def test_a_file_that_cannot_be_executed_is_an_error_and_a_failed_run() -> None:
    Path("program").write_text("no program\n")
    Path("program").chmod(0o755)
    done = call("./program")
    assert done.returncode == 126
    assert "Error: ./program: Exec format error" in done.stderr
    assert the_run().state == "failed"


def test_a_command_is_needed() -> None:
    assert call().returncode == call("--project", "p").returncode == 2


def test_a_script_joins_with_its_first_init_and_later_ones_name_runs_of_their_own() -> None:
    script = """
import tracker
first = tracker.init(project="elsewhere", config={"lr": 1})
assert tracker.init() is first
second = tracker.init(name="second", config={"lr": 2})
second.log({"x": 2})
second.finish()
first.finish()
third = tracker.init(config={"lr": 3})
print(first.project, second.project, len({first.id, second.id, third.id}))
"""
    done = call("--project", "digits", "--name", "mine", *python(script), cwd=Path.cwd())
    assert (done.returncode, done.stdout) == (0, "digits uncategorized 3\n"), done.stderr
    assert "project of tracker.init() had no effect" in done.stderr
    found = {run.config["lr"]: run for run in map(tracker.read_run, Path(".tracker/runs").iterdir())}
    assert {lr: run.state for lr, run in found.items()} == dict.fromkeys((1, 2, 3), "finished")
    assert found[1].name == "mine"


def test_a_script_that_calls_init_joins_the_run_whatever_its_arguments() -> None:
    script = JOINS + "run.log({'x': 1})\nprint(run.id, run.project, run.name, run.resumed, run.step)"
    done = call("--project", "digits", "--name", "mine", *python(script), cwd=Path.cwd())
    run = the_run()
    assert done.stdout == f"{run.id} digits mine False 1\n"
    assert (run.project, run.name, run.config, run.state) == ("digits", "mine", {"lr": 0.1}, "finished")
    assert [row["x"] for row in run.scan_history()] == [1]
    assert console("stdout") == done.stdout.splitlines()
    assert done.stderr.count("tracker: run ") == 2  # one line where it is, and one how it ended


def test_scripts_after_each_other_and_in_other_directories_continue_one_run() -> None:
    Path("train.py").write_text(JOINS + "run.log({'x': int(sys.argv[1])})\nprint(run.resumed, file=sys.stderr)")
    train = f"{sys.executable} {Path('train.py').absolute()}"
    Path("sub").mkdir()
    done = call("sh", "-c", f"{train} 1; cd sub; {train} 2; {train} 3")
    assert own(done.stderr) == ["False", "True", "True"]
    assert [(row["_step"], row["x"]) for row in the_run().scan_history()] == [(0, 1), (1, 2), (2, 3)]
    assert not Path("sub/.tracker").exists()


def test_a_script_that_names_a_run_id_gets_that_run() -> None:
    call(*python("import tracker\ntracker.init(id='its-own').log({'x': 1})"))
    runs = {path.name: tracker.read_run(path) for path in Path(".tracker/runs").iterdir()}
    assert len(runs) == 2
    assert runs["its-own"].info["rows"] == 1


def test_a_script_that_fails_makes_the_run_fail_with_its_error() -> None:
    assert call(*python(JOINS + "1 / 0")).returncode == 1
    assert the_run().state == "failed"
    assert the_run().info["error"] == "ZeroDivisionError: division by zero"


def test_the_program_reads_the_usual_stdin() -> None:
    assert call("tr", "a-z", "A-Z", input="text").stdout == "TEXT"
    assert call("cat", stdin=subprocess.DEVNULL).stdout == ""


def test_the_end_of_the_reader_ends_the_program_as_usual() -> None:
    shell = " ".join(f"'{part}'" if "(" in part or " " in part else part for part in CALL[:2])
    command = f'{shell} "{CALL[2]}" yes | head -n 2'
    done = subprocess.run(
        ["bash", "-c", command + "; echo ${PIPESTATUS[0]}"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout == "y\ny\n141\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    handler = "import signal, sys\nfor n in (1, 2, 10, 15): signal.signal(n, lambda n, _: sys.exit(n))\n"
    code = handler + "import time\nprint('ready', flush=True)\nwhile True: time.sleep(0.01)"
    process = subprocess.Popen([*CALL, *python(code)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.wait(PATIENCE) == number
    process.stdout.close()
    assert the_run().state == ("killed" if number in (signal.SIGTERM, signal.SIGINT) else "failed")


def test_console_off_keeps_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_CONSOLE", "off")
    assert call("echo", "x").stdout == "x\n"
    assert list(the_run().console()) == []


def test_disabled_tracking_only_runs_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "disabled")
    done = call("sh", "-c", "echo x; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "x\n", "")
    assert not Path(".tracker").exists()


def test_silent_prints_only_the_programs_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_SILENT", "true")
    assert call("echo", "x").stderr == ""


def test_nested_run_commands_are_one_run_with_one_console() -> None:
    assert call("--name", "outer", "--", *CALL, "--name", "inner", "echo", "x").returncode == 0
    assert console("stdout") == ["x"]


def test_background_processes_of_the_program_do_not_delay_the_end() -> None:
    done = call("sh", "-c", "sleep 600 & echo $!")
    os.kill(int(done.stdout), signal.SIGKILL)
    assert the_run().state == "finished"


# -- at a terminal ----------------------------------------------------------------------------------------------------


class AtTerminal:
    """A user at a terminal who has started `tracker run`."""

    def __init__(self, *arguments: str, command: list[str] = CALL) -> None:
        self.seen = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(command[0], [*command, *arguments])

    def expect(self, text: str) -> None:
        """Wait until a text is visible."""

        def there() -> bool:
            self._read()
            return text in self.seen

        os.set_blocking(self.master, False)
        eventually(there)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def end(self) -> int:
        """Wait for the end; return the exit status."""

        def over() -> tuple[int, int] | None:
            self._read()
            found = os.waitpid(self.pid, os.WNOHANG)
            return found if found[0] else None

        status = os.waitstatus_to_exitcode(eventually(over)[1])
        self._read()
        os.close(self.master)
        return status

    def _read(self) -> None:
        try:
            while data := os.read(self.master, 65536):
                self.seen += data.decode().replace("\r\n", "\n")
        except OSError:  # nothing more for now, or forever
            pass


def test_the_program_has_a_terminal_of_the_same_size_after_resizing_too() -> None:
    code = "import os, signal, time\nprint([os.isatty(n) for n in (0, 1, 2)])\nsizes = []\n"
    code += "signal.signal(signal.SIGWINCH, lambda *_: sizes.append(os.get_terminal_size()))\n"
    code += "print('ready', flush=True)\nwhile not sizes: time.sleep(0.01)\nprint('size', *sizes[0])\n"
    user = AtTerminal(*python(code))
    user.expect("ready\n")
    fcntl.ioctl(user.master, termios.TIOCSWINSZ, struct.pack("HHHH", 17, 91, 0, 0))  # at once, as a window does
    assert user.end() == 0
    assert "[True, True, True]\n" in user.seen
    assert "size 91 17\n" in user.seen
    assert console("stdout") == ["[True, True, True]", "ready", "size 91 17"]


STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, lambda *_: print("not yet", flush=True))
signal.signal(signal.SIGTERM, lambda *_: print("not at all", flush=True))
print("ready", flush=True)
while True: time.sleep(0.01)
"""


def test_ctrl_d_interrupts_then_terminates_then_kills() -> None:
    user = AtTerminal(*python(STUBBORN))
    user.expect("ready\n")
    user.type(b"\x04")
    user.expect("ctrl+D again terminates it\n")
    user.expect("not yet\n")
    user.type(b"\x04")
    user.expect("not at all\n")
    user.type(b"\x04")
    assert user.end() == 128 + signal.SIGKILL
    assert the_run().state == "killed"


def test_ctrl_d_interrupts_a_joined_script_and_its_rows_are_kept() -> None:
    code = JOINS + "run.log({'x': 1})\nprint('ready', flush=True)\nimport time\nwhile True: time.sleep(0.01)"
    user = AtTerminal(*python(code))
    user.expect("ready\n")
    user.type(b"\x04")
    assert user.end() == 128 + signal.SIGINT
    assert the_run().state == "killed"
    assert [row["x"] for row in the_run().scan_history()] == [1]


def test_ctrl_c_goes_to_the_program() -> None:
    user = AtTerminal(
        *python("try:\n    print('ready', flush=True)\n    input()\nexcept KeyboardInterrupt: print('mine')")
    )
    user.expect("ready\n")
    user.type(b"\x03")
    assert user.end() == 0
    assert console("stdout")[-1].endswith("mine")  # after the echo of the key
    assert the_run().state == "finished"


def test_typed_text_reaches_the_program_and_is_echoed_once() -> None:
    user = AtTerminal("sh", "-c", "echo ready; read word; echo got $word")
    user.expect("ready\n")
    user.type(b"something\r")
    assert user.end() == 0
    assert user.seen.count("something") == 2  # the echo, and the output of the program
    assert console("stdout") == ["ready", "something", "got something"]


def test_a_program_that_reads_single_keys_gets_ctrl_d_itself() -> None:
    code = "import os, tty\ntty.setraw(0)\nprint('ready', flush=True)\nprint(os.read(0, 1))"
    user = AtTerminal(*python(code))
    user.expect("ready")
    user.type(b"\x04")
    assert user.end() == 0
    assert r"b'\x04'" in user.seen


def test_the_terminal_modes_are_restored() -> None:
    master, slave = os.openpty()
    before = subprocess.run(["stty", "-a"], stdin=slave, capture_output=True, check=True).stdout
    shell = (
        f"stty -a > before; {CALL[0]} -c \"{CALL[2]}\" -- sh -c 'stty raw; exit 4'; echo $? > status; stty -a > after"
    )
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "sh", "-c", shell], stdin=slave, stdout=slave, stderr=slave
    )
    process.wait(PATIENCE)
    os.close(slave)
    os.close(master)
    assert Path("status").read_text() == "4\n"
    assert Path("before").read_bytes() == Path("after").read_bytes() == before


def test_a_redirected_stderr_does_not_reach_the_terminal() -> None:
    Path("program.sh").write_text("test -t 1 && echo out\ntest -t 2 || echo error >&2\n")
    Path("call.sh").write_text(f'exec {CALL[0]} -c "{CALL[2]}" -- sh program.sh 2> errors\n')
    user = AtTerminal(command=["/bin/sh", "call.sh"])
    assert user.end() == 0
    assert own(user.seen) == ["out"]
    assert own(Path("errors").read_text()) == ["error"]
    assert (console("stdout"), console("stderr")) == (["out"], ["error"])
