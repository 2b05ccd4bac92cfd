from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.capture.repositories import Work
from tracker.capture import environment
from tracker.capture.git import Deadline
from tracker.settings import Settings

Capture = Callable[..., Any]
Keep = Callable[..., Any]


def test_an_environment_describes_the_process_and_the_machine(capture: Capture, tmp_path: Path) -> None:
    process = {
        "command": ["python", "train.py"],
        "variables": {"RANK": "0"},
        "executable": "/bin/python",
        "path": ["/x"],
    }
    found = capture(tmp_path, capture=["host"], process=process).environment
    assert {k: found[k] for k in ("command", "variables", "executable", "cwd", "host", "python")} == {
        "command": ["python", "train.py"],
        "variables": {"RANK": "0"},
        "executable": "/bin/python",
        "cwd": str(tmp_path),
        "host": "box",
        "python": "3.12.1",
    }
    assert {"os", "kernel", "machine", "cpu", "memory"} <= set(found)
    assert "path" not in found


def test_the_packages_are_those_on_the_path_of_the_process(capture: Capture, tmp_path: Path) -> None:
    site = tmp_path / "site" / "only_here-3.1.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: only-here\nVersion: 3.1\n\n")
    found = capture(tmp_path, capture=["packages"], process={"path": [str(tmp_path / "site")]})
    assert found.files == {"requirements.txt": b"only-here==3.1\n"}
    assert found.environment["files"] == ["requirements.txt"]


def test_further_machines_of_a_job_keep_no_files(capture: Capture, work: Work) -> None:
    work.write("train.py", "changed\n")
    process = {"node": 1, "path": sys.path}
    found = capture(
        work.root, work.root / "train.py", capture=["packages", "git", "diff"], save_code=True, process=process
    )
    assert found.files == {}
    assert found.environment["node"] == 1
    assert found.environment["git"]["dirty"] is True


@pytest.mark.parametrize("git", [True, False])
def test_the_main_script_is_kept_under_its_path_in_the_repository_or_working_directory(
    capture: Capture, work: Work, git: bool
) -> None:
    script = work.write("sub/train.py", "script\n")
    settings = {"save_code": True, "capture": [], "disable_git": not git}
    assert capture(work.root, script, **settings).files == {"code/sub/train.py": b"script\n"}
    assert capture(work.root / "sub", script, **settings).files == {"code/train.py": b"script\n"}
    settings["capture"] = ["git"]
    inside = "code/sub/train.py" if git else "code/train.py"
    assert capture(work.root / "sub", script, **settings).files == {inside: b"script\n"}


def test_a_main_script_elsewhere_has_its_bare_name_and_a_link_is_followed(capture: Capture, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("script\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "train.py")
    (tmp_path / "elsewhere").mkdir()
    found = capture(tmp_path / "elsewhere", tmp_path / "link.py", capture=[], save_code=True)
    assert found.files == {"code/link.py": b"script\n"}
    assert capture(tmp_path, tmp_path / "train.py", capture=[], save_code=True, disable_code=True).files == {}


# -- log_code ---------------------------------------------------------------------------------------------------------


def code(keep: Keep, root: Path, globs: list[str], **settings: Any) -> tuple[set[str], dict[str, str]]:
    keeper, files = keep()
    environment.code(str(root), globs, Settings({"capture": None, **settings}), Deadline(60), keeper)
    return set(files), keeper.left_out


def test_sources_in_a_repository_are_those_that_git_does_not_ignore(
    keep: Keep, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKER_CAPTURE")
    work.commit(__gitignore="build/\n")
    for name in ("pkg/a.py", "pkg/deep/b.py", "pkg/c.yaml", "build/x.py", "new.py", "[odd]/d.py"):
        work.write(name, "1\n")
    assert code(keep, work.root, ["*.py"])[0] == {
        "code/train.py", "code/pkg/a.py", "code/pkg/deep/b.py", "code/new.py", "code/[odd]/d.py",
    }  # fmt: skip
    assert code(keep, work.root / "pkg", ["deep/*.py", "*.yaml"])[0] == {"code/pkg/deep/b.py", "code/pkg/c.yaml"}
    assert code(keep, work.root / "[odd]", ["*.py"])[0] == {"code/[odd]/d.py"}


@pytest.mark.parametrize("settings", [{}, {"disable_git": True}])
def test_sources_outside_of_git_are_those_outside_of_hidden_folders_and_environments(
    keep: Keep, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKER_CAPTURE")
    root = tmp_path / "plain"
    for name in (
        "a.py",
        "pkg/b.py",
        "c.txt",
        ".hidden/x.py",
        "__pycache__/x.py",
        "node_modules/x.py",
        "my-env/lib/x.py",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n")
    (root / "my-env" / "pyvenv.cfg").touch()
    assert code(keep, root, ["*.py"], **settings)[0] == {"code/a.py", "code/pkg/b.py"}
    assert code(keep, root, ["*"], **settings)[0] == {"code/a.py", "code/pkg/b.py", "code/c.txt"}
    assert code(keep, root / "missing", ["*"], **settings)[0] == set()


def test_sources_that_look_like_secrets_are_left_out(keep: Keep, work: Work) -> None:
    work.write("secrets.py", "1\n")
    work.write("keys.py", "'AKIA" + "A1" * 8 + "'\n")
    found, left_out = code(keep, work.root, ["*.py"])
    assert found == {"code/train.py"}
    assert set(left_out) == {"code/secrets.py", "code/keys.py"}
