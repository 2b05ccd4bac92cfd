from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.core.capture.repositories import Work
from tracker.capture import file_keeper

Keep = Callable[..., tuple[file_keeper.Keeper, dict[str, bytes]]]
Capture = Callable[..., Any]

TOKEN = "hf_" + "a1B2c3D4" * 5


def test_files_that_match_a_glob_stay_in_the_run_directory(keep: Keep, tmp_path: Path) -> None:
    keeper, files = keep(globs=("*.patch", "untracked/private/*"))
    for name in ("diff.patch", "untracked/private/a/b.txt", "untracked/public.txt"):
        keeper.keep(name, name.encode())
    assert files == {"untracked/public.txt": b"untracked/public.txt"}
    assert (keeper.names, keeper.local) == (["untracked/public.txt"], ["diff.patch", "untracked/private/a/b.txt"])
    assert (tmp_path / "run" / "local" / "diff.patch").read_bytes() == b"diff.patch"
    assert (tmp_path / "run" / "local" / "untracked" / "private" / "a" / "b.txt").exists()


def test_a_failing_disk_is_noted(tmp_path: Path) -> None:
    def full(name: str, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    keeper = file_keeper.Keeper(full, tmp_path, (), 1000, [])
    keeper.keep("a", b"1")
    assert (keeper.names, keeper.left_out) == ([], {"a": "[Errno 28] No space left on device"})


def test_large_files_links_and_folders_are_left_out(keep: Keep, tmp_path: Path) -> None:
    keeper, files = keep(limit=10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    (tmp_path / "fits").write_bytes(b"x" * 10)
    (tmp_path / "link").symlink_to(tmp_path / "fits")
    (tmp_path / "folder").mkdir()
    for name in ("large", "fits", "link", "folder", "missing"):
        keeper.keep_file(name, str(tmp_path / name))
    assert files == {"fits": b"x" * 10}
    assert keeper.left_out == {
        "large": "11 bytes, more than capture_limit",
        "link": "not a regular file",
        "folder": "not a regular file",
        "missing": "No such file or directory",
    }


def test_files_that_keep_or_hold_secrets_are_left_out_of_files_and_patches(
    capture: Capture, work: Work, tmp_path: Path
) -> None:
    for name in ("settings.py", "prod.env", "plain.py"):
        work.write(name, "a = 1\n")
    work.commit()
    work.write("settings.py", f"a = '{TOKEN}'\n")
    work.write("prod.env", "A=hunter2-hunter2\n")
    work.write("plain.py", "a = 2\n")
    work.write(".env", "B=hunter2-hunter2\n")
    work.write("sub/id_rsa", "hunter2-hunter2\n")
    work.write("notes.ipynb", f'{{"cells": ["{TOKEN}"]}}')
    found = capture(work.root)
    assert set(found.files) == {"diff.patch"}
    assert b"plain.py" in found.files["diff.patch"]
    everything = b"".join(found.files.values()) + repr(found.environment).encode()
    assert TOKEN.encode() not in everything
    assert b"hunter2" not in everything
    assert set(found.left_out) == {
        "diff.patch: settings.py",
        "diff.patch: prod.env",
        "untracked/.env",
        "untracked/sub/id_rsa",
        "untracked/notes.ipynb",
    }


def test_a_patch_of_only_secrets_is_left_out(capture: Capture, work: Work) -> None:
    work.write("train.py", f"a = '{TOKEN}'\n")
    found = capture(work.root)
    assert (found.files, found.environment["git"]["dirty"]) == ({}, True)


def test_of_many_untracked_files_source_code_comes_first_and_the_others_are_counted(
    capture: Capture, work: Work
) -> None:
    for i in range(file_keeper.MAX_FILES + 60):
        work.write(f"data/{i:04}.bin", b"x")
    work.write("z/new.py", "x" * 1000)
    found = capture(work.root)
    assert len(found.files) == file_keeper.MAX_FILES
    assert "untracked/z/new.py" in found.files
    assert len(found.left_out) == 51
    assert found.left_out["…"] == "11 more"


def test_untracked_files_are_limited_in_total(capture: Capture, work: Work) -> None:
    for i in range(12):
        work.write(f"{i:02}.bin", b"\0" * (1 << 20))
    found = capture(work.root)
    assert sum(map(len, found.files.values())) == file_keeper.MAX_TOTAL
    assert set(found.left_out) == {"untracked/10.bin", "untracked/11.bin"}


def test_inner_repositories_and_trackers_own_files_are_not_kept(capture: Capture, work: Work) -> None:
    Work(work.root / "inner").commit(a__py="1\n")
    work.write(".tracker/settings.toml", 'api_key = "x"\n')
    work.write("sub/.tracker/.gitignore", "runs/\n")
    found = capture(work.root)
    assert (found.files, found.left_out) == ({}, {"untracked/inner/": "a repository of its own"})


def test_ignored_files_are_not_kept(capture: Capture, work: Work) -> None:
    work.commit(__gitignore="*.log\ndata/\n")
    work.write("a.log", "x")
    work.write("data/a", "x")
    assert capture(work.root).files == {}


def test_a_home_directory_in_git_gives_no_untracked_files(capture: Capture, work: Work, monkeypatch: Any) -> None:
    work.write("private.txt", "x")
    work.git("config", "status.showUntrackedFiles", "no")
    assert capture(work.root).files == {}
    work.git("config", "--unset", "status.showUntrackedFiles")
    assert set(capture(work.root).files) == {"untracked/private.txt"}
    monkeypatch.setenv("HOME", str(work.root))
    assert capture(work.root).files == {}
