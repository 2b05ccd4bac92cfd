"""Test the restore of a run's code and command from a server, an exported file, and its directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.core.capture.repositories import Work
from tests.waiting import PATIENCE, eventually
from tracker.errors import TrackerError
from tracker.export import export_runs
from tracker.random_names import random_id
from tracker.restoring import Restored, restore
from tracker.restoring.repository import CommitNotFound
from tracker.runlog.directory import store
from tracker.runlog.records import encode

TRAIN = """
import random, sys
import tracker
from model import gradient
try:
    from retired import SCALE
except ImportError:
    SCALE = 1.0

random.seed(int(open("../data/seed.txt").read()))
rate = float(sys.argv[1].partition("=")[2])
with tracker.init(config={"lr": rate}) as run:
    weights = [random.gauss(0, 1) for _ in range(8)]
    for _ in range(25):
        x = [random.uniform(-1, 1) for _ in weights]
        error = sum(a * b for a, b in zip(weights, x)) - SCALE * sum(x)
        weights = [w - rate * g for w, g in zip(weights, gradient(error, x))]
        run.log({"loss": error * error})
"""


@pytest.fixture
def project(tmp_path: Path) -> Work:
    """Make a repository whose work tree differs from its commit in every way, also in a subfolder."""
    work = Work(tmp_path / "project")
    work.write("experiments/train.py", TRAIN.replace("range(25)", "range(2)"))
    work.write("experiments/model.py", "def gradient(error, x):\n    return x\n")
    work.write("experiments/retired.py", "SCALE = 7.0\n")
    work.write("weights.bin", bytes(range(256)))
    work.write(".gitignore", "*.tmp\n")
    work.commit(notes__txt="one\ntwo\n")
    work.write("experiments/train.py", TRAIN)
    work.write(
        "experiments/model.py",
        "from extra import FACTOR\n\ndef gradient(error, x):\n    return [FACTOR * error * a for a in x]\n",
    )
    (work.root / "experiments/retired.py").unlink()
    work.write("weights.bin", bytes(range(255, -1, -1)))
    work.write("experiments/extra.py", "FACTOR = 0.5\n")
    work.write("data/seed.txt", "4\n")
    work.write("staged.py", "1\n")
    work.git("add", "staged.py")
    return work


def train(work: Path, *command: str, **environment: str) -> tracker.api.LocalRun:  # type: ignore[name-defined]
    """Run a training with capture and return the run when its agent is done."""
    variables = {k: v for k, v in os.environ.items() if k != "TRACKER_CAPTURE"}
    variables |= {"TRACKER_STATS_DISABLED": "true", "TRACKER_PROJECT": "restored", **environment}
    done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True, timeout=4 * PATIENCE)
    assert done.returncode == 0, done.stderr
    (directory,) = work.glob(".tracker/runs/*")
    return eventually(lambda: (run := tracker.read_run(directory)).environment and run)  # type: ignore[return-value]


def losses(run: Any) -> list[float]:
    return [row["loss"] for row in run.scan_history()]


def run_again(made: Restored, **environment: str) -> list[float]:
    """Run the printed commands, with the interpreter of these tests as `python`; return the losses."""
    assert made.command is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # An address without a server: training is offline.
    again = train(made.working_directory, "sh", "-c", made.command, PATH=path, TRACKER_MODE="offline", **environment)  # type: ignore[arg-type]
    return losses(again)


# -- reproducing a run -----------------------------------------------------------------------------------------------


def test_a_run_of_a_dirty_tree_trains_to_the_same_losses_wherever_it_is_restored_from(
    server: Any, project: Work, tmp_path: Path
) -> None:
    local = train(project.root / "experiments", sys.executable, "train.py", "--lr=0.05")
    first = losses(local)
    assert len(first) == 25
    remote = eventually(
        lambda: (run := tracker.Api().run(local.path)).environment and len(run.files()) == len(local.files()) and run
    )
    export_runs(tmp_path / "server.zip", [remote])  # type: ignore[list-item]
    export_runs(tmp_path / "directory.zip", [local])
    exported = [tracker.read_run(tmp_path / name) for name in ("server.zip", "directory.zip")]
    trees = []
    for number, run in enumerate((remote, local, *exported)):
        made = restore(run, tmp_path / "restored" / str(number), [])  # type: ignore[arg-type]
        assert (made.absent, made.refused) == ([], {})
        assert not (made.directory / "experiments/retired.py").exists()
        assert (made.directory / "weights.bin").read_bytes() == bytes(range(255, -1, -1))
        assert (made.directory / "data/seed.txt").read_text() == "4\n"
        assert made.command is not None
        assert made.command.endswith("python train.py --lr=0.05")
        assert json.loads((made.directory / ".tracker/restored/config.json").read_text()) == {"lr": 0.05}
        assert "requests==" in (made.directory / ".tracker/restored/requirements.txt").read_text()
        status = subprocess.run(["git", "status", "--porcelain"], cwd=made.directory, capture_output=True, text=True)
        trees.append(status.stdout)
    assert trees == [trees[0]] * 4
    assert ".tracker" not in trees[0]
    # All restores have the same files, so one of each kind is run.
    for number in (0, 2):
        made = restore((remote, local, *exported)[number], tmp_path / "again" / str(number), [])  # type: ignore[arg-type]
        assert run_again(made)[:10] == first[:10]


# -- runs that the test writes -----------------------------------------------------------------------------------------

Make = Callable[..., Any]


@pytest.fixture
def a_run(tmp_path: Path) -> Make:
    """Make a run directory with an environment and files, and read it."""

    def make(files: dict[str, bytes] | None = None, local: dict[str, bytes] | None = None, **environment: Any) -> Any:
        directory = tmp_path / "runs" / random_id()
        (directory / "files").mkdir(parents=True)
        head = {"version": 1, "id": directory.name, "entity": "me", "project": "p"}
        (directory / "history.jsonl").write_bytes(encode("run", head, 1.0) + encode("config", {"lr": 0.1}, 1.0))
        lines = [encode("run", head, 1.0)]
        for name, content in (files or {}).items():
            digest = store(str(directory), content)
            payload = {"name": name, "digest": digest, "size": len(content), "path": f"files/{digest}"}
            lines.append(encode("file", payload, 2.0))
        for name, content in (local or {}).items():
            (directory / "local" / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / "local" / name).write_bytes(content)
        found = {"stream": "history.jsonl", "started": 1.0, "files": list(files or {}), "local": list(local or {})}
        lines.append(encode("environment", {**found, **environment}, 2.0))
        (directory / "system.jsonl").write_bytes(b"".join(lines))
        return tracker.read_run(directory)

    return make


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path / "repository")
    made.commit(train__py="print(1)\n")
    return made


def of(work: Work, **members: Any) -> dict[str, Any]:
    """Return what a run in this repository captures of it."""
    return {"root": str(work.root), "commit": work.git("rev-parse", "HEAD"), "cwd": ".", **members}


def patch(path: str, content: str) -> bytes:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..e69de29\n"
        f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{content}\n"
    ).encode()


def test_a_repository_that_the_user_names_gets_a_worktree_and_others_are_cloned(
    a_run: Make, work: Work, tmp_path: Path
) -> None:
    run = a_run(git=of(work))
    clone = restore(run, tmp_path / "clone", [])
    assert clone.origin is not None
    assert clone.origin.clone
    assert (tmp_path / "clone/train.py").read_text() == "print(1)\n"
    assert "clone" not in work.git("worktree", "list")
    tree = restore(run, tmp_path / "tree", [work.root])
    assert tree.origin is not None
    assert not tree.origin.clone
    assert str(tmp_path / "tree") in work.git("worktree", "list")
    assert work.git("status", "--porcelain") == ""


def test_a_commit_without_a_branch_is_cloned_too(a_run: Make, work: Work, tmp_path: Path) -> None:
    run = a_run(git=of(work))
    work.write("train.py", "print(2)\n")
    work.git("commit", "--quiet", "--all", "--amend", "--message", "other")
    made = restore(run, tmp_path / "out", [])
    assert (made.directory / "train.py").read_text() == "print(1)\n"


def test_a_remote_on_this_machine_replaces_a_missing_repository(a_run: Make, work: Work, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    made = restore(a_run(git=of(work, root=gone, remote=str(work.root))), tmp_path / "one", [])
    assert (made.directory / "train.py").exists()
    made = restore(a_run(git=of(work, root=gone, remote=f"file://{work.root}")), tmp_path / "two", [])
    assert (made.directory / "train.py").exists()


def test_a_missing_commit_is_an_error_that_names_the_searched_places_and_the_alternatives(
    a_run: Make, work: Work, tmp_path: Path
) -> None:
    git = of(work, commit="0" * 40, cwd="sub", remote="https://example.invalid/p.git")
    files = {"code/sub/train.py": b"print(3)\n", "untracked/sub/extra.py": b"X = 1\n", "diff.patch": patch("a", "b")}
    run = a_run(files, git=git, command=["python", "train.py"])
    with pytest.raises(CommitNotFound) as failed:
        restore(run, tmp_path / "out", [])
    message = str(failed.value)
    for part in (str(work.root), "--fetch looks", "https://example.invalid/p.git", "--repository", "--without-git"):
        assert part in message
    assert not (tmp_path / "out").exists()
    made = restore(run, tmp_path / "out", [], with_git=False)
    assert (tmp_path / "out/sub/train.py").read_text() == "print(3)\n"
    assert (tmp_path / "out/sub/extra.py").read_text() == "X = 1\n"
    assert (tmp_path / "out/.tracker/restored/diff.patch").read_bytes() == patch("a", "b")
    assert (made.working_directory, made.command) == (tmp_path / "out/sub", "python train.py")


def test_a_commit_that_was_never_pushed_is_not_found_at_the_remote(a_run: Make, work: Work, tmp_path: Path) -> None:
    run = a_run(git=of(work, commit="0" * 40, root=str(tmp_path / "gone"), remote=str(work.root)))
    with pytest.raises(CommitNotFound, match="is not in"):
        restore(run, tmp_path / "out", [])


def test_a_run_before_the_first_commit_is_restored_from_its_diff(a_run: Make, work: Work, tmp_path: Path) -> None:
    git = of(work)
    del git["commit"]
    made = restore(a_run({"diff.patch": patch("train.py", "print(4)")}, git=git), tmp_path / "out", [])
    assert (made.directory / "train.py").read_text() == "print(4)\n"
    assert made.commit is None


def test_a_run_outside_of_a_repository_gets_its_stored_code(a_run: Make, tmp_path: Path) -> None:
    run = a_run(
        {"code/train.py": b"print(5)\n"}, cwd="/home/someone", command=["/usr/bin/python3", "/home/someone/train.py"]
    )
    made = restore(run, tmp_path / "out", [])
    assert made.code == ["train.py"]
    assert made.command == "python train.py"


def test_files_that_stayed_on_the_machine_of_the_run_are_used_there(a_run: Make, work: Work, tmp_path: Path) -> None:
    run = a_run(local={"diff.patch": patch("new.py", "print(6)"), "untracked/a.txt": b"a"}, git=of(work))
    made = restore(run, tmp_path / "out", [])
    assert (made.directory / "new.py").read_text() == "print(6)\n"
    assert (made.directory / "a.txt").read_bytes() == b"a"
    export_runs(tmp_path / "run.zip", [run])
    elsewhere = restore(tracker.read_run(tmp_path / "run.zip"), tmp_path / "elsewhere", [])
    assert elsewhere.absent == ["diff.patch", "untracked/a.txt"]


# -- existing files are safe -----------------------------------------------------------------------------------------


def test_existing_files_are_not_overwritten(a_run: Make, work: Work, tmp_path: Path) -> None:
    run = a_run(git=of(work))
    work.write("train.py", "my changes")
    for place in (work.root, work.root / "train.py"):
        with pytest.raises(TrackerError, match=r"nothing is ever overwritten.*--dir"):
            restore(run, place, [work.root])
    assert (work.root / "train.py").read_text() == "my changes"
    (tmp_path / "empty").mkdir()
    restore(run, tmp_path / "empty", [])
    assert (tmp_path / "empty/train.py").read_text() == "print(1)\n"


def test_a_failure_leaves_nothing_behind(a_run: Make, work: Work, tmp_path: Path) -> None:
    run = a_run({"diff.patch": b"diff --git a/x b/x\nno patch\n"}, git=of(work))
    (tmp_path / "there").mkdir()
    for place in ("there", "new"):
        with pytest.raises(TrackerError, match="git apply failed"):
            restore(run, tmp_path / place, [work.root])
    assert list((tmp_path / "there").iterdir()) == []
    assert not (tmp_path / "new").exists()
    assert len(work.git("worktree", "list").splitlines()) == 1


def test_a_run_without_an_environment_is_refused(a_run: Make, tmp_path: Path) -> None:
    directory = a_run().directory
    (directory / "system.jsonl").unlink()
    with pytest.raises(TrackerError, match="does not say how it was started"):
        restore(tracker.read_run(directory), tmp_path / "out", [])


# -- malicious runs ----------------------------------------------------------------------------------------------------


def test_names_that_lead_out_of_the_directory_are_refused(a_run: Make, work: Work, tmp_path: Path) -> None:
    bad = ["../out.py", "/etc/x", "a/../../x", ".git/hooks/post-checkout", ".GIT/config", "sub/.git /config",
           "git~1/config", ".g\u200cit/config", "train.py/x", "a//b", "."]  # fmt: skip
    run = a_run({f"untracked/{name}": b"#!/bin/sh\n" for name in bad}, git=of(work))
    before = work.git("rev-parse", "HEAD")
    made = restore(run, tmp_path / "deep/out", [])
    assert set(made.refused) == {f"untracked/{name}" for name in bad}
    assert made.untracked == []
    assert not (tmp_path / "deep/out.py").exists()
    assert not (made.directory / ".git/hooks/post-checkout").exists()
    assert work.git("rev-parse", "HEAD") == before


def test_nothing_is_written_through_a_link(a_run: Make, work: Work, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (work.root / "data").symlink_to(tmp_path / "mine")
    (work.root / "hooks").symlink_to(".git/hooks")
    work.commit()
    names = ("untracked/data/x.py", "untracked/hooks/post-checkout", "untracked/data", "code/data/y.py")
    made = restore(a_run(dict.fromkeys(names, b"x"), git=of(work)), tmp_path / "out", [])
    assert {"untracked/data/x.py", "untracked/hooks/post-checkout", "untracked/data", "code/data/y.py"} == set(
        made.refused
    )
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize("path", ["../evil", ".git/hooks/post-checkout", "link/evil"])
def test_a_patch_cannot_write_outside_of_the_work_tree_or_into_git(
    a_run: Make, work: Work, tmp_path: Path, path: str
) -> None:
    (tmp_path / "mine").mkdir()
    (work.root / "link").symlink_to(tmp_path / "mine")
    work.commit()
    with pytest.raises(TrackerError, match="git apply failed"):
        restore(a_run({"diff.patch": patch(path, "x")}, git=of(work)), tmp_path / "out", [])
    assert list((tmp_path / "mine").iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_hooks_and_watchers_of_the_repository_are_not_run(a_run: Make, work: Work, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for hook in ("post-checkout", "post-index-change"):
        path = work.write(f".git/hooks/{hook}", f"#!/bin/sh\ntouch {trap}\n")
        path.chmod(0o755)
    work.git("config", "core.fsmonitor", f"touch {trap}; false")
    for place, repositories in (("tree", [work.root]), ("clone", [])):
        restore(a_run(git=of(work)), tmp_path / place, repositories)
    assert not trap.exists()


def test_programs_in_the_configuration_of_the_runs_repository_are_not_run(
    a_run: Make, work: Work, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    work.write(".gitattributes", "*.py filter=bad\n")
    work.commit()
    work.git("config", "filter.bad.smudge", f"touch {trap}; cat")
    restore(a_run(git=of(work)), tmp_path / "out", [])
    assert not trap.exists()


@pytest.mark.parametrize(
    "remote", ["ext::sh -c 'touch trap'", "--upload-pack=touch trap", "-oProxyCommand=touch trap:x"]
)
def test_a_remote_that_would_start_a_program_is_not_used(a_run: Make, work: Work, tmp_path: Path, remote: str) -> None:
    run = a_run(git=of(work, root=str(tmp_path / "gone"), remote=remote))
    with pytest.raises(TrackerError):
        restore(run, tmp_path / "out", [], fetch=True)
    assert not Path("trap").exists()
    assert not (tmp_path / "trap").exists()


def test_a_commit_must_be_a_digest(a_run: Make, work: Work, tmp_path: Path) -> None:
    for commit in ("main", "--help", "HEAD"):
        with pytest.raises(TrackerError, match="not a digest"):
            restore(a_run(git=of(work, commit=commit)), tmp_path / "out", [work.root])


def test_a_damaged_file_stops_the_restore(a_run: Make, work: Work, tmp_path: Path) -> None:
    run = a_run({"untracked/a.py": b"x = 1\n"}, git=of(work))
    (path,) = (run.directory / "files").iterdir()
    path.write_bytes(b"x = 2\n")
    with pytest.raises(TrackerError, match="is not the file that was saved"):
        restore(run, tmp_path / "out", [])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", [".tracker/settings.toml", "sub/.tracker/settings.toml", ".TRACKER/settings.toml"])
def test_settings_in_a_run_are_not_restored(path: str, a_run: Make, work: Work, tmp_path: Path) -> None:
    changes = patch(path, "base_url = 'x'") + patch("new.py", "print(6)")
    run = a_run({"diff.patch": changes, f"untracked/{path}": b"x", f"code/{path}": b"x"}, git=of(work))
    made = restore(run, tmp_path / "out", [])
    assert not (tmp_path / "out" / path).exists()
    assert (tmp_path / "out" / "new.py").exists()
    assert f"untracked/{path}" in made.refused
    alone = restore(a_run({"diff.patch": patch(path, "x")}, git=of(work)), tmp_path / "alone", [])
    assert not (alone.directory / path).exists()
    file = next(file for file in run.files() if file.name == f"untracked/{path}")
    with pytest.raises(ValueError, match=r"(?i)\.tracker"):
        file.download(tmp_path / "fetched")
