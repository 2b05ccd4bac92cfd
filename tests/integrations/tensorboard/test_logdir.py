from __future__ import annotations

import os
from pathlib import Path

from tracker_tensorboard.logdir import ALL, Selection, find_runs, run_id, run_name

NAME = "events.out.tfevents.1700000000.host"


def touch(*paths: str) -> Path:
    for path in paths:
        Path("logs", path).parent.mkdir(parents=True, exist_ok=True)
        Path("logs", path).write_bytes(b"x")
    return Path("logs")


def found(logdir: Path, **options: object) -> dict[str, list[str]]:
    return {run.path: [file.name for file in run.files] for run in find_runs(logdir, **options).runs}  # type: ignore[arg-type]


def test_a_directory_that_directly_holds_event_files_is_a_run() -> None:
    logdir = touch(NAME, f"a/{NAME}", f"a/b/c/{NAME}", "d/notes.txt", "e/tfevents", f"e/{NAME}.v2")
    assert found(logdir) == {".": [NAME], "a": [NAME], "a/b/c": [NAME], "e": [f"{NAME}.v2", "tfevents"]}


def test_files_that_only_look_like_event_files_are_skipped_with_a_reason() -> None:
    decoys = [f"{NAME}{end}" for end in (".meta", ".bak", ".profile-empty", ".gz", ".sagemaker-uploaded", ".swp")]
    logdir = touch(f"a/{NAME}", *(f"a/{name}" for name in decoys), f"{NAME}/notes.txt")
    os.mkfifo("logs/a/pipe.tfevents")
    Path("logs/a/gone.tfevents").symlink_to("nowhere")
    assert found(logdir) == {"a": [NAME]}
    skipped = dict(find_runs(logdir).skipped)
    assert set(skipped) == {*(f"a/{name}" for name in decoys), NAME, "a/pipe.tfevents", "a/gone.tfevents"}
    assert "compressed" in skipped[f"a/{NAME}.gz"]
    assert "directory" in skipped[NAME]


def test_a_directory_named_like_an_event_file_is_a_run_if_it_has_event_files() -> None:
    logdir = touch("tfevents/tfevents")
    assert found(logdir) == {"tfevents": ["tfevents"]}
    assert find_runs(logdir).skipped == []


def test_links_are_followed_but_not_in_circles() -> None:
    logdir = touch(f"a/{NAME}")
    Path("logs/a/round").symlink_to("..")
    Path("logs/b").symlink_to("a")
    assert found(logdir) == {"a": [NAME], "b": [NAME]}


def test_globs_on_paths_select_runs() -> None:
    logdir = touch(*(f"{path}/{NAME}" for path in ("a/train", "a/val", "b/train")))
    assert set(found(logdir, selection=Selection(include=["a/*", "*/train"]))) == {"a/train", "a/val", "b/train"}
    assert set(found(logdir, selection=Selection(include=["a/*"], exclude=["*val"]))) == {"a/train"}


def test_run_directories_inside_a_log_directory_are_ignored() -> None:
    assert found(touch(f".tracker/runs/{NAME}", f"a/{NAME}")) == {"a": [NAME]}


def test_all_directories_can_make_one_run() -> None:
    logdir = touch(NAME, f"train/{NAME}")
    assert found(logdir, single=True) == {ALL: [NAME, f"train/{NAME}"]}


def test_an_unreadable_directory_is_reported_and_does_not_affect_others() -> None:
    assert find_runs(Path("nowhere")).skipped[0].path == "."
    assert found(touch(f"a/{NAME}")) == {"a": [NAME]}


def test_names_that_are_not_utf_8_are_shown_with_replacements() -> None:
    os.makedirs(b"logs/\xff")
    Path(os.fsdecode(b"logs/\xff/tfevents.bak")).write_bytes(b"")
    Path(os.fsdecode(b"logs/\xff/tfevents")).write_bytes(b"")
    (run,) = find_runs(Path("logs")).runs
    assert run_name("/x/logs", run.path) == "\ufffd"
    assert len(run_id("/x/logs", run.path)) == 16
    assert find_runs(Path("logs")).skipped[0].path == "\ufffd/tfevents.bak"


def test_the_same_path_of_the_same_identity_has_the_same_id() -> None:
    ids = {run_id(identity, path) for identity in ("/a", "/b") for path in (".", "x", "x/y")}
    assert len(ids) == 6
    assert run_id("/a", "x") == "cfwagc3kf4guvx44"  # the id must never change
    assert all(len(one) == 16 and set(one) <= set("abcdefghijklmnopqrstuvwxyz234567") for one in ids)


def test_runs_are_named_by_their_path_and_the_log_directory_by_its_name() -> None:
    assert run_name("/data/logs", "a/b") == "a/b"
    assert run_name("/data/logs/", ".") == "logs"
    assert run_name("team", ".") == "team"
    assert (run_name("/data/logs", ".", "mine"), run_name("/data/logs", "a", "mine")) == ("mine", "mine/a")
