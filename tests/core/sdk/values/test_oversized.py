"""Test that values too large for a line become files of the run, and leave other values alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tracker

pytestmark = pytest.mark.usefixtures("no_agents")

MIB = 1024 * 1024
HUGE = "x" * (9 * MIB)


def content(run: Any, value: dict[str, Any], tmp_path: Path) -> Any:
    """Return the content of a member that became a file, from the files of the run."""
    path = run.file(value["name"]).download(tmp_path / "content")
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) == value["size"]
    return text if value["format"] == "txt" else json.loads(text)


def test_a_huge_member_of_a_config_becomes_a_file_and_the_others_stay(tmp_path: Path, warnings: Any) -> None:
    vocabulary = {f"token {i}": i for i in range(500_000)}
    config = {"lr": 0.1, "text": HUGE, "model": {"depth": 5, "vocabulary": vocabulary}, "last": 1}
    run = tracker.init(config=config)
    assert run.config["model"]["vocabulary"]["token 7"] == 7  # here it is complete
    found = tracker.read_run(run.dir)
    assert (found.config["lr"], found.config["last"], found.config["model"]["depth"]) == (0.1, 1, 5)
    text, aside = found.config["text"], found.config["model"]["vocabulary"]
    assert text["_type"] == aside["_type"] == "file"
    assert (text["name"], aside["name"]) == ("oversized/config/text.txt", "oversized/config/model/vocabulary.json")
    assert content(found, text, tmp_path) == HUGE
    assert content(found, aside, tmp_path) == vocabulary
    assert found.info["lost"] == found.info["corrupt"] == run.dropped == 0
    (warning,) = warnings()
    assert "oversized/config/model/vocabulary.json" in warning


def test_many_members_that_are_too_long_together_are_several_records() -> None:
    members = {f"{i:05} {'n' * 200}": i for i in range(45_000)}
    run = tracker.init(config={"lr": 0.1, **members})
    run.summary.update(members)
    found = tracker.read_run(run.dir)
    assert found.config == {"lr": 0.1, **members}
    assert found.summary == members
    assert found.info["lost"] == found.info["corrupt"] == 0
    assert found.files() == []


def test_a_huge_value_affects_no_other_value_of_its_row(rows: Any, warnings: Any) -> None:
    run = tracker.init()
    for step in range(2):
        run.log({"loss": step, "text": HUGE, "list": [HUGE], "nested": {"text": HUGE + "y"}})
    run.log({"loss": 2})
    found = rows(run)
    assert [(row["_step"], row["loss"]) for row in found] == [(0, 0), (1, 1), (2, 2)]
    for name in ("text", "list", "nested/text"):
        value = found[0][name]
        assert value["_type"] == "file"
        assert Path(run.dir, "files", value["digest"]).stat().st_size == value["size"]
    assert run.summary["loss"] == 2
    assert tracker.read_run(run.dir).info["lost"] == run.dropped == 0
    assert len(warnings()) == 1


def test_a_row_with_too_many_small_values_is_several_rows_of_one_step(rows: Any) -> None:
    run = tracker.init()
    members = {f"{i:05} {'n' * 200}": i for i in range(45_000)}
    run.log(members, step=7)
    found = rows(run)
    assert {row.pop("_step") for row in found} == {7}
    assert {k: v for row in found for k, v in row.items()} == members


def test_a_huge_value_of_a_summary_is_a_file(tmp_path: Path) -> None:
    run = tracker.init()
    run.summary.update({"acc": 1, "text": HUGE})
    found = tracker.read_run(run.dir)
    assert found.summary["acc"] == 1
    assert content(found, found.summary["text"], tmp_path) == HUGE


@pytest.mark.parametrize("at_once", [True, False])
def test_huge_notes_become_a_file_and_their_beginning_stays(at_once: bool) -> None:
    run = tracker.init(notes=HUGE if at_once else None, tags=["a"])
    if not at_once:
        run.notes = HUGE
    run.log({"x": 1})
    found = tracker.read_run(run.dir)
    assert found.info["corrupt"] == found.info["lost"] == 0
    assert (found.name, found.tags, found.summary) == (run.name, ["a"], {"x": 1})
    assert found.notes is not None
    assert found.notes.startswith("x" * 10_000)
    assert found.notes.endswith("the whole is the file oversized/meta/notes.txt)")
    assert found.file("oversized/meta/notes.txt").size == len(HUGE)


def test_names_of_files_are_safe_and_do_not_clash(tmp_path: Path) -> None:
    run = tracker.init(config={"../../up": HUGE, "a b": HUGE + "1", "a:b": HUGE + "2", "": HUGE + "3"})
    found = tracker.read_run(run.dir)
    names = {value["name"] for value in found.config.values()}
    assert len(names) == 4
    assert not any(".." in name or "//" in name for name in names)
    assert content(found, found.config["a:b"], tmp_path) == HUGE + "2"


def test_a_newer_huge_value_replaces_the_former_file(tmp_path: Path) -> None:
    run = tracker.init(config={"text": HUGE})
    run.config["text"] = HUGE + "new"
    found = tracker.read_run(run.dir)
    assert len(found.files()) == 1
    assert content(found, found.config["text"], tmp_path) == HUGE + "new"


def test_values_that_cannot_be_stored_as_files_are_counted(
    monkeypatch: pytest.MonkeyPatch, rows: Any, warnings: Any
) -> None:
    run = tracker.init()
    (Path(run.dir) / "files").rmdir()
    (Path(run.dir) / "files").write_text("no folder")
    run.log({"loss": 1, "text": HUGE})
    run.define_metric("m" * (9 * MIB))
    (row,) = rows(run)
    assert row["loss"] == 1
    assert row["text"] == f"<lost: {len(HUGE):,} bytes>"
    assert tracker.read_run(run.dir).info["lost"] == run.dropped == 2
    assert "could not be kept as a file" in warnings()[0]


def test_rows_after_the_end_are_counted_in_the_run(rows: Any) -> None:
    run = tracker.init()
    run.log({"x": 1})
    run.finish()
    for _ in range(8):
        run.log({"x": 2})
    found = tracker.read_run(run.dir)
    assert (found.state, found.info["lost"], found.info["corrupt"], run.dropped) == ("finished", 8, 0, 8)
    assert len(rows(run)) == 1
