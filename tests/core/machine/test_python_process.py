"""Test which programs are started as Python interpreters: none that embed Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import tracker
from tests.waiting import PATIENCE
from tracker.machine import python_process


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """Make a program that writes a line each time it is started."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho started >> {tmp_path}/mark\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    "change",
    [
        "sys.executable = PROGRAM",
        "sys.executable = PYTHON; sys.frozen = True",
        "__compiled__ = object(); sys.executable = PYTHON",
        "sys.executable = ''",
        "sys.executable = None",
    ],
)
@pytest.mark.parametrize("console", ["wrap", "redirect"])
def test_frozen_and_embedding_programs_are_not_started_as_python(
    change: str, console: str, marker: Path, tmp_path: Path
) -> None:
    python = tmp_path / "python3"
    shutil.copy(marker, python)
    setting = change.replace("PROGRAM", repr(str(marker))).replace("PYTHON", repr(str(python)))
    code = (
        f"import sys\n{setting}\nimport tracker\n"
        + """
for i in range(2):
    with tracker.init(id=f"r{i}", sync_tensorboard=True) as run:
        run.log({"x": 1})
tracker.init(id="r0", resume="allow").finish()
"""
    )
    environment = {**os.environ, "TRACKER_CONSOLE": console, "TRACKER_BASE_URL": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, text=True, capture_output=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists()
    assert done.stderr.count("cannot start the agent") == 2  # once for each run
    assert "tracker sync" in done.stderr.splitlines()[-1]
    assert len(list(tracker.read_run(".tracker/runs/r1").scan_history())) == 1


def test_a_program_that_embeds_python_starts_no_agent(tmp_path: Path) -> None:
    header, library = Path(sysconfig.get_paths()["include"], "Python.h"), sysconfig.get_config_var("LIBDIR")
    if shutil.which("gcc") is None or not header.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("embedding Python needs gcc and Python's headers")
    (tmp_path / "main.c").write_text(
        """
#include <Python.h>
#include <stdio.h>
int main(int argc, char **argv) {
    FILE *mark = fopen("mark", "a");
    fputs("started\\n", mark);
    fclose(mark);
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyConfig_SetBytesString(&config, &config.program_name, argv[0]);
    PyConfig_SetBytesString(&config, &config.executable, argv[0]);
    Py_InitializeFromConfig(&config);
    return PyRun_SimpleString(argv[1]);
}
"""
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    flags = [f"-I{header.parent}", f"-L{library}", f"-Wl,-rpath,{library}", f"-l{version}", "-lm", "-ldl"]
    made = subprocess.run(
        ["gcc", "-rdynamic", str(tmp_path / "main.c"), "-o", str(tmp_path / "simulator"), *flags],
        text=True,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip(f"this Python cannot be linked into a program: {made.stderr.splitlines()[-1]}")
    code = f"""
import sys
sys.path[:] = {sys.path!r}
import tracker
with tracker.init(id="r") as run:
    run.log({{"x": 1}})
print(sys.executable)
"""
    environment = {**os.environ, "PYTHONHOME": sys.base_prefix}
    done = subprocess.run(
        [str(tmp_path / "simulator"), code], env=environment, text=True, capture_output=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("simulator")
    assert Path("mark").read_text() == "started\n"
    assert "is not a Python interpreter" in done.stderr


@pytest.mark.parametrize(
    ("name", "is_python"),
    [
        ("python", True), ("python3", True), ("python3.11", True), ("python3.13t", True), ("python3.12-dbg", True),
        ("pypy3", True), ("pythonw.exe", True), ("blender", False), ("uwsgi", False), ("pythonista", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_python_interpreter_is_recognized_by_its_name(
    name: str, is_python: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", name and f"/nowhere/{name}")
    if is_python:
        assert python_process.python() == f"/nowhere/{name}"
    else:
        with pytest.raises(python_process.NoPython):
            python_process.python()


def test_a_detached_process_is_not_our_child() -> None:
    code = """
import os, tracker
for console in ("wrap", "redirect"):
    run = tracker.init(settings={"console": console}, mode="offline")
    try:
        print(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        print("no child")
    run.finish()
"""
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, "no child\nno child\n"), done.stderr
