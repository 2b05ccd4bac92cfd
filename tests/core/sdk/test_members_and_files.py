from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually

Start = Any

# -- names, tags, notes ---------------------------------------------------------------------------------------------


def test_names_tags_and_notes_can_be_changed_and_are_on_disk_at_once() -> None:
    run = tracker.init(name="first", tags=["a"])
    run.name = "second"
    run.tags += ("b",)
    run.notes = "a remark"
    run.group = "g"
    run.job_type = 5  # type: ignore[assignment]
    found = tracker.read_run(run.dir)
    assert (found.name, found.tags, found.notes, found.group, found.job_type) == (
        "second",
        ["a", "b"],
        "a remark",
        "g",
        "5",
    )
    assert (run.name, run.tags, run.notes, run.group, run.job_type) == ("second", ("a", "b"), "a remark", "g", "5")
    run.notes = None
    run.tags = "single"  # type: ignore[assignment]
    assert tracker.read_run(run.dir).notes is None
    assert (run.notes, run.tags) == (None, ("single",))


def test_the_color_of_a_run_can_be_set() -> None:
    run = tracker.init(color="#d62728")
    assert (run.color, tracker.read_run(run.dir).color) == ("#d62728", "#d62728")
    run.color = "#00ff00"
    assert tracker.read_run(run.dir).color == "#00ff00"
    with pytest.raises(ValueError, match="#rrggbb"):
        run.color = "red"
    run.color = None
    assert (run.color, tracker.read_run(run.dir).color) == (None, None)
    with pytest.raises(tracker.SettingsError, match="#rrggbb"):
        tracker.init(color="#d6272", reinit="create_new")


def test_a_run_is_a_context_manager() -> None:
    with tracker.init() as run:
        run.log({"x": 1})
    assert run.finished
    assert tracker.run is None
    with pytest.raises(RuntimeError, match="mine"), tracker.init() as run:
        raise RuntimeError("mine")
    found = tracker.read_run(run.dir)
    assert (found.state, found.info["error"]) == ("failed", "RuntimeError: mine")


# -- files ----------------------------------------------------------------------------------------------------------


def saved(run: tracker.Run, count: int) -> dict[str, bytes]:
    """Return the saved files as a reader gets them, when an agent has noted their digests."""
    eventually(lambda: len(tracker.read_run(run.dir).files()) == count)
    found = {}
    for file in tracker.read_run(run.dir).files():
        path = file.download("downloads", replace=True)
        found[file.name] = path.read_bytes()
        assert file.size == len(found[file.name])
    return found


def write(path: str, content: bytes) -> Path:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def test_files_are_saved_by_path_and_by_glob_under_names_relative_to_the_working_directory() -> None:
    run = tracker.init()
    write("model.pt", b"weights")
    for i in range(2):
        write(f"ckpt/deep/{i}.bin", b"%d" % i)
    write("empty", b"")
    assert run.save("model.pt") == ["model.pt"]
    assert tracker.save("ckpt/**/*.bin") == ["ckpt/deep/0.bin", "ckpt/deep/1.bin"]
    assert run.save(Path("empty")) == ["empty"]
    expected = {"model.pt": b"weights", "ckpt/deep/0.bin": b"0", "ckpt/deep/1.bin": b"1", "empty": b""}
    assert saved(run, 4) == expected


def test_files_outside_the_working_directory_have_bare_names_without_a_base(tmp_path: Path) -> None:
    run = tracker.init()
    outside = write(str(tmp_path / "out" / "sub" / "x.txt"), b"x")
    assert run.save(outside) == ["x.txt"]
    assert run.save(outside, base_path=tmp_path / "out") == ["sub/x.txt"]
    assert saved(run, 2) == {"x.txt": b"x", "sub/x.txt": b"x"}


