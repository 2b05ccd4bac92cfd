"""Test what is captured from real repositories in many states."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.capture.repositories import Work, restore, tree

Capture = Callable[..., Any]


def same_after_restore(capture: Capture, work: Work, tmp_path: Path) -> None:
    """Check that the patch and the untracked files turn a checkout of the commit into the present work tree."""
    found = capture(work.root)
    restore(found.files["diff.patch"], work.root, found.environment["git"].get("commit"), tmp_path / "restored")
    for name, content in found.files.items():
        if name.startswith("untracked/"):
            target = tmp_path / "restored" / name.removeprefix("untracked/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    assert tree(tmp_path / "restored") == tree(work.root)


def test_a_clean_repository_has_a_commit_and_no_patch(capture: Capture, work: Work) -> None:
    work.git("remote", "add", "origin", "https://me:secret@example.com/me/r.git?private_token=x")
    found = capture(work.root, work.root / "train.py")
    assert found.environment["git"] == {
        "root": str(work.root),
        "commit": work.git("rev-parse", "HEAD"),
        "branch": "main",
        "remote": "https://example.com/me/r.git",
        "program": "train.py",
        "cwd": ".",
        "dirty": False,
    }
    assert (found.files, found.left_out) == ({}, {})


def test_the_patch_restores_changed_staged_deleted_renamed_binary_and_new_files(
    capture: Capture, work: Work, tmp_path: Path
) -> None:
    work.write("old name.txt", "a\nb\nc\n")
    work.write("image.bin", bytes(range(256)) * 50)
    work.write("gone.py", "gone\n")
    work.write("no-newline", "x")
    work.commit()
    work.write("train.py", "print(2)\n")
    work.write("image.bin", bytes(reversed(range(256))) * 50)
    work.write("crlf.txt", b"a\r\nb\r\n")
    work.write("no-newline", "y")
    work.git("mv", "old name.txt", "sub dir.txt")
    work.git("rm", "--quiet", "gone.py")
    (work.root / "notes.txt").unlink()
    work.write("staged.py", "staged\n")
    work.git("add", "staged.py", "crlf.txt")
    work.write("staged.py", "staged and changed\n")
    work.write("ünï\tcode/ñ.py", "new\n")
    work.write("sub/untracked.py", "untracked\n")
    work.write("empty", "")
    assert capture(work.root).environment["git"]["dirty"] is True
    same_after_restore(capture, work, tmp_path)


def test_a_subdirectory_sees_the_whole_repository(capture: Capture, work: Work, tmp_path: Path) -> None:
    work.write("sub/deep/run.py", "1\n")
    work.commit()
    work.write("train.py", "changed\n")
    work.write("new.py", "new\n")
    found = capture(work.root / "sub" / "deep", work.root / "sub" / "deep" / "run.py")
    assert (found.environment["git"]["cwd"], found.environment["git"]["program"]) == ("sub/deep", "sub/deep/run.py")
    assert set(found.files) == {"diff.patch", "untracked/new.py"}
    same_after_restore(capture, work, tmp_path)


def test_before_the_first_commit_the_patch_holds_all_that_is_staged(capture: Capture, tmp_path: Path) -> None:
    work = Work(tmp_path / "new")
    work.write("a.py", "staged\n")
    work.git("add", "a.py")
    work.write("a.py", "staged and changed\n")
    work.write("b.py", "untracked\n")
    found = capture(work.root)
    assert "commit" not in found.environment["git"]
    assert (found.environment["git"]["branch"], found.environment["git"]["dirty"]) == ("main", True)
    same_after_restore(capture, work, tmp_path)


def test_a_detached_head_has_a_commit_and_no_branch(capture: Capture, work: Work) -> None:
    work.git("checkout", "--quiet", "--detach")
    assert "branch" not in capture(work.root).environment["git"]
    assert capture(work.root).environment["git"]["commit"] == work.git("rev-parse", "HEAD")


def test_a_linked_work_tree_is_a_repository_of_its_own(capture: Capture, work: Work, tmp_path: Path) -> None:
    work.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    (tmp_path / "linked" / "train.py").write_text("linked\n")
    found = capture(tmp_path / "linked")
    assert (found.environment["git"]["root"], found.environment["git"]["branch"]) == (str(tmp_path / "linked"), "other")
    assert b"+linked" in found.files["diff.patch"]


def test_the_patch_restores_the_work_tree_in_the_middle_of_a_merge(
    capture: Capture, work: Work, tmp_path: Path
) -> None:
    work.git("checkout", "--quiet", "-b", "other")
    work.commit(train__py="theirs\n", notes__txt="one\n2\nthree\n")
    work.git("checkout", "--quiet", "main")
    work.commit(train__py="ours\n")
    subprocess.run(["git", "merge", "other"], cwd=work.root, capture_output=True)
    assert "<<<<<<<" in (work.root / "train.py").read_text()
    same_after_restore(capture, work, tmp_path)


def test_submodules_are_noted_with_their_commits_and_their_content_is_not_taken(
    capture: Capture, work: Work, tmp_path: Path
) -> None:
    library = Work(tmp_path / "library")
    commit = library.commit(lib__py="1\n")
    work.git("submodule", "add", "--quiet", str(library.root), "lib")
    work.commit()
    assert capture(work.root).environment["git"]["submodules"] == {"lib": commit}
    (work.root / "lib" / "lib.py").write_text("2\n")
    found = capture(work.root)
    assert (found.environment["git"]["submodules"], found.environment["git"]["dirty"]) == ({"lib": commit + "+"}, True)
    assert found.files == {}


# -- what git must not do ---------------------------------------------------------------------------------------------


def test_nothing_that_the_repository_or_its_configuration_names_is_run(
    capture: Capture, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$0 $@" >> {mark}\n')
    tool.chmod(0o755)
    for hook in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(tool, work.root / ".git" / "hooks" / hook)
    for name in (
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "diff.odd.textconv",
        "diff.odd.command",
        "pager.diff",
    ):
        work.git("config", name, str(tool))
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "PAGER"):
        monkeypatch.setenv(name, str(tool))
    work.write(".gitattributes", "*.py diff=odd\n")
    work.write("train.py", "changed\n")
    os.utime(work.root / "notes.txt", (1, 1))  # now the index needs a refresh
    index = (work.root / ".git" / "index").read_bytes()
    found = capture(work.root)
    assert b"+changed" in found.files["diff.patch"]
    assert not mark.exists(), mark.read_text()
    assert (work.root / ".git" / "index").read_bytes() == index


def test_settings_of_the_user_do_not_change_the_form_of_the_patch(
    capture: Capture, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = b""
    work.write("train.py", "changed\n")
    work.git("mv", "notes.txt", "moved.txt")
    plain = capture(work.root).files["diff.patch"]
    for name, value in {
        "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "diff.renames": "copies", "color.ui": "always",
        "diff.context": "0", "diff.relative": "true", "core.quotePath": "true", "diff.orderFile": str(tmp_path / "o"),
        "diff.wsErrorHighlight": "all", "diff.colorMoved": "zebra", "diff.interHunkContext": "10",
    }.items():  # fmt: skip
        work.git("config", name, value)
    (tmp_path / "o").write_text("train.py\nmoved.txt\n")
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=0")
    assert capture(work.root).files["diff.patch"] == plain


def test_variables_that_redirect_git_are_ignored(
    capture: Capture, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Work(tmp_path / "other")
    commit = work.git("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert capture(work.root).environment["git"]["commit"] == commit


# -- nothing to capture -----------------------------------------------------------------------------------------------


def test_without_a_repository_there_is_no_git(capture: Capture, tmp_path: Path) -> None:
    found = capture(tmp_path)
    assert "git" not in found.environment
    assert (found.files, found.left_out) == ({}, {})


def test_a_bare_repository_has_no_work_tree(capture: Capture, work: Work, tmp_path: Path) -> None:
    work.git("clone", "--quiet", "--bare", str(work.root), str(tmp_path / "bare"))
    for place in (tmp_path / "bare", work.root / ".git"):
        assert "git" not in capture(place).environment
        assert capture(place).left_out == {}


def test_a_working_directory_that_is_gone_has_no_repository(capture: Capture, tmp_path: Path) -> None:
    assert "git" not in capture(tmp_path / "gone", tmp_path / "gone" / "train.py").environment


def test_a_missing_git_is_noted_in_the_record(
    capture: Capture, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = capture(work.root)
    assert "git" not in found.environment
    assert "git cannot be started" in found.left_out["git"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_repository_that_git_refuses_for_its_owner_is_noted_in_the_record(capture: Capture, work: Work) -> None:
    os.chown(work.root, 54321, 54321)
    found = capture(work.root)
    assert "git" not in found.environment
    assert "dubious ownership" in found.left_out["git"]


def test_a_damaged_repository_is_noted_in_the_record(capture: Capture, work: Work) -> None:
    work.write("train.py", "changed\n")
    (work.root / ".git" / "index").write_bytes(b"no index")
    found = capture(work.root)
    assert found.environment["git"]["commit"]
    assert set(found.left_out) == {"git", "diff.patch", "untracked"}


def slow_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> Path:
    """Make a git that hangs, with a child that hangs, too, if one of its arguments is `when`."""
    real = shutil.which("git")
    folder = tmp_path / "bin"
    folder.mkdir()
    pid = tmp_path / "pid"
    script = f"""#!/bin/sh
