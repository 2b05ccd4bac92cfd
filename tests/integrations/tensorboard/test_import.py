"""Import into run directories without a server: new data arrives once and in order."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tensorboard.compat.proto import event_pb2

import tracker
from tests.integrations.tensorboard.events import (
    NAME,
    START,
    bring,
    event,
    many,
    record,
    rows,
    runs,
    scalar,
    text,
    version,
    write,
)
from tracker_tensorboard.import_result import ImportResult
from tracker_tensorboard.logdir import Selection
from tracker_tensorboard.stream_filler import MARK_INTERVAL


def expected(first: int, last: int, tags: tuple[str, ...] = ("loss", "acc")) -> list[tuple[str, int, float]]:
    return [(tag, step, step + i / 4) for step in range(first, last) for i, tag in enumerate(tags)]


def outcome(logdir: Path, **options: Any) -> ImportResult:
    """Import a directory with one run; return the result."""
    (found,) = bring(logdir, **options).results.values()
    return found


def streams() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(".").rglob("*.jsonl")}


# -- values ---------------------------------------------------------------------------------------------------------


def test_every_value_is_imported_in_order_with_its_step_and_time() -> None:
    logdir = write(Path("logs/a") / NAME, version(), many(0, 5000)).parent.parent
    found = outcome(logdir)
    (run,) = runs().values()
    assert (found.points, found.complete) == (10_000, True)
    assert rows(run) == expected(0, 5000)
    assert [row["_timestamp"] for row in run.scan_history(restarts="all")][::2] == [START + i for i in range(5000)]
    assert (run.name, run.path.split("/")[:2], run.state) == ("a", ["me", "boards"], "finished")
    assert run.config["tensorboard"] == {"logdir": str(logdir.resolve()), "run": "a"}
    assert (run.info["corrupt"], run.info["rows"]) == (0, 10_000)


def test_nan_values_and_the_extreme_steps_of_int64_are_imported() -> None:
    values = [math.nan, math.inf, -math.inf, -0.0]
    steps = [-(2**63), 2**63 - 1, 2**53 + 1, 0]
    write(Path("logs") / NAME, *(scalar("x", step, value, START) for step, value in zip(steps, values, strict=True)))
    bring(Path("logs"))
    found = rows(runs()["logs"])
    assert repr([value for _, _, value in found]) == repr(values)
    assert [step for _, step, _ in found] == steps


def test_media_are_between_the_points_where_they_were_logged() -> None:
    write(Path("logs") / NAME, version(), many(0, 3), text("note", 2, "hello"), many(3, 5))
    found = outcome(Path("logs"))
    assert (found.points, found.media) == (10, 1)
    got = rows(runs()["logs"])
    assert [got[:6], got[7:]] == [expected(0, 3), expected(3, 5)]
    assert got[6][:2] == ("note", 2)
    assert got[6][2]["value"] == "hello"


def test_files_of_a_directory_make_one_run_in_the_order_of_their_times() -> None:
    write(Path("logs/tfevents.2"), scalar("x", 1, 1, 10.0))
    write(Path("logs/tfevents.1"), scalar("x", 2, 2, 20.0))
    bring(Path("logs"))
    assert rows(runs()["logs"]) == [("x", 1, 1.0), ("x", 2, 2.0)]


def test_the_first_metadata_of_a_tag_is_valid_in_all_files_of_a_run_and_after_a_resumption() -> None:
    first = write(Path("logs/tfevents.1"), text("note", 0, "a"))
    write(Path("logs/tfevents.2"), text("note", 1, "b", metadata=False))
    bring(Path("logs"))
    with first.open("ab") as file:
        file.write(text("note", 2, "c", metadata=False))
    bring(Path("logs"))
    assert [value["value"] for _, _, value in rows(runs()["logs"])] == ["a", "c", "b"]


def test_impossible_times_are_replaced_by_the_time_before_or_that_in_the_file_name() -> None:
    times = [math.nan, 5.0, math.inf, -3.0, 1e300, 7.0]
    path = write(Path("logs") / NAME, *(scalar("x", i, i, time) for i, time in enumerate(times)))
    found = outcome(Path("logs"))
    with path.open("ab") as file:
        file.write(scalar("x", 6, 6, math.nan))
    again = outcome(Path("logs"))
    (run,) = runs().values()
    assert [row["_timestamp"] for row in run.scan_history(restarts="all")] == [1.7e9, 5.0, 5.0, 5.0, 5.0, 7.0, 7.0]
    assert (found.repaired_times, again.repaired_times, found.complete) == (4, 1, True)


def test_hyperparameters_next_to_the_event_file_become_config_and_a_file_of_the_run() -> None:
    pytest.importorskip("yaml")
    write(Path("logs") / NAME, many(0, 1))
    Path("logs/hparams.yaml").write_text("lr: 0.1\nlayers: [1, 2]\n")
    bring(Path("logs"))
    before = streams()
    bring(Path("logs"))
    assert streams() == before
    Path("logs/hparams.yaml").write_text("lr: 0.2\nlayers: [1, 2]\n")
    bring(Path("logs"))
    run = runs()["logs"]
    assert (run.config["lr"], run.config["layers"]) == (0.2, [1, 2])
    assert run.file("hparams.yaml").download("back").read_text() == "lr: 0.2\nlayers: [1, 2]\n"


def test_a_failed_session_gives_a_failed_run_even_if_its_stream_ends_later() -> None:
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

    data = plugin_data_pb2.HParamsPluginData()
    data.session_end_info.status = api_pb2.STATUS_FAILURE
    summary = event_summary("_hparams_/session_end_info", "hparams", data.SerializeToString())
    path = write(Path("logs") / NAME, version(), event(summary=summary))
    bring(Path("logs"))
    assert runs()["logs"].state == "failed"
    with path.open("ab") as file:
        file.write(many(0, 1))
    bring(Path("logs"))
    assert runs()["logs"].state == "failed"


def event_summary(tag: str, plugin: str, content: bytes) -> Any:
    from tensorboard.compat.proto import summary_pb2

    summary = summary_pb2.Summary()
    value = summary.value.add(tag=tag)
    value.metadata.plugin_data.plugin_name = plugin
    value.metadata.plugin_data.content = content
    return summary


# -- names and selection --------------------------------------------------------------------------------------------


def test_names_and_groups_are_those_of_the_command_and_written_once() -> None:
    for path in ("logs", "logs/a"):
        write(Path(path) / NAME, many(0, 1))
    bring(Path("logs"), name="mine", group="all")
    assert {run.name: run.group for run in runs().values()} == {"mine": "all", "mine/a": "all"}
    before = streams()
    bring(Path("logs"), name="mine", group="all")
    assert streams() == before
    bring(Path("logs"), name="other", group="all")
    assert set(runs()) == {"other", "other/a"}


def test_with_single_the_paths_of_directories_precede_their_keys() -> None:
    write(Path("logs") / NAME, many(0, 1))
    write(Path("logs/val") / NAME, version(), many(0, 1), text("note", 0, "x"))
    bring(Path("logs"), single=True)
    (run,) = runs().values()
    assert {key for key, *_ in rows(run)} == {"loss", "acc", "val/loss", "val/acc", "val/note"}
    assert run.name == "logs"
    bring(Path("logs"))
    counts = [tracker.read_run(path).info["rows"] for path in Path(".tracker/runs").iterdir()]
    assert sorted(counts) == [2, 3, 5]  # without `single` they are separate runs


def test_one_file_of_a_directory_can_be_imported_alone_and_the_others_later() -> None:
    write(Path("logs/tfevents.1"), many(0, 1))
    write(Path("logs/tfevents.2"), many(1, 2))
    bring(Path("logs"), selection=Selection(only="tfevents.2"))
    assert rows(runs()["logs"]) == expected(1, 2)
    bring(Path("logs"))
    assert rows(runs()["logs"]) == expected(0, 2)


# -- repeated imports -----------------------------------------------------------------------------------------------


def test_a_second_import_changes_nothing() -> None:
    write(Path("logs") / NAME, version(), many(0, 9000), text("note", 1, "x"))
    bring(Path("logs"))
    before = streams()
    found = outcome(Path("logs"))
    assert (found.points, found.media, found.complete) == (0, 0, True)
    assert streams() == before


def test_only_new_data_is_added_and_earlier_lines_do_not_change() -> None:
    path = write(Path("logs") / NAME, version(), many(0, 100))
    bring(Path("logs"))
    before = streams()
    with path.open("ab") as file:
        file.write(many(100, 200))
    assert outcome(Path("logs")).points == 200
    after = streams()
    assert all(after[name].startswith(content) for name, content in before.items())
    run = runs()["logs"]
    assert (rows(run), run.state) == (expected(0, 200), "finished")


@pytest.mark.parametrize("step", [1, 7, 50])
def test_a_file_that_grows_in_torn_pieces_is_imported_completely_and_once(step: int) -> None:
    content = version() + many(0, 3) + text("note", 3, "x") + many(3, 6)
    path = write(Path("logs") / NAME)
    for end in range(0, len(content) + step, step):
        path.write_bytes(content[:end])  # in place: the file keeps its identity and its earlier content
        found = outcome(Path("logs"))
        assert not found.damaged
        assert not found.rewritten
    run = runs()["logs"]
    got = rows(run)
    assert [got[:6], got[7:]] == [expected(0, 3), expected(3, 6)]
    assert (run.info["rows"], run.info["corrupt"], run.info["lost"]) == (13, 0, 0)


def test_new_files_and_directories_are_added() -> None:
    write(Path("logs/tfevents.1"), many(0, 1))
    bring(Path("logs"))
    write(Path("logs/tfevents.2"), many(1, 2))
    write(Path("logs/new/tfevents.3"), many(5, 6))
    bring(Path("logs"))
    assert rows(runs()["logs"]) == expected(0, 2)
    assert rows(runs()["new"]) == expected(5, 6)


# -- files that were replaced or cut --------------------------------------------------------------------------------


def test_a_replaced_file_gets_a_new_stream() -> None:
    path = write(Path("logs") / NAME, version(1.0), many(0, 2))
    bring(Path("logs"))
    write(path, version(2.0), many(5, 6))
    assert outcome(Path("logs")).rewritten == []  # another file that had this name for a time
    assert sorted(rows(runs()["logs"])) == sorted(expected(0, 2) + expected(5, 6))


def test_a_file_rewritten_from_the_middle_is_imported_again() -> None:
    path = write(Path("logs") / NAME, version(), many(0, 2), many(8, 9))
    bring(Path("logs"))
    write(path, version(), many(0, 2), many(3, 9))
    assert outcome(Path("logs")).rewritten == [NAME]
    again = outcome(Path("logs"))
    assert (again.points, again.rewritten) == (0, [])
    assert sorted(rows(runs()["logs"])) == sorted(expected(0, 2) + expected(8, 9) + expected(0, 2) + expected(3, 9))


def test_a_shortened_file_loses_nothing_imported_and_continues_when_it_grows_back() -> None:
    content = version() + many(0, 4)
    path = write(Path("logs") / NAME, content)
    bring(Path("logs"))
    path.write_bytes(content[: len(content) // 2])
    found = outcome(Path("logs"))
    assert (found.shortened[NAME].start, found.shortened[NAME].end) == (len(content) // 2, len(content))
    assert rows(runs()["logs"]) == expected(0, 4)
    path.write_bytes(content + many(4, 6))
    assert not outcome(Path("logs")).shortened
    assert rows(runs()["logs"]) == expected(0, 6)


# -- damage ---------------------------------------------------------------------------------------------------------


def test_data_after_damage_is_imported_and_the_gap_is_reported_with_offsets() -> None:
    good, bad, rest = version() + many(0, 2), scalar("loss", 2, 2.0), many(3, 5)
    write(Path("logs") / NAME, good, bad[:-1] + b"?", rest)
    found = outcome(Path("logs"))
    (gap,) = found.damaged
    assert (gap.start, gap.end, gap.reason) == (len(good), len(good) + len(bad), "bad checksum")
    run = runs()["logs"]
    assert rows(run) == expected(0, 2) + expected(3, 5)
    assert (run.info["lost"], found.complete) == (1, False)
    assert outcome(Path("logs")).damaged == []  # reported once; the run keeps it


def test_a_torn_end_is_reported_each_time_and_imported_once_it_is_complete() -> None:
    content = version() + many(0, 2)
    path = write(Path("logs") / NAME, content[:-5])
    for _ in range(2):
        found = outcome(Path("logs"))
        gap = found.pending[NAME]
        assert (gap.end, found.complete) == (len(content) - 5, False)
    path.write_bytes(content)
    assert outcome(Path("logs")).complete
    assert rows(runs()["logs"]) == expected(0, 2)


def test_an_empty_file_makes_no_run() -> None:
    write(Path("logs/empty") / NAME)
    write(Path("logs/garbage") / NAME, b"no records here, not a single one" * 10)
    done = bring(Path("logs"))
    empty, garbage = (done.results[run] for run in sorted(done.jobs, key=lambda run: done.jobs[run].source.path))
    assert (empty.complete, garbage.complete) == (True, False)
    assert not Path(".tracker").exists()


def test_an_unreadable_event_does_not_affect_others() -> None:
    write(Path("logs") / NAME, version(), many(0, 1), record(b"\xff\xff\xff"), many(1, 2))
    (gap,) = outcome(Path("logs")).damaged
    assert gap.reason == "unreadable event"
    assert rows(runs()["logs"]) == expected(0, 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_reported_and_the_others_are_imported() -> None:
    write(Path("logs/tfevents.1"), many(0, 1)).chmod(0)
    write(Path("logs/tfevents.2"), many(1, 2))
    assert outcome(Path("logs")).failed == {"tfevents.1": "Permission denied"}
    assert rows(runs()["logs"]) == expected(1, 2)


def test_a_damaged_stream_is_not_changed() -> None:
    path = write(Path("logs") / NAME, version(), many(0, 2))
    bring(Path("logs"))
    (stream,) = Path(".").rglob("history-*.jsonl")
    content = stream.read_bytes()
    stream.write_bytes(content[:-8] + b"?" + content[-7:])
    with path.open("ab") as file:
        file.write(many(2, 3))
    assert "damaged" in outcome(Path("logs")).failed[NAME]
    assert stream.read_bytes()[:-8] == content[:-8]


# -- the lines of streams -------------------------------------------------------------------------------------------


def test_copies_of_a_file_imported_in_two_places_give_identical_streams() -> None:
    write(Path("logs/a") / NAME, version(), many(0, 20_000), text("note", 1, "x"), many(20_000, 30_000))
    for root in ("one", "two"):
        bring(Path("logs"), root, identity="shared")
    one, two = (
        {path.name: path.read_bytes() for path in Path(root).rglob("history-*.jsonl")} for root in ("one", "two")
    )
    assert one == two


def test_marks_follow_at_regular_intervals_of_the_event_file() -> None:
    from tracker.runlog.reader import read_stream

    size = write(Path("logs") / NAME, version(), many(0, 60_000)).stat().st_size
    bring(Path("logs"))
    (stream,) = Path(".").rglob("history-*.jsonl")
    records = [record for parsed in read_stream(stream) for record in parsed.records]
    offsets = [record.payload["offset"] for record in records if record.kind == "source"]
    assert offsets[-1] == size
    steps = [b - a for a, b in zip([0, *offsets], offsets, strict=False)]
    assert all(MARK_INTERVAL <= step < MARK_INTERVAL + 100 for step in steps[:-1])
    assert max(len(record.payload.steps) for record in records if record.kind == "points") == 4096
    assert records[-1].kind == "finish"


def test_wall_times_of_all_values_are_kept_to_the_microsecond() -> None:
    time = 1_700_000_000.123457
    words = event_pb2.Event().summary
    value = words.value.add(tag="words")
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.string_val.append(b"hello")
    write(Path("logs") / NAME, version(), scalar("loss", 0, 1.0, time), event(time, step=1, summary=words))
    bring(Path("logs"), "there")
    (directory,) = Path("there", ".tracker", "runs").iterdir()
    run = tracker.read_run(directory)
    assert [row["_timestamp"] for row in run.scan_history()] == [time, time]
    assert run.keys() == ["loss", "words"]
