"""Test views of runs with values of TensorBoard event files, from their directory and from a server."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.agent.sync import sync
from tracker.client import connect
from tracker.random_names import random_id
from tracker.runlog.records import encode, encode_points
from tracker.settings import Settings

Point = tuple[str, int, float, float]
"""Tag, step, time, value."""
Reader = Callable[[Path], Any]


class Directory:
    """A run directory whose streams the test writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self._head = {"version": 1, "id": random_id(), "entity": "me", "project": "restarts"}

    def event_file(self, name: str, *parts: list[Point] | int, version: float | None = 2.0) -> Directory:
        """Add the stream of an event file: points, and the steps at which sessions start."""
        suffix = f"tb_{len(list(self.path.iterdir()))}"
        first = next((points[0][2] for points in parts if isinstance(points, list)), 0.0)
        lines = [encode("run", {**self._head, "event_file": {"name": name, "version": version}}, first)]
        rows = 0
        for part in parts:
            if isinstance(part, int):
                lines.append(encode("session", {"status": "start", "row": rows, "step": part}, first))
                continue
            tags = sorted({point[0] for point in part})
            _, steps, times, values = (list(column) for column in zip(*part, strict=True))
            lines.append(encode_points(tags, [tags.index(point[0]) for point in part], times, steps, values))
            rows += len(part)
        lines.append(encode("source", {"offset": 1000}, first))
        (self.path / f"history-{suffix}.jsonl").write_bytes(b"".join(lines))
        return self

    def logged(self, *rows: tuple[int, float, dict[str, Any]]) -> Directory:
        """Add the stream of a process that logged rows: step, time, values."""
        lines = [encode("log", row, time, step) for step, time, row in rows]
        (self.path / "history-own.jsonl").write_bytes(encode("run", self._head, 1.0) + b"".join(lines))
        return self


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "run")


@pytest.fixture(params=["directory", "server"])
def read(request: pytest.FixtureRequest) -> Reader:
    """Reads the run of a directory, there or after an upload to a server."""
    if request.param == "directory":
        return tracker.read_run
    request.getfixturevalue("server")

    def upload(path: Path) -> Any:
        done = sync(path, connect(Settings()), Settings(), lambda _: None)
        assert done.refused == {}
        return tracker.Api().run(done.run)

    return upload


def values(run: Any, tag: str, view: Any = None) -> list[tuple[int, float]]:
    return [(row["_step"], row[tag]) for row in run.scan_history([tag], restarts=view)]


def series(tag: str, steps: range | list[int], time: float, of: float = 0.0) -> list[Point]:
    """Return one point per second, with values that identify their source."""
    return [(tag, step, time + i, of + step) for i, step in enumerate(steps)]


# -- all, latest, and logged rows -----------------------------------------------------------------------------------


def test_points_are_rows_of_one_value_each(directory: Directory, read: Reader) -> None:
    start = 1.7e9
    points = [("a", -(2**63), start, math.nan), ("b", 5, start + 1 / 7, 0.5), ("a", 2**63 - 1, 2e9, 1e-300)]
    run = read(directory.event_file("events.out.tfevents.1", points).path)
    expected = [{"_step": s, "_timestamp": t, "_runtime": t - start, tag: value} for tag, s, t, value in points]
    assert repr(list(run.scan_history(restarts="all"))) == repr(expected)
    assert (run.info["rows"], run.keys(), run.info["corrupt"], run.info["updated"]) == (3, ["a", "b"], 0, 2e9)
    assert (run.summary["a"], run.summary["b"]) == (1e-300, 0.5)


def test_latest_has_one_row_per_step_with_the_last_written_values(directory: Directory, read: Reader) -> None:
    directory.event_file("b", [("loss", 1, 20.0, 0.1), ("loss", 2, 40.0, 0.2), ("loss", 3, 40.0, 0.3)])
    directory.event_file("a", [("loss", 2, 30.0, 9.0), ("acc", 2, 60.0, 0.5), ("loss", 3, 40.0, 9.0)])
    directory.event_file("c", [("loss", 3, 39.0, 9.0), ("lr", 0, 41.0, 8.0), ("lr", 0, 41.0, 7.0)])
    run = read(directory.path)
    assert list(run.scan_history()) == [
        {"_step": 0, "_timestamp": 41.0, "_runtime": 21.0, "lr": 7.0},
        {"_step": 1, "_timestamp": 20.0, "_runtime": 0.0, "loss": 0.1},
        {"_step": 2, "_timestamp": 60.0, "_runtime": 40.0, "loss": 0.2, "acc": 0.5},
        {"_step": 3, "_timestamp": 40.0, "_runtime": 20.0, "loss": 0.3},
    ]
    assert list(run.scan_history(restarts="latest")) == run.history(pandas=False) == list(run.scan_history())
    assert values(run, "loss") == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert len(list(run.scan_history(restarts="all"))) == run.info["rows"] == 9