def test_files_of_a_glob_outside_are_named_by_their_paths_below_its_fixed_part(tmp_path: Path) -> None:
    run = tracker.init()
    for i in range(2):
        write(str(tmp_path / "out" / "ck" / str(i) / "model.pt"), b"%d" % i)
    assert run.save(tmp_path / "out" / "ck" / "*" / "model.pt") == ["0/model.pt", "1/model.pt"]
    assert run.save("../out/*/*/model.pt") == ["ck/0/model.pt", "ck/1/model.pt"]
    assert saved(run, 4)["1/model.pt"] == b"1"


def test_two_files_of_one_name_get_two_names(tmp_path: Path, warnings: Any) -> None:
    run = tracker.init()
    one, other = (write(str(tmp_path / "out" / name / "model.pt"), name.encode()) for name in "ab")
    for _ in range(2):
        assert run.save(one) == ["model.pt"]
        assert run.save(other) == ["b/model.pt"]
    assert run.save(tmp_path / "out" / "b" / "*.pt", base_path=tmp_path / "out" / "b") == ["b/model.pt"]
    assert saved(run, 2) == {"model.pt": b"a", "b/model.pt": b"b"}
    assert warnings() == [f"{other} is saved as b/model.pt, since model.pt stands for {one}"]


def test_files_of_one_name_in_two_working_directories_get_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tracker.init()
    for fold in "ab":
        write(f"fold-{fold}/model.pt", fold.encode())
    names = []
    for fold in "ab":
        with monkeypatch.context() as there:
            there.chdir(f"fold-{fold}")
            names += run.save("model.pt")
    assert names == ["model.pt", "fold-b/model.pt"]
    assert saved(run, 2) == {"model.pt": b"a", "fold-b/model.pt": b"b"}


def test_a_name_whose_file_is_gone_goes_to_the_new_file_with_a_warning(tmp_path: Path, warnings: Any) -> None:
    run = tracker.init()
    for folder in "ab":
        path = write(str(tmp_path / folder / "model.pt"), folder.encode())
        assert run.save(path) == ["model.pt"]
        shutil.rmtree(path.parent)
    eventually(lambda: saved(run, 1) == {"model.pt": b"b"})
    assert "the saved file model.pt is" in warnings()[0]


def test_a_link_is_saved_under_its_own_name_with_the_content_of_its_target(tmp_path: Path) -> None:
    run = tracker.init()
    for i in range(2):
        write(str(tmp_path / "scratch" / str(i) / "model.pt"), b"%d" % i)
        os.symlink(tmp_path / "scratch" / str(i), f"run{i}")
    write("epoch3.pt", b"three")
    os.symlink("epoch3.pt", "latest.pt")
    assert run.save("run*/model.pt") == ["run0/model.pt", "run1/model.pt"]
    assert run.save("latest.pt") == ["latest.pt"]
    assert saved(run, 3) == {"run0/model.pt": b"0", "run1/model.pt": b"1", "latest.pt": b"three"}


def test_a_working_directory_reached_through_a_link_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("ck/model.pt", b"x")
    os.symlink(os.getcwd(), tmp_path / "link")
    assert tracker.init().save(tmp_path / "link" / "ck" / "model.pt") == ["ck/model.pt"]


def test_brackets_in_the_name_of_the_working_directory_are_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[exp]/a.pt", b"x")
    monkeypatch.chdir("[exp]")
    run = tracker.init()
    assert [run.save("*.pt", policy=policy) for policy in ("now", "end")] == [["a.pt"]] * 2
    write("b.pt", b"y")
    run.finish()
    assert saved(run, 2) == {"a.pt": b"x", "b.pt": b"y"}


def test_a_tilde_in_a_path_or_base_is_the_home_directory() -> None:
    write(str(Path.home() / "ck" / "a.pt"), b"x")
    run = tracker.init()
    assert run.save("~/ck/a.pt") == ["a.pt"]
    assert run.save("~/ck/*.pt", base_path="~") == ["ck/a.pt"]