for argument; do
    if [ "$argument" = "{when}" ]; then sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; wait; fi
done
exec {real} "$@"
"""
    (folder / "git").write_text(script)
    (folder / "git").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return pid


def test_a_slow_git_is_ended_with_its_children_and_earlier_results_are_kept(
    capture: Capture, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write("train.py", "changed\n")
    pid = slow_git(tmp_path, monkeypatch, "--binary")
    found = capture(work.root, seconds=3)
    assert found.environment["git"]["dirty"] is True
    assert found.left_out["diff.patch"] == "git took too long"
    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


# -- which repository -------------------------------------------------------------------------------------------------


def test_the_programs_own_repository_wins_over_that_of_the_working_directory(
    capture: Capture, work: Work, tmp_path: Path
) -> None:
    other = Work(tmp_path / "other")
    other.commit()
    found = capture(other.root, work.root / "train.py").environment["git"]
    assert (found["root"], found["program"]) == (str(work.root), "train.py")
    assert "cwd" not in found


def test_a_program_in_an_ignored_environment_does_not_choose_the_repository(
    capture: Capture, work: Work, tmp_path: Path
) -> None:
    tools = Work(tmp_path / "tools")
    tools.commit(__gitignore="versions/\n")
    installed = tools.write("versions/bin/torchrun", "#!/usr/bin/python\n")
    found = capture(work.root, installed).environment["git"]
    assert (found["root"], found["cwd"]) == (str(work.root), ".")
    assert "program" not in found


def test_the_first_remote_is_used_if_origin_is_missing(capture: Capture, work: Work) -> None:
    work.git("remote", "add", "upstream", "git@example.com:o/r.git")
    assert capture(work.root).environment["git"]["remote"] == "git@example.com:o/r.git"
    work.git("remote", "add", "origin", "/srv/r.git")
    assert capture(work.root).environment["git"]["remote"] == "/srv/r.git"


def test_disabled_parts_are_missing(capture: Capture, work: Work) -> None:
    work.write("train.py", "changed\n")
    work.write("new.py", "new\n")
    for settings in ({"disable_git": True}, {"disable_code": True}, {"capture": ["diff", "untracked"]}):
        found = capture(work.root, **settings)
        assert "git" not in found.environment
        assert found.files == {}
    assert set(capture(work.root, capture=["git"]).files) == set()
    assert set(capture(work.root, capture=["git", "diff"]).files) == {"diff.patch"}
    assert set(capture(work.root, capture=["git", "untracked"]).files) == {"untracked/new.py"}
    assert set(capture(work.root, capture_limit=0).files) == {"diff.patch"}