def test_times_are_exact_to_the_microsecond(directory: Directory, read: Reader) -> None:
    times = [1_700_000_000.123457, 1_700_000_000.123458, 1_700_000_001.000001]
    run = read(directory.logged(*((step, time, {"a": 1.0}) for step, time in enumerate(times))).path)
    assert [row["_timestamp"] for row in run.scan_history()] == times


def test_all_values_without_steps_are_kept(directory: Directory, read: Reader) -> None:
    without = [("a", 0, 10.0 + i, float(i)) for i in range(20)]
    stepped = [("loss", step, 10.5 + step, 0.5) for step in range(3)]
    directory.event_file("one", sorted(without + stepped, key=lambda point: point[2]))
    directory.event_file("two", [("a", 0, 50.0, 50.0), ("a", 0, 51.0, 51.0), ("loss", 2, 52.0, 0.25)])
    run = read(directory.path)
    assert values(run, "a") == [(0, value) for value in (*range(20), 50, 51)]
    assert values(run, "loss") == [(0, 0.5), (1, 0.5), (2, 0.25)]
    assert [row["_timestamp"] for row in run.scan_history(["a"])] == [10.0 + i for i in range(20)] + [50.0, 51.0]
    assert len(values(run, "a", "all")) == len(values(run, "a")) == len(run.history(["a"], samples=1000, pandas=False))


def test_a_key_that_gets_steps_later_has_the_latest_of_its_first_one(directory: Directory, read: Reader) -> None:
    directory.event_file("one", [("a", 0, 1.0, 1.0), ("a", 0, 2.0, 2.0), ("a", -1, 3.0, 3.0), ("a", 1, 4.0, 4.0)])
    assert values(read(directory.path), "a") == [(-1, 3.0), (0, 2.0), (1, 4.0)]


@pytest.mark.parametrize("view", [None, "latest", "tensorboard", "tensorboard-rust"])
def test_rows_that_were_logged_are_never_touched(directory: Directory, read: Reader, view: Any) -> None:
    rows = [(5, 50.0, {"loss": 1.0}), (1, 51.0, {"loss": 2.0, "acc": 0}), (1, 52.0, {"loss": 3.0})]
    directory.event_file("a", series("loss", range(3), 10.0)).logged(*rows)
    run = read(directory.path)
    found = list(run.scan_history(restarts=view))
    assert [(row["_step"], row["_timestamp"], row["loss"]) for row in found] == [
        *((step, time, row["loss"]) for step, time, row in rows),
        *((step, 10.0 + step, step) for step in range(3)),
    ]
    assert values(run, "acc", view) == [(1, 0)]
    assert values(run, "loss", view)[2:4] == [(1, 3.0), (0, 0.0)]


def test_without_event_files_every_row_is_shown(directory: Directory, read: Reader) -> None:
    run = read(directory.logged((3, 2.0, {"a": 1}), (3, 3.0, {"a": 2})).path)
    assert run.info["event_files"] == {}
    for view in (None, "all", "latest", "tensorboard", "tensorboard-rust"):
        assert values(run, "a", view) == [(3, 1), (3, 2)]


def test_a_run_names_its_event_files(directory: Directory, read: Reader) -> None:
    directory.event_file("x/one", series("a", range(2), 10.0), 7, series("a", range(3), 10.0), version=None)
    run = read(directory.event_file("two", 3, version=2.0).path)
    assert run.info["event_files"] == {
        "history-tb_0.jsonl": {"name": "x/one", "version": None, "starts": [[2, 7]]},
        "history-tb_1.jsonl": {"name": "two", "version": 2.0, "starts": [[0, 3]]},
    }


def test_event_files_that_come_after_a_run_was_read_are_seen(directory: Directory, tmp_path: Path) -> None:
    run = tracker.read_run(directory.event_file("a", series("loss", range(3), 10.0)).path)
    directory.event_file("b", series("loss", range(3), 20.0, of=0.5))
    assert values(run, "loss") == [(0, 0.5), (1, 1.5), (2, 2.5)]


def test_samples_are_drawn_from_the_view(directory: Directory, read: Reader) -> None:
    directory.event_file("a", series("loss", range(40), 10.0, of=100.0))
    run = read(directory.event_file("b", series("loss", range(20, 40), 60.0)).path)
    rows = run.history(["loss"], samples=4, pandas=False)
    assert [(row["loss.min"], row["loss.max"]) for row in rows] == [(100, 109), (110, 119), (20, 29), (30, 39)]
    assert max(row["loss.max"] for row in run.history(samples=4, pandas=False, restarts="all")) == 139


def test_a_view_that_does_not_exist_is_refused_with_those_that_do(directory: Directory) -> None:
    run = tracker.read_run(directory.logged((1, 1.0, {"a": 1})).path)
    for reading in (run.scan_history, run.history):
        with pytest.raises(ValueError, match="all, latest, tensorboard, tensorboard-rust"):
            reading(restarts="newest")  # type: ignore[arg-type]


