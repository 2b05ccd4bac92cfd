"""Test notebooks and prompts, where an error ends a command and the process continues."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually

pytest.importorskip("ipykernel")
nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
Config = pytest.importorskip("traitlets.config").Config

LONG = "import time; print('going', flush=True); time.sleep(100)"
RUN = "import tracker; run = tracker.init(id={!r})"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "ignore")
        kernel = Kernel()
    yield kernel
    kernel.close()


class Kernel:
    """A kernel in a process of its own, driven as a notebook's front end drives it."""

    def __init__(self) -> None:
        from jupyter_client.manager import start_new_kernel

        self._manager, self._client = start_new_kernel(startup_timeout=4 * PATIENCE)
        self._manager.shutdown_wait_time = PATIENCE  # then it is killed

    def run(self, code: str, interrupt_at: str | None = None) -> str:
        """Run a cell and return how it ended; interrupt it when it has printed a text."""

        def heard(message: Any) -> None:
            if interrupt_at is not None and interrupt_at in str(message["content"].get("text")):
                self._manager.interrupt_kernel()

        reply = self._client.execute_interactive(code, timeout=4 * PATIENCE, output_hook=heard)
        return str(reply["content"].get("ename", "ok"))

    def restart(self) -> None:
        self._manager.restart_kernel()
        self._client.wait_for_ready(timeout=4 * PATIENCE)

    def close(self, now: bool = False) -> None:
        if self._manager.has_kernel:
            self._client.stop_channels()
            self._manager.shutdown_kernel(now=now)
            self._manager.cleanup_resources()


def read(id: str) -> Any:
    return tracker.read_run(f".tracker/runs/{id}")


def console(id: str) -> list[str]:
    return [line["text"] for line in read(id).console() if "tracker: run" not in line["text"]]


def execute(*cells: str) -> None:
    """Run a notebook as nbconvert and papermill do, to its end."""
    cells = tuple(nbformat.v4.new_code_cell(cell) for cell in cells)
    config = Config({"KernelManager": {"shutdown_wait_time": PATIENCE}})
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    nbclient.NotebookClient(notebook, allow_errors=True, startup_timeout=int(4 * PATIENCE), config=config).execute()


def test_the_console_of_a_notebook_holds_all_cells() -> None:
    execute(
        f"{RUN.format('n')}; print('one')",
        "print('two'); import sys; print('three', file=sys.stderr)",
        "for i in range(3): print(i, end=' ')\nprint()",
    )
    assert console("n") == ["one", "two", "three", "0 1 2 "]
    assert read("n").state == "finished"


@pytest.mark.parametrize(
    ("cells", "state", "error"),
    [
        (("1 / 0", RUN.format("n")), "finished", None),
        ((RUN.format("n"), "1 / 0", "run.log({'x': 1})"), "finished", None),
        ((RUN.format("n"), "1 / 0"), "failed", "ZeroDivisionError: division by zero"),
        ((RUN.format("n"), "1 /", "2"), "finished", None),
        ((RUN.format("n"), "1 /"), "failed", "SyntaxError"),
        ((RUN.format("n"), "import sys; sys.exit(3)"), "finished", None),
        ((RUN.format("n"), "try: 1 / 0\nexcept ZeroDivisionError: run.finish(1)", "2"), "failed", "ZeroDivisionError"),
    ],
)
def test_the_last_cell_decides_how_a_notebook_ended(cells: tuple[str, ...], state: str, error: str | None) -> None:
    execute(*cells)
    assert read("n").state == state
    assert (read("n").info["error"] or "").startswith(error or "")
    assert (read("n").info["error"] is None) == (error is None)


def test_a_cell_that_is_run_again_begins_a_new_run(kernel: Kernel) -> None:
    cell = "run = tracker.init(name='same'); print(run.id)"
    kernel.run("import tracker")
    assert kernel.run(cell) == kernel.run(cell) == "ok"
    states = sorted(tracker.read_run(path).state for path in Path(".tracker/runs").iterdir())
    assert states == ["finished", "running"]
    kernel.close()
    assert {tracker.read_run(path).state for path in Path(".tracker/runs").iterdir()} == {"finished"}


def test_two_runs_in_one_notebook_keep_their_consoles_apart(kernel: Kernel) -> None:
    kernel.run(f"{RUN.format('a')}; print('a')")
    kernel.run("other = tracker.init(id='b', reinit='create_new')")
    kernel.run("print('both')")
    kernel.run("run.finish()")
    kernel.run("print('b')")
    assert read("a").state == "finished"
    kernel.close()
    assert read("b").state == "finished"
    assert console("a") == ["a", "both"]
    assert console("b") == ["both", "b"]


def test_an_interrupted_cell_ends_the_cell_and_not_the_run(kernel: Kernel) -> None:
    kernel.run(RUN.format("n"))
    assert kernel.run(LONG, interrupt_at="going") == "KeyboardInterrupt"
    assert read("n").state == "running"
    assert kernel.run("run.log({'x': 1}); print('after')") == "ok"
    kernel.close()
    assert read("n").state == "finished"
    assert "after" in console("n")


def test_a_notebook_that_is_closed_after_an_interrupt_was_killed(kernel: Kernel) -> None:
    kernel.run(RUN.format("n"))
    kernel.run(LONG, interrupt_at="going")
    kernel.close()
    assert (read("n").state, read("n").info["error"]) == ("killed", "KeyboardInterrupt")


def test_a_restarted_kernel_has_ended_its_run(kernel: Kernel) -> None:
    kernel.run(RUN.format("n"))
    kernel.restart()
    assert read("n").state == "finished"
    assert kernel.run(RUN.format("m")) == "ok"
    assert read("m").state == "running"


def test_a_kernel_that_is_killed_has_crashed(kernel: Kernel) -> None:
    kernel.run(RUN.format("n"))
    kernel.close(now=True)
    assert read("n").state == "crashed"


@pytest.mark.parametrize("program", [["-i"], ["-m", "IPython", "--simple-prompt", "--no-banner"]])
@pytest.mark.parametrize("leave", ["exit()", "\x04"])
def test_an_error_at_a_prompt_is_not_the_end(program: list[str], leave: str) -> None:
    assert at_prompt(program, "1 / 0\n" + RUN.format("n") + "\nprint('one')\n1 / 0\nprint('two')\n1 / 0\n", leave) == 0
    assert read("n").state == "finished"
    assert console("n")[0] == "one"
    assert "two" in console("n")


def test_a_prompt_that_exits_with_a_status_has_failed() -> None:
    assert at_prompt(["-i"], RUN.format("n") + "\n", "exit(3)") == 3
    assert read("n").state == "failed"


def at_prompt(program: list[str], typed: str, leave: str) -> int:
    """Type to an interpreter at a terminal and return its exit status."""
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, *program], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    heard = bytearray()

    def hear() -> bool:
        try:
            heard.extend(os.read(master, 65536))
        except OSError:  # it is gone
            return True
        return prompts() > at

    def prompts() -> int:
        return heard.count(b">>> ") + heard.count(b"]: ") - heard.count(b"Out[")

    at = 0
    eventually(hear)
    for line in typed.splitlines():
        at = prompts()
        os.write(master, line.encode() + b"\n")
        eventually(hear)
    at = 10**9
    os.write(master, leave.encode() + (b"" if leave == "\x04" else b"\n"))
    if "IPython" in program and leave == "\x04":
        os.write(master, b"y\n")  # "Do you really want to exit?"
    eventually(hear)
    os.close(master)
    return process.wait(PATIENCE)
