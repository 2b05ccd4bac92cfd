from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.runlog.directory import this_process
from tracker.runlog.reader import read_rows
from tracker.runlog.records import Parsed, Rows, encode, jsonable

ROWS = [
    {"loss": 0.5, "epoch": 0},
    {"loss": math.nan},
    {"acc": 10**30, "text": "x"},
    {"loss": -math.inf, "epoch": 1, "list": [1, None]},
    {},
]


def header(**members: Any) -> dict[str, Any]:
    return {"version": 1, "id": "a1", "entity": "me", "project": "p", "name": "first", **members}


def write(directory: Path, stream: str, *records: tuple[Any, ...]) -> Path:
    """`records`: kind, payload, time, and step of rows."""
    directory.mkdir(exist_ok=True)
    path = directory / stream
    path.write_bytes(b"".join(encode(kind, jsonable(payload), *rest) for kind, payload, *rest in records))
    return path


def logged(directory: Path, **members: Any) -> Path:
    rows = [("log", row, 10.0 + i, i) for i, row in enumerate(ROWS)]
    write(directory, "history.jsonl", ("run", header(**members), 9.0), *rows, ("finish", {"state": "finished"}, 20.0))
    return directory


def same(found: Any, expected: Any) -> bool:
    return repr(found) == repr(expected)


# -- reading rows ---------------------------------------------------------------------------------------------------


