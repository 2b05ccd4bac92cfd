"""Test that training continues with unusual working directories, homes and standard streams."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually
from tracker.runlog.directory import agent_alive

_GONE = "import os, shutil; os.mkdir('gone'); os.chdir('gone'); shutil.rmtree(os.getcwd())\n"
_TRAIN = """
run.log({"x": 1})
run.log({"text": tracker.Text("y")})
run.config.update({"a": 1})
run.summary["z"] = 1
run.save("*.nothing")
run.save("later.pt", policy="end")
run.log_code()
run.finish()
assert os.path.isabs(run.dir), run.dir
with open(REPORT, "w") as file:
    json.dump({"dir": run.dir, "dropped": run.dropped}, file)
"""


def train(before: str = "", at_init: str = "", during: str = "", options: Any = None, **variables: Any) -> Any:
    """Run a script and return what it reported of its run; variables that are None are unset."""
    report = Path("report").absolute()
    code = f"import json, os, sys\nREPORT = {str(report)!r}\n{before}\nimport tracker\n{at_init}\n"
    code += f"run = tracker.init(**{options or {}!r})\n{during}\n{_TRAIN}"
    environment = {**os.environ, "TRACKER_MODE": "offline", "TRACKER_STATS_DISABLED": "true", **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(report.read_text()) | {"stderr": done.stderr}


def rows(directory: str) -> list[Any]:
    eventually(lambda: not agent_alive(directory))
    return [row["x"] for row in tracker.read_run(directory).scan_history(["x"])]


# -- the working directory ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "at_init", "during"])
@pytest.mark.parametrize("options", [{}, {"dir": "given"}, {"resume": "auto"}])
def test_a_deleted_working_directory_does_not_stop_training(when: str, options: dict[str, str]) -> None:
    given = {name: os.path.abspath(value) if name == "dir" else value for name, value in options.items()}
    done = train(**{when: _GONE}, options=given)
    root = Path(given["dir"]) if "dir" in given else Path.cwd() if when == "during" else Path.home()
    assert Path(done["dir"]).parents[2] == root
    assert (rows(done["dir"]), done["dropped"]) == ([1], 0)
    assert done["stderr"].count("the working directory was deleted") == 1


def test_a_relative_dir_is_resolved_at_init() -> None:
    done = train(during="os.mkdir('sub'); os.chdir('sub')", options={"dir": "out"})
    assert Path(done["dir"]).parents[2] == Path("out").absolute()
    assert rows(done["dir"]) == [1]


def test_commands_say_that_the_working_directory_is_gone() -> None:
    gone = Path("gone")
    gone.mkdir()
    code = "import os; os.rmdir(os.getcwd()); from tracker.cli.main import main; main()"
    for arguments in (["status"], ["runs", "--local"], ["sync"], ["restore", "a1"], ["init", "--project", "x"]):
        gone.mkdir(exist_ok=True)
        command = [sys.executable, "-I", "-c", code, *arguments]  # like the command, without "" on the path
        done = subprocess.run(command, cwd=gone, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr


# -- the home and the user ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", [None, "", "relative", "/dev/null", "/proc/nothing"])
def test_runs_are_kept_without_a_home_directory(home: str | None) -> None:
    odd = {"XDG_CONFIG_HOME": "relative", "XDG_STATE_HOME": "", "XDG_DATA_HOME": "/dev/null", "TMPDIR": "/nonexistent"}
    done = train(HOME=home, TRACKER_ENTITY=None, **odd)
    assert (rows(done["dir"]), done["dropped"]) == ([1], 0)


def test_a_user_without_a_login_name_can_log() -> None:
    unknown = "import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid"
    done = train(before=unknown, HOME=None, USER=None, LOGNAME=None, USERNAME=None, LNAME=None, TRACKER_ENTITY=None)
    assert done["dropped"] == 0
    assert tracker.read_run(done["dir"]).entity == "default"


@pytest.mark.parametrize("what", ["directory", "fifo", "bytes"])
def test_something_else_in_place_of_a_settings_file_is_reported_or_ignored_and_nothing_hangs(what: str) -> None:
    path = Path(".tracker/settings.toml")
    path.parent.mkdir()
    {"directory": path.mkdir, "fifo": lambda: os.mkfifo(path), "bytes": lambda: path.write_bytes(b"\xff\xfe")}[what]()  # type: ignore[no-untyped-call]
    if what == "bytes":
        with pytest.raises(tracker.SettingsError, match=r"settings\.toml cannot be read"):
            tracker.init()
    else:
        assert "is ignored" in train()["stderr"]


@pytest.mark.parametrize("path", [".tracker", ".tracker/runs"])
def test_a_file_in_place_of_the_folder_of_runs_is_reported(path: str) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).touch()
    assert "nothing of this run will be kept" in train()["stderr"]


# -- standard streams and the program -------------------------------------------------------------------------------


@pytest.mark.parametrize("console", ["wrap", "redirect", "off"])
@pytest.mark.parametrize(
    "streams",
    [
        "sys.stdin = sys.stdout = sys.stderr = None",
        "sys.stdout.close(); sys.stderr.close()",
        "os.closerange(0, 3)",
    ],
)
def test_closed_or_missing_standard_streams_do_not_stop_training(streams: str, console: str) -> None:
    # Output of others to the descriptors of closed streams must not get into the run.
    noise = """
for number in range(3):
    try:
        os.write(number, b"noise")
    except OSError:
        pass
"""
    done = train(before=streams, during=noise, TRACKER_CONSOLE=console)
    assert (rows(done["dir"]), done["dropped"], tracker.read_run(done["dir"]).info["corrupt"]) == ([1], 0, 0)


@pytest.mark.parametrize(
    "program",
    [
        "del sys.argv",
        "sys.argv = []; sys.orig_argv = []",
        "sys.argv = [None, 5]",
        "del sys.modules['__main__']",
        "__file__ = None",
    ],
)
def test_a_process_without_a_usable_argv_can_log(program: str) -> None:
    done = train(before=program, options={"resume": "auto"}, TRACKER_CAPTURE=None)
    assert (rows(done["dir"]), done["dropped"]) == ([1], 0)


def without_home(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user without a home."""
    code = "import pwd, sys\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n"
    code += "from tracker.cli.main import main; main()"
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_commands_of_a_user_without_a_home_say_what_to_do() -> None:
    login = without_home("login", "--base-url", "http://127.0.0.1:9", "--key", "k", "--no-check")
    assert (login.returncode, "set TRACKER_BASE_URL" in login.stderr) == (1, True), login.stderr
    assert without_home("status").returncode == 0
    if importlib.util.find_spec("fastapi") is not None:
        server = without_home("server", "--port", "0")
        assert (server.returncode, "name a folder with --dir" in server.stderr) == (1, True), server.stderr