def test_a_file_deleted_or_replaced_after_save_is_kept_as_it_was() -> None:
    run = tracker.init()
    write("gone", b"gone").resolve()
    write("replaced", b"before")
    run.save("gone")
    run.save("replaced")
    os.unlink("gone")
    write("new", b"after").replace("replaced")
    assert saved(run, 2) == {"gone": b"gone", "replaced": b"before"}


def test_the_last_content_of_a_name_saved_twice_counts() -> None:
    run = tracker.init()
    for content in (b"one", b"two"):
        write(f"draft-{content.decode()}", content).replace("model.pt")
        run.save("model.pt")
    eventually(lambda: saved(run, 1) == {"model.pt": b"two"})


def test_an_existing_path_with_glob_characters_is_not_a_glob() -> None:
    run = tracker.init()
    write("model[1]*.pt", b"x")
    assert run.save("model[1]*.pt") == ["model[1]*.pt"]


def test_a_file_with_an_undecodable_name_is_saved() -> None:
    run = tracker.init()
    path = b"j\xfcrgen.pt"
    with open(path, "wb"):
        pass
    run.save(os.fsdecode(path))
    assert list(saved(run, 1)) == ["j?rgen.pt"]


def test_a_pattern_that_matches_no_file_is_reported_once(warnings: Any) -> None:
    run = tracker.init()
    Path("folder").mkdir()
    for _ in range(2):
        assert run.save("missing/*.pt") == []
    assert run.save("folder") == []
    first, second = warnings()
    assert "missing/*.pt" in first
    assert "'folder'" in second


def test_save_without_arguments_saves_nothing() -> None:
    assert tracker.init().save() == []


def test_a_file_that_cannot_be_saved_is_reported_and_training_continues(warnings: Any) -> None:
    run = tracker.init()
    write("model.pt", b"x")
    shutil.rmtree(Path(run.dir, "files"))
    assert run.save("model.pt") == []
    assert "training goes on without it" in warnings()[0]


@pytest.mark.parametrize("argument", [True, False])
def test_save_code_keeps_the_script(argument: bool) -> None:
    folder = Path("project")
    folder.mkdir()
    code = f"import tracker\nrun = tracker.init(save_code={argument}, id='s')\n"
    (folder / "train.py").write_text(code)
    subprocess.run([sys.executable, "project/train.py"], check=True)
    if argument:
        eventually(lambda: tracker.read_run(".tracker/runs/s").files())
        (file,) = tracker.read_run(".tracker/runs/s").files()
        assert (file.name, file.download("back").read_text()) == ("code/project/train.py", code)
    else:
        assert os.listdir(".tracker/runs/s/files") == []


# -- alerts ---------------------------------------------------------------------------------------------------------


def test_an_alert_is_stored_and_repeats_of_its_title_are_dropped_for_a_while(start: Start) -> None:
    run = start(settings={"alert_interval": 3600})
    for text in ("first", "second"):
        run.alert("loss is NaN", text, "warn")
    run.alert("t" * 300, "x" * 3000)
    found = tracker.read_run(run.dir).alerts()
    assert [(a["title"], a["text"], a["level"]) for a in found] == [
        ("loss is NaN", "first", "warn"),
        ("t" * 200, "x" * 2000, "info"),
    ]
    often = start(settings={"alert_interval": 0})
    for _ in range(3):
        often.alert("again")
    assert len(tracker.read_run(often.dir).alerts()) == 3


def test_an_alert_of_an_unknown_level_is_refused(start: Start) -> None:
    with pytest.raises(ValueError, match="info, warn, error"):
        start().alert("x", level="fatal")


def test_mark_preempting_makes_the_state_preempted_unless_the_run_ends_well(start: Start) -> None:
    killed, well = start(), start()
    for run in (killed, well):
        run.mark_preempting()
        assert tracker.read_run(run.dir).state == "running"
    killed.finish(1)
    well.finish()
    assert [tracker.read_run(run.dir).state for run in (killed, well)] == ["preempted", "finished"]