# -- as TensorBoard's Python code shows it --------------------------------------------------------------------------


def test_a_session_start_that_is_not_the_first_drops_all_tags_from_its_step_on(
    directory: Directory, read: Reader
) -> None:
    directory.event_file("2", 5, series("loss", [5, 6], 30.0, of=0.5))
    directory.event_file("1", 0, series("loss", range(8), 10.0), series("acc", range(4, 8), 10.0))
    run = read(directory.path)
    assert values(run, "loss", "tensorboard") == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5.5), (6, 6.5)]
    assert values(run, "acc", "tensorboard") == [(4, 4)]
    assert values(run, "acc", "tensorboard-rust") == [(4, 4), (5, 5), (6, 6), (7, 7)]


def test_a_session_start_drops_earlier_values_of_the_file(directory: Directory, read: Reader) -> None:
    parts = [0, series("a", [1, 2, 3], 10.0), 3, series("a", [1, 2], 20.0, of=0.5), 2]
    run = read(directory.event_file("f", *parts).path)  # type: ignore[arg-type]
    assert values(run, "a", "tensorboard") == [(1, 1), (1, 1.5)]


def test_steps_that_go_back_without_a_session_start_are_all_shown(directory: Directory, read: Reader) -> None:
    run = read(directory.event_file("f", series("a", [1, 5, 2], 10.0)).path)
    assert values(run, "a", "tensorboard") == [(1, 1), (5, 5), (2, 2)]


@pytest.mark.parametrize("version", [None, 1.0])
def test_without_version_2_an_event_of_a_lower_step_drops_its_own_tags_from_there_on(
    directory: Directory, read: Reader, version: float | None
) -> None:
    points = [
        *series("a", [1, 2, 3], 10.0),
        *series("b", [3], 13.0),
        ("a", 2, 20.0, 0.5),  # drops a at 2 and 3, not b
        ("b", 2, 21.0, 0.5),  # not lower than the event before
        ("a", 1, 22.0, 0.5),  # one event with two values
        ("b", 1, 22.0, 0.5),
    ]
    run = read(directory.event_file("f", points[:5], 0, 1, points[5:6], version=version).path)
    assert values(run, "a", "tensorboard") == [(1, 1), (2, 0.5)]
    assert values(run, "b", "tensorboard") == [(3, 3), (2, 0.5)]
    run = read(Directory(directory.path.parent / "more").event_file("f", points, version=version).path)
    assert values(run, "a", "tensorboard") == values(run, "b", "tensorboard") == [(1, 0.5)]


def test_a_version_holds_for_the_files_after_it_that_have_none(directory: Directory, read: Reader) -> None:
    directory.event_file("1", series("a", [1, 2], 10.0), version=2.0)
    run = read(directory.event_file("2", series("a", [1], 20.0), version=None).path)
    assert values(run, "a", "tensorboard") == [(1, 1), (2, 2), (1, 1)]


def test_files_of_different_directories_drop_nothing_of_each_other(directory: Directory, read: Reader) -> None:
    directory.event_file("train/1", 0, series("a", [1, 2], 10.0))
    run = read(directory.event_file("eval/1", 0, series("a", [1, 2], 20.0, of=0.5)).path)
    for view in ("tensorboard", "tensorboard-rust"):
        assert values(run, "a", view) == [(1, 1.5), (2, 2.5), (1, 1), (2, 2)]


# -- as its Rust data server shows it -------------------------------------------------------------------------------


def test_each_value_drops_those_of_its_tag_with_its_step_or_later(directory: Directory, read: Reader) -> None:
    directory.event_file("2", series("a", [3, 4], 10.0, of=0.5))
    run = read(directory.event_file("1", series("a", [1, 3, 2, 2, 5, 7], 30.0), series("b", [9], 40.0)).path)
    assert values(run, "a", "tensorboard-rust") == [(1, 1), (2, 2), (3, 3.5), (4, 4.5)]
    assert values(run, "b", "tensorboard-rust") == [(9, 9)]


def test_the_remaining_values_of_a_row_stay_together(directory: Directory, read: Reader) -> None:
    head = {"version": 1, "id": random_id(), "entity": "me", "project": "restarts"}
    lines = [encode("run", {**head, "event_file": {"name": "f", "version": 2.0}}, 1.0)]
    lines += [encode("log", row, 2.0 + i, step) for i, (step, row) in enumerate([(1, {"a": 1, "b": 1}), (2, {"b": 2})])]
    lines.append(encode("log", {"a": 3}, 9.0, 1))
    (directory.path / "history-tb_1.jsonl").write_bytes(b"".join(lines))
    found = [
        {k: v for k, v in row.items() if k in "ab"}
        for row in read(directory.path).scan_history(restarts="tensorboard-rust")
    ]
    assert found == [{"b": 1}, {"b": 2}, {"a": 3}]
