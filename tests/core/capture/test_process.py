from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tracker.capture import process
from tracker.capture.process import VARIABLES
from tracker.capture.secret_names import is_secret_name
from tracker.settings import Settings

PRINT = "import json; from tracker.capture.process import describe; from tracker.settings import Settings; "
PRINT += "print(json.dumps(describe(Settings())))"


@pytest.fixture(autouse=True)
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_CAPTURE")


def described(*command: str, **variables: str) -> dict[str, Any]:
    done = subprocess.run([*command], env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_script_is_described_by_its_command(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import sys\nsys.path.append('/added')\nsys.argv.clear()\n" + PRINT)
    found = described(sys.executable, "-X", "dev", os.path.relpath(script), "--lr", "0.1", PYTHONPATH="/elsewhere")
    assert found["command"] == [sys.executable, "-X", "dev", os.path.relpath(script), "--lr", "0.1"]
    assert (found["program"], found["cwd"]) == (str(script), os.getcwd())
    assert found["executable"] == sys.executable
    assert {str(tmp_path), "/elsewhere", "/added"} <= set(found["path"])
    assert found["variables"]["PYTHONPATH"] == "/elsewhere"


def test_a_module_has_its_file_as_program_and_code_has_none(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "train.py").write_text(PRINT)
    found = described(sys.executable, "-m", "package.train", PYTHONPATH=str(tmp_path))
    assert found["command"][1:] == ["-m", "package.train"]
    assert found["program"] == str(tmp_path / "package" / "train.py")
    assert "program" not in described(sys.executable, "-c", PRINT)


def test_a_notebook_is_the_program_if_there_is_no_script(tmp_path: Path) -> None:
    (tmp_path / "work.ipynb").write_text("{}")
    assert described(sys.executable, "-c", PRINT, JPY_SESSION_NAME=str(tmp_path / "work.ipynb"))["program"] == str(
        tmp_path / "work.ipynb"
    )
    code = f"__vsc_ipynb_file__ = {str(tmp_path / 'work.ipynb')!r}; {PRINT}"
    assert described(sys.executable, "-c", code)["program"] == str(tmp_path / "work.ipynb")


def test_only_variables_on_the_list_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("MY_LAB", "x")
    monkeypatch.setenv("MY_LAB_TOKEN", "short")
    monkeypatch.setenv("XLA_FLAGS", "--a --url=https://me:pw@host/")
    found = process.describe(Settings()) or {}
    assert found["variables"] == {"CUDA_VISIBLE_DEVICES": "0,1", "XLA_FLAGS": "--a --url=https://host/"}
    found = process.describe(Settings({"capture_variables": ["MY_LAB", "MY_LAB_TOKEN", "MY_MISSING"]})) or {}
    assert (found["variables"]["MY_LAB"], found["variables"]["MY_LAB_TOKEN"]) == ("x", "***")
    assert "MY_MISSING" not in found["variables"]
    assert not any(map(is_secret_name, VARIABLES))


def test_disabled_parts_are_missing() -> None:
    assert process.describe(Settings({"capture": []})) is None
    assert set(process.describe(Settings({"capture": ["git"]})) or {}) <= {"program", "cwd", "executable", "node"}
    assert process.describe(Settings({"capture": ["git"], "disable_code": True})) is None
    assert process.describe(Settings({"capture": [], "save_code": True})) is not None
    assert process.describe(Settings({"capture": [], "save_code": True, "disable_code": True})) is None


@pytest.mark.parametrize(
    ("variables", "node"),
    [
        ({}, None),
        ({"GROUP_RANK": "0", "RANK": "3"}, None),
        ({"GROUP_RANK": "2", "RANK": "17"}, 2),
        ({"NODE_RANK": "1"}, 1),
        ({"SLURM_NODEID": "5"}, 5),
        ({"OMPI_COMM_WORLD_RANK": "9", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, 2),
        ({"NODE_RANK": "x"}, None),
    ],
)
def test_the_number_of_the_machine_in_the_job_comes_from_the_launcher(
    variables: dict[str, str], node: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GROUP_RANK", "NODE_RANK", "SLURM_NODEID", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (process.describe(Settings()) or {}).get("node") == node


def test_a_very_long_command_line_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "train.py", *(["x" * 1000] * 100)])
    command = (process.describe(Settings()) or {})["command"]
    assert (command[:2], command[-1]) == (["python", "train.py"], "…")
    assert sum(map(len, command)) < 1 << 16


def test_a_deleted_working_directory_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "cwd" not in (process.describe(Settings({"dir": "/"})) or {})