def test_scan_history_yields_every_row_exactly_as_it_was_logged(tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r"))
    expected = [{"_step": i, "_timestamp": 10.0 + i, "_runtime": 1.0 + i, **row} for i, row in enumerate(ROWS)]  # type: ignore[dict-item]
    assert same(list(run.scan_history()), expected)


def test_keys_select_rows_that_have_one_of_them(tmp_path: Path) -> None:
    rows = list(tracker.read_run(logged(tmp_path / "r")).scan_history(["epoch", "acc"]))
    assert [{k: v for k, v in row.items() if k not in ("_timestamp", "_runtime")} for row in rows] == [
        {"_step": 0, "epoch": 0},
        {"_step": 2, "acc": 10**30},
        {"_step": 3, "epoch": 1},
    ]


def test_keys_are_all_names_that_were_logged(tmp_path: Path) -> None:
    assert tracker.read_run(logged(tmp_path / "r")).keys() == ["acc", "epoch", "list", "loss", "text"]


def test_rows_of_several_processes_are_in_order_of_streams(tmp_path: Path) -> None:
    directory = tmp_path / "r"
    write(directory, "history-b.jsonl", ("run", header(), 1.0), ("log", {"x": 1}, 2.0, 0), ("log", {"x": 2}, 9.0, 1))
    write(directory, "history-a.jsonl", ("run", header(), 5.0), ("log", {"x": 3}, 6.0, 0))
    assert [row["x"] for row in tracker.read_run(directory).scan_history()] == [1, 2, 3]


def test_history_is_a_data_frame_with_every_row(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    run = tracker.read_run(logged(tmp_path / "r"))
    frame = run.history()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["_step"]) == [0, 1, 2, 3, 4]
    assert frame["loss"][0] == 0.5
    assert frame["epoch"].isna().tolist() == [False, True, True, False, True]
    assert len(run.history(keys=["epoch"])) == 2


def test_history_as_rows_needs_no_pandas(tmp_path: Path) -> None:
    directory = logged(tmp_path / "r")
    code = (
        f"import sys; sys.modules['pandas'] = None\nimport tracker\nrun = tracker.read_run({str(directory)!r})\n"
        "assert len(run.history(pandas=False)) == 5\n"
        "try:\n    run.history()\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pandas=False" in done.stdout


def test_history_in_samples_keeps_a_spike(tmp_path: Path) -> None:
    values = [1.0] * 10_000
    values[5432] = 1e6
    values[77] = -1e6
    rows = [("log", {"x": v}, 2.0, i) for i, v in enumerate(values)]
    directory = tmp_path / "r"
    write(directory, "history.jsonl", ("run", header(), 1.0), *rows)
    found: Any = tracker.read_run(directory).history(["x"], samples=100, pandas=False)
    assert len(found) == 100
    assert max(row["x.max"] for row in found) == 1e6
    assert min(row["x.min"] for row in found) == -1e6
    assert sum(row["x"] for row in found) == pytest.approx(sum(values) / 100)


@pytest.mark.parametrize("samples", [0, -1, 10_001])
def test_samples_out_of_range_are_refused(samples: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from 1 to 10,000"):
        tracker.read_run(logged(tmp_path / "r")).history(samples=samples)


def test_keys_that_are_one_text_are_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"\['loss'\]"):
        tracker.read_run(logged(tmp_path / "r")).history("loss")


def test_console_and_system_metrics_are_read_from_their_streams(tmp_path: Path) -> None:
    directory = logged(tmp_path / "r")
    write(directory, "console-a.jsonl", ("run", header(), 9.0), ("console", {"stream": "stdout", "text": "hi"}, 10.0))
    write(directory, "system-a.jsonl", ("run", header(), 9.0), ("system", {"cpu": 0.5}, 12.0))
    run = tracker.read_run(directory)
    assert list(run.console()) == [{"time": 10.0, "stream": "stdout", "text": "hi"}]
    assert run.keys("system") == ["cpu"]
    assert run.system_history(pandas=False) == [{"_timestamp": 12.0, "_runtime": 3.0, "cpu": 0.5}]


# -- metadata -------------------------------------------------------------------------------------------------------


def test_a_run_has_its_metadata(tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r", tags=["t"], host="h", program="p.py"))
    assert (run.id, run.entity, run.project, run.path, run.name) == ("a1", "me", "p", "me/p/a1", "first")
    assert (run.state, run.tags, run.group, run.info["rows"]) == ("finished", ["t"], None, 5)
    assert (run.info["created"], run.info["updated"], run.info["host"]) == (9.0, 20.0, "h")
    assert repr(run) == "<run me/p/a1 'first' finished>"


def test_a_live_run_is_read_up_to_its_last_row(tmp_path: Path) -> None:
    directory = tmp_path / "r"
    path = write(directory, "history.jsonl", ("run", header(**this_process()), 1.0), ("log", {"x": 1}, 2.0, 0))
    run = tracker.read_run(directory)
    assert (run.state, run.info["rows"]) == ("running", 1)
    line = encode("log", {"x": 2}, 3.0, 1)
    with path.open("ab") as file:
        file.write(line[:20])
        file.flush()
        run.reload()
        assert (run.info["rows"], run.info["corrupt"]) == (1, 0)
        file.write(line[20:])
    run.reload()
    assert run.info["rows"] == 2


def test_a_run_whose_process_is_gone_from_this_machine_is_crashed(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    gone = {**this_process(), "pid": child.pid, "pid_start": 1}
    directory = tmp_path / "r"
    write(directory, "history.jsonl", ("run", header(**gone), 1.0))
    assert tracker.read_run(directory).state == "crashed"
    reused = {**this_process(), "pid_start": 1}  # the pid belongs to another process now
    write(directory, "history.jsonl", ("run", header(**reused), 1.0))
    assert tracker.read_run(directory).state == "crashed"
    elsewhere = {**gone, "host": "elsewhere"}
    write(directory, "history.jsonl", ("run", header(**elsewhere), 1.0))
    assert tracker.read_run(directory).state == "running"
    odd = {**this_process(), "pid": "12", "pid_start": None}
    write(directory, "history.jsonl", ("run", header(**odd), 1.0))
    assert tracker.read_run(directory).state == "running"


def test_all_readable_lines_of_a_damaged_run_are_read_and_the_others_counted(tmp_path: Path) -> None:
    path = logged(tmp_path / "r") / "history.jsonl"
    content = bytearray(path.read_bytes())
    lines = content.split(b"\n")
    content[len(lines[0]) + 1 + len(lines[1]) + 1 + 30] ^= 4  # in the second row
    path.write_bytes(content + b'{"c":"torn')
    run = tracker.read_run(tmp_path / "r")
    assert [row["_step"] for row in run.scan_history()] == [0, 2, 3, 4]
    assert (run.state, run.info["corrupt"], run.info["rows"]) == ("finished", 1, 4)


def test_a_run_whose_clock_went_back_still_ends(tmp_path: Path) -> None:
    directory = tmp_path / "r"
    write(
        directory,
        "history.jsonl",
        ("run", header(), 100.0),
        ("log", {}, 101.0, 0),
        ("finish", {"state": "failed"}, 50.0),
    )
    assert tracker.read_run(directory).state == "failed"


def test_a_directory_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(tracker.NotARun, match="not a directory"):
        tracker.read_run(tmp_path / "missing")


# -- changes --------------------------------------------------------------------------------------------------------


def test_changes_are_stored_and_visible_to_later_readers(tmp_path: Path) -> None:
    directory = logged(tmp_path / "r", tags=["t"])
    run, other = tracker.read_run(directory), tracker.read_run(directory)
    run.config["lr"] = math.nan
    run.summary["acc"] = 0.9
    run.name, run.notes = "second", "checked"
    run.tags.append("best")
    run.update()
    assert other.name == "first"
    other.reload()
    for one in (run, other):
        assert (one.name, one.notes, one.tags, one.summary["acc"]) == ("second", "checked", ["t", "best"], 0.9)
        assert math.isnan(one.config["lr"])
        assert one.state == "finished"
    assert [row["_step"] for row in run.scan_history()] == [0, 1, 2, 3, 4]


def test_changes_of_config_and_summary_are_stored_at_once(tmp_path: Path) -> None:
    directory = logged(tmp_path / "r")
    run = tracker.read_run(directory)
    before = dict(run.config)
    run.summary.update({"acc": 0.9, "nan": math.nan}, loss=(1, 2))
    run.config["net"] = {"depth": 3, 4: [None]}
    run.config.setdefault("seed", 7)
    run.config |= {"more": True}
    run.summary.update({})
    again = tracker.read_run(directory)
    assert again.config == run.config == {**before, "net": {"depth": 3, "4": [None]}, "seed": 7, "more": True}
    assert (again.summary["acc"], again.summary["loss"], run.summary["loss"]) == (0.9, [1, 2], [1, 2])
    assert math.isnan(again.summary["nan"])
    assert again.state == "finished"
    edits = len([name for name in os.listdir(directory) if name.startswith("edits")])
    assert edits == 4
    run.update()  # there is nothing more to keep
    assert len([name for name in os.listdir(directory) if name.startswith("edits")]) == edits


def test_values_that_cannot_be_stored_are_refused_and_the_object_stays_unchanged(tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r"))
    for value in (object(), {"a": {1, 2}}, b"x"):
        with pytest.raises(TypeError, match="can be added"):
            run.config["odd"] = value
    with pytest.raises(ValueError, match="shorter than 8 MiB"):
        run.config["odd"] = "x" * (9 << 20)
    assert "odd" not in run.config
    assert os.listdir(tmp_path / "r") == ["history.jsonl"]


def test_copies_of_config_and_summary_do_not_change_the_run(tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r"))
    for copied in (copy.copy(run.config), copy.deepcopy(run.config), run.config.copy(), {**run.config}):
        assert type(copied) is dict
        assert copied == run.config
        copied["x"] = 1
    assert json.loads(json.dumps(run.config)) == run.config
    assert os.listdir(tmp_path / "r") == ["history.jsonl"]


def test_reserved_names_are_not_added(tmp_path: Path) -> None:
    directory = logged(tmp_path / "r")
    run = tracker.read_run(directory)
    for row in list(run.scan_history())[:2]:  # as scripts that copy rows do
        run.log({**row, "copied": 1})
    *_, last = tracker.read_run(directory).scan_history()
    assert last["copied"] == 1
    assert last["_step"] > 1


def test_without_changes_nothing_is_written(tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r"))
    run.update()
    assert os.listdir(tmp_path / "r") == ["history.jsonl"]


def test_one_true_and_one_point_zero_are_different_values(tmp_path: Path) -> None:
    directory = logged(tmp_path / "r")
    run = tracker.read_run(directory)
    for value in (1, True, 1.0, 1):
        run.config["flag"] = value
        run.update()
        assert same(tracker.read_run(directory).config["flag"], value)


def test_members_cannot_be_removed(tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r"))
    del run.summary["epoch"]
    with pytest.raises(ValueError, match=r"epoch: .* not removed"):
        run.update()


# -- files ----------------------------------------------------------------------------------------------------------


CONTENT = hashlib.sha256(b"content").hexdigest()


def with_file(directory: Path, name: str, path: str = "files/save-1") -> Path:
    logged(directory)
    write(
        directory, "system-a.jsonl", ("run", header(), 9.0),
        ("file", {"name": name, "digest": CONTENT, "size": 7, "path": path}, 10.0),
    )  # fmt: skip
    (directory / "files").mkdir(exist_ok=True)
    (directory / "files" / "save-1").write_bytes(b"content")
    return directory


def test_a_file_is_downloaded_under_its_name(tmp_path: Path) -> None:
    run = tracker.read_run(with_file(tmp_path / "r", "ckpt/best.pt"))
    file = run.file("ckpt/best.pt")
    assert (file.name, file.size, file.digest, repr(file)) == (
        "ckpt/best.pt",
        7,
        CONTENT,
        "File('ckpt/best.pt', 7 bytes)",
    )
    path = file.download(tmp_path / "out")
    assert path == tmp_path / "out" / "ckpt" / "best.pt"
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["best.pt"]
    with pytest.raises(FileExistsError, match="replace=True"):
        file.download(tmp_path / "out")
    assert file.download(tmp_path / "out", replace=True) == path
    assert file.target(tmp_path / "out") == path
    assert file.is_at(path)
    assert not file.is_at(tmp_path / "elsewhere")


def test_a_file_that_was_changed_in_place_is_not_returned_as_the_saved_one(tmp_path: Path) -> None:
    file = tracker.read_run(with_file(tmp_path / "r", "best.pt")).file("best.pt")
    source = tmp_path / "r" / "files" / "save-1"
    source.write_bytes(b"content and more")  # the first bytes are the saved ones
    assert file.download(tmp_path / "out").read_bytes() == b"content"
    for content in (b"CONTENT", b"cont"):
        source.write_bytes(content)
        with pytest.raises(tracker.TrackerError, match="changed or damaged"):
            file.download(tmp_path / "other")
    assert os.listdir(tmp_path / "other") == []


def test_a_missing_file_is_an_error_that_lists_the_files(tmp_path: Path) -> None:
    run = tracker.read_run(with_file(tmp_path / "r", "best.pt"))
    with pytest.raises(KeyError, match=r"no file 'last.pt'; it has: best\.pt"):
        run.file("last.pt")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..", "", ".", "link/evil"])
def test_a_name_that_leads_out_of_the_target_is_refused(name: str, tmp_path: Path) -> None:
    run = tracker.read_run(with_file(tmp_path / "r", name))
    target = tmp_path / "out"
    target.mkdir()
    (target / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="leads out"):
        run.files()[0].download(target)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "files/../../secret", "history.jsonl"])
def test_a_record_that_names_a_file_outside_files_is_not_followed(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    run = tracker.read_run(with_file(tmp_path / "r", "x", path))
    with pytest.raises(FileNotFoundError):
        run.files()[0].download(tmp_path / "out")


def test_added_rows_come_after_the_runs_own_and_do_not_change_its_state(tmp_path: Path) -> None:
    logged(tmp_path / "r")
    before = tracker.read_run(tmp_path / "r")
    run = tracker.read_run(tmp_path / "r")
    for value in (1, math.inf):
        run.log({"late": value, "words": ["a", "b"]})
    run.log({"late": 3}, step=2)
    run.log({"late": 4})
    run.reload()
    rows = [(row["_step"], row["late"]) for row in run.scan_history(["late"])]
    assert rows == [(5, 1), (6, math.inf), (2, 3), (3, 4)]
    assert len(list((tmp_path / "r").glob("history-*"))) == 1
    assert (run.state, run.info["updated"], run.info["created"]) == (before.state, 20.0, 9.0)
    assert run.summary["late"] == 4


@pytest.mark.parametrize("state", ["crashed", "failed"])
def test_adding_rows_to_a_failed_run_does_not_make_it_finished(state: str, tmp_path: Path) -> None:
    write(tmp_path / "r", "history.jsonl", ("run", header(), 9.0), ("finish", {"state": state}, 20.0))
    run = tracker.read_run(tmp_path / "r")
    run.log({"x": 1})
    run.reload()
    assert (run.state, run.info["rows"]) == (state, 1)


@pytest.mark.parametrize("data", [{"x": object()}, {"x": [object()]}, [1], "x"])
def test_rows_that_cannot_be_added_are_refused_and_nothing_is_written(data: Any, tmp_path: Path) -> None:
    run = tracker.read_run(logged(tmp_path / "r"))
    with pytest.raises(TypeError):
        run.log(data)
    assert len(list((tmp_path / "r").iterdir())) == 1


def test_samples_are_the_same_whether_the_run_has_grown_since_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "r" / "history.jsonl"
    path.parent.mkdir()
    rows = b"".join(encode("log", {"a": step % 7, "b": 1.0}, 1.0, step) for step in range(300))
    path.write_bytes(encode("run", {"version": 1, "id": "r"}, 1.0) + rows)
    run = tracker.read_run(path.parent)
    before = run.history(samples=10, pandas=False)
    with path.open("ab") as file:
        file.write(encode("alive", {}, 2.0))
    assert run.history(samples=10, pandas=False) == before
    assert len(before) == 10
    with path.open("ab") as file:
        file.write(encode("log", {"a": 100.0}, 2.0, 1000))
    grown = run.history(samples=10, pandas=False)
    assert max(row.get("a.max", row.get("a", 0)) for row in grown) == 100  # type: ignore[type-var]
    assert grown == tracker.read_run(path.parent).history(samples=10, pandas=False)


_ODD_ROWS: list[tuple[dict[str, Any], int]] = [
    ({"a": math.nan, "b": math.inf}, 5),
    ({"b": -math.inf, "a": 1}, 5),
    ({"a": True, "b": None, "c": "text"}, 6),
    ({"a": [1, 2], "c": {"_type": "text", "value": "x"}}, 2),
    ({"a": 10**30, "b": 10**400}, 3000),
    ({"_step": 7, "_runtime": 1.0, "a": -2.5}, -10),
    ({}, 4),
    ({"a": sys.float_info.max}, 5000),
    ({"a": sys.float_info.max}, 5000),
    ({"rare": 1.5, "b": -0.0}, 1500),
]


@pytest.mark.parametrize("every", [1, 7, 400, 10_000])
@pytest.mark.parametrize("restarted", [False, True])
def test_reading_by_column_gives_the_same_as_reading_by_row(every: int, restarted: bool, tmp_path: Path) -> None:
    rows: list[tuple[dict[str, Any], int]] = []
    for i in range(4000):
        rows.append(({"a": i % 97 / 8, "b": i % 11, "c": -i}, i % 1500 if restarted else i))
        if i % every == every - 1:
            rows.append(_ODD_ROWS[i // every % len(_ODD_ROWS)])
    lines = [("log", row, 10.0 + i % 50, step) for i, (row, step) in enumerate(rows)]
    unknown: tuple[str, Any, float] = ("unknown", {}, 1.0)
    # Some lines of another kind make the reader read all blocks record by record.
    parts = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    mixed = [line for part in parts for line in [*part, unknown]]
    write(tmp_path / "columns", "history.jsonl", ("run", header(), 9.0), *lines, *[unknown] * len(parts))
    write(tmp_path / "records", "history.jsonl", ("run", header(), 9.0), *mixed)
    kinds = [{type(block) for block in read_rows(tmp_path / name / "history.jsonl")} for name in ("columns", "records")]
    assert kinds == [{Rows, Parsed}, {Parsed}]
    one, other = (tracker.read_run(tmp_path / name) for name in ("columns", "records"))
    assert same(one.info, other.info)
    assert same(one.summary, other.summary)
    for samples in (1, 100, 10_000):
        assert same(one.history(samples=samples, pandas=False), other.history(samples=samples, pandas=False))
    assert same(
        one.history(["a", "rare", "_step"], samples=50, pandas=False),
        other.history(["a", "rare", "_step"], samples=50, pandas=False),
    )
    drawn = one.history(["a"], samples=100, pandas=False)
    numbers = [
        row["a"]
        for row in one.scan_history(["a"])
        if type(row["a"]) in (int, float) and abs(row["a"]) <= sys.float_info.max
    ]
    assert min(row["a.min"] for row in drawn if row["a.min"] == row["a.min"]) == min(numbers)  # type: ignore[index]
    assert max(row["a.max"] for row in drawn if row["a.max"] == row["a.max"]) == max(numbers)  # type: ignore[index]
