from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.runlog.fold import UNPROMISED, RunState
from tracker.runlog.records import Record
from tracker.runlog.stats import Stats

RUN = {"version": 1, "id": "a", "entity": "me", "project": "p", "pid": 12, "host": "here"}


def apply(fold: RunState, stream: str, kind: str, payload: Any, time: float) -> None:
    fold.apply(stream, Record(time, None, kind, payload))


def add_row(fold: RunState, stream: str, row: dict[str, Any], time: float = 1.0) -> None:
    stats = {key: Stats() for key in row}
    for key, value in row.items():
        stats[key].add(value)
    fold.add_rows(stream, 1, stats, time)


def opened(*streams: tuple[str, float], **members: Any) -> RunState:
    fold = RunState()
    for name, time in streams:
        apply(fold, name, "run", {**RUN, **members}, time)
    return fold


def finish(fold: RunState, stream: str, state: str, time: float) -> None:
    apply(fold, stream, "finish", {"state": state}, time)


def bury(fold: RunState, stream: str, time: float) -> None:
    apply(fold, "system-a.jsonl", "finish", {"state": "crashed", "stream": stream}, time)


# -- state ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["finished", "failed", "killed", "crashed"])
def test_a_run_of_one_process_ends_as_that_process_does(state: str) -> None:
    fold = opened(("history.jsonl", 1))
    assert fold.state == "running"
    finish(fold, "history.jsonl", state, 2)
    assert fold.state == state


def test_a_run_is_running_while_any_of_its_ranks_is() -> None:
    fold = opened(("history-0.jsonl", 1), ("history-1.jsonl", 1.1))
    finish(fold, "history-0.jsonl", "finished", 5)
    assert fold.state == "running"


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (("finished", "finished"), "finished"),
        (("failed", "finished"), "failed"),
        (("failed", "killed"), "killed"),
        (("crashed", "killed"), "crashed"),
    ],
)
def test_the_worst_end_of_several_ranks_counts_in_any_order(ends: tuple[str, str], state: str) -> None:
    for order in (ends, ends[::-1]):
        fold = opened(("history-0.jsonl", 1), ("history-1.jsonl", 2))
        finish(fold, "history-0.jsonl", order[0], 5)
        finish(fold, "history-1.jsonl", order[1], 6)
        assert fold.state == state


def test_a_resumed_run_supersedes_what_came_before() -> None:
    fold = opened(("history-0.jsonl", 1))
    bury(fold, "history-0.jsonl", 3)
    assert fold.state == "crashed"
    apply(fold, "history-1.jsonl", "run", RUN, 10)
    assert fold.state == "running"
    finish(fold, "history-1.jsonl", "finished", 12)
    assert fold.state == "finished"


def test_forked_children_never_decide_the_state() -> None:
    fold = opened(("history-0.jsonl", 1))
    apply(fold, "history-c.jsonl", "run", {**RUN, "parent": "history-0.jsonl"}, 2)
    finish(fold, "history-0.jsonl", "finished", 5)
    assert fold.state == "finished"
    finish(fold, "history-c.jsonl", "crashed", 6)
    assert fold.state == "finished"


def test_an_end_from_an_agent_holds_if_it_arrives_before_the_last_rows() -> None:
    fold = opened(("history.jsonl", 1))
    bury(fold, "history.jsonl", 9)
    add_row(fold, "history.jsonl", {"x": 1}, time=8)
    assert fold.state == "crashed"


def test_an_end_from_an_agent_holds_if_it_arrives_before_the_stream() -> None:
    fold = RunState()
    bury(fold, "history.jsonl", 9)
    apply(fold, "history.jsonl", "run", RUN, 1)
    add_row(fold, "history.jsonl", {"x": 1}, time=8)
    assert fold.state == "crashed"


def test_a_row_after_the_end_opens_the_stream_again() -> None:
    fold = opened(("history.jsonl", 1))
    bury(fold, "history.jsonl", 9)
    add_row(fold, "history.jsonl", {"x": 1}, time=10)
    assert fold.state == "running"
    finish(fold, "history.jsonl", "finished", 11)
    assert fold.state == "finished"


def test_a_stream_whose_first_line_is_damaged_still_ends() -> None:
    fold = RunState()
    add_row(fold, "history.jsonl", {"x": 1}, time=2)
    finish(fold, "history.jsonl", "failed", 3)
    assert fold.state == "failed"


def test_an_unknown_end_counts_as_a_crash() -> None:
    fold = opened(("history.jsonl", 1))
    finish(fold, "history.jsonl", "exploded", 2)
    assert fold.state == "crashed"


# -- summary --------------------------------------------------------------------------------------------------------


def summarised(rows: list[Any], *metrics: dict[str, Any], explicit: dict[str, Any] | None = None) -> dict[str, Any]:
    fold = RunState()
    for metric in metrics:
        apply(fold, "history.jsonl", "metric", metric, 1)
    for value in rows:
        add_row(fold, "history.jsonl", {"loss": value})
    if explicit is not None:
        apply(fold, "history.jsonl", "summary", explicit, 2)
    return fold.summary


VALUES = [0.5, math.nan, 0.25, math.inf, 2, 10**400, True, 0.75]


@pytest.mark.parametrize(
    ("how", "goal", "expected"),
    [
        (None, None, 0.75),
        ("last", None, 0.75),
        ("min", None, 0.25),
        ("max", None, 2),
        ("mean", None, (0.5 + 0.25 + 2 + 0.75) / 4),
        ("best", None, 0.25),
        ("best", "minimize", 0.25),
        ("best", "maximize", 2),
    ],
)
def test_the_summary_is_what_the_definition_asks_for_over_finite_values(
    how: str | None, goal: str | None, expected: float
) -> None:
    assert summarised(VALUES, {"name": "loss", "summary": how, "goal": goal}) == {"loss": expected}


def test_none_leaves_the_key_out() -> None:
    assert summarised([1, 2], {"name": "loss", "summary": "none"}) == {}


def test_without_a_finite_value_the_summary_is_the_last_value() -> None:
    assert math.isnan(summarised([math.inf, math.nan], {"name": "loss", "summary": "min"})["loss"])
    assert summarised(["text"], {"name": "loss", "summary": "mean"}) == {"loss": "text"}


def test_explicit_values_win_over_all_definitions() -> None:
    metric = {"name": "loss", "summary": "none"}
    assert summarised([1, 2], metric, explicit={"loss": 9, "extra": None}) == {"loss": 9, "extra": None}


def test_exact_names_win_over_globs_and_later_globs_over_earlier_ones() -> None:
    low, high, mean = ({"name": n, "summary": s} for n, s in (("loss", "min"), ("l*", "max"), ("*s", "mean")))
    assert summarised([1, 2, 6], low, high) == summarised([1, 2, 6], high, low) == {"loss": 1}
    assert summarised([1, 2, 6], high, mean) == {"loss": 3}
    assert summarised([1, 2, 6], mean, high) == {"loss": 6}


def test_a_definition_without_a_summary_leaves_that_to_the_others() -> None:
    axis = {"name": "loss", "step_metric": "epoch"}
    assert summarised([1, 2, 6], {"name": "l*", "summary": "max"}, axis) == {"loss": 6}
    assert summarised([1, 2, 6], {"name": "loss", "summary": "min"}, axis) == {"loss": 1}
    assert summarised([1, 2, 6], {"name": "loss", "summary": "min"}, {"name": "loss", "summary": "max"}) == {"loss": 6}


def test_only_star_and_question_mark_are_special_in_globs() -> None:
    fold = RunState()
    apply(fold, "history.jsonl", "metric", {"name": "layer[1]/*", "summary": "min"}, 1)
    for value in (1, 2):
        add_row(fold, "history.jsonl", {"layer[1]/a/b": value, "layer1/a": value})
    assert fold.summary == {"layer[1]/a/b": 1, "layer1/a": 2}


# -- the rest -------------------------------------------------------------------------------------------------------


def test_members_of_config_and_meta_replace_former_ones() -> None:
    fold = opened(("history.jsonl", 1), name="first", tags=["a"])
    apply(fold, "history.jsonl", "config", {"lr": 1, "net": {"a": 1}}, 2)
    apply(fold, "history.jsonl", "config", {"net": {"b": 2}}, 3)
    apply(fold, "edits-x.jsonl", "meta", {"name": "second", "notes": "n", "group": None}, 4)
    assert fold.config == {"lr": 1, "net": {"b": 2}}
    assert fold.meta == {"name": "second", "tags": ["a"], "notes": "n", "group": None}


def test_unknown_kinds_are_skipped_and_counted() -> None:
    fold = opened(("history.jsonl", 1))
    apply(fold, "history.jsonl", "hologram", {"x": 1}, 2)
    assert fold.streams["history.jsonl"].unknown == 1
    assert fold.corrupt == 0


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text("ab_/*[", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)
streams = st.sampled_from(["history-a.jsonl", "history-b.jsonl", "system-c.jsonl", "edits-d.jsonl"])
sound: dict[str, st.SearchStrategy[Any]] = {
    "run": st.fixed_dictionaries(
        {m: st.just(v) for m, v in RUN.items()},
        optional={
            "parent": streams,
            "name": st.just("n"),
            "tags": st.just(["t"]),
            "event_file": st.fixed_dictionaries(
                {"name": st.just("f")}, optional={"version": st.sampled_from([None, 2])}
            ),
        },
    ),
    "session": st.fixed_dictionaries({"status": st.just("start"), "row": st.integers(), "step": st.integers()}),
    "config": st.dictionaries(st.text("ab_type", max_size=5), anything, max_size=3),
    "summary": st.dictionaries(st.text("ab", max_size=2), anything, max_size=3),
    "metric": st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b", "*", "a*"])},
        optional={
            "summary": st.sampled_from(["min", "max", "mean", "best", "last", "none"]),
            "step_metric": st.just("b"),
        },
    ),
    "meta": st.fixed_dictionaries({}, optional={"name": st.just("x"), "tags": st.just(["u", "v"])}),
    "file": st.fixed_dictionaries({"name": st.text("ab", max_size=2), "digest": st.just("0" * 64), "size": st.just(3)}),
    "lost": st.fixed_dictionaries({"count": st.integers(0, 5)}),
    "finish": st.fixed_dictionaries({"state": st.sampled_from(["finished", "crashed"])}, optional={"stream": streams}),
}
events = st.one_of(
    *[st.tuples(streams, st.just(kind), payload, st.integers(0, 20)) for kind, payload in sound.items()],
    st.tuples(streams, st.just("log"), st.dictionaries(st.sampled_from("ab"), anything), st.integers(0, 20)),
)


def take(fold: RunState, event: tuple[str, str, Any, float]) -> None:
    stream, kind, payload, time = event
    if kind == "log":
        add_row(fold, stream, payload, time)
    else:
        apply(fold, stream, kind, payload, time)


def as_json(fold: RunState) -> str:
    return repr(
        (fold.state, fold.summary, fold.config, fold.meta, fold.metrics, fold.files, fold.streams, fold.updated)
    )


@given(st.lists(events, max_size=12), st.integers(0, 12))
def test_a_fold_stored_and_loaded_between_any_two_records_has_the_same_result(events: list[Any], at: int) -> None:
    whole, kept = RunState(), RunState()
    for event in events:
        take(whole, event)
    for i, event in enumerate(events):
        if i == at:
            kept = RunState.from_json(orjson.loads(orjson.dumps(kept.to_json())))
        take(kept, event)
    assert as_json(RunState.from_json(orjson.loads(orjson.dumps(kept.to_json())))) == as_json(whole)


@given(st.lists(st.tuples(streams, st.sampled_from([*sound, "new"]), anything | st.dictionaries(
    st.sampled_from(["name", "tags", "count", "stream", "state", "pid", "summary", "event_file", "_type"]), anything
)), max_size=8))  # fmt: skip
def test_payloads_of_any_shape_are_folded_or_counted_and_never_raise(events: list[Any]) -> None:
    fold = RunState()
    for time, (stream, kind, payload) in enumerate(events):
        apply(fold, stream, kind, payload, time)
    assert fold.state in ("running", "finished", "failed", "killed", "crashed")
    restored = RunState.from_json(orjson.loads(orjson.dumps(fold.to_json())))
    assert as_json(restored) == as_json(fold)


def test_members_of_the_wrong_type_are_left_out_and_counted() -> None:
    fold = opened(("history.jsonl", 1), name=["no", "name"])
    apply(fold, "history.jsonl", "meta", {"tags": "a,b", "notes": "kept"}, 2)
    apply(fold, "history.jsonl", "lost", {"count": "many"}, 3)
    apply(fold, "history.jsonl", "metric", {"name": 5}, 3)
    apply(fold, "history.jsonl", "file", {"name": "x"}, 3)
    apply(fold, "history.jsonl", "config", [1], 3)
    assert fold.meta == {"notes": "kept"}
    assert (fold.corrupt, fold.lost) == (5, 0)


numbers = st.integers(-1000, 1000) | st.sampled_from([0.5, math.nan, math.inf, -math.inf, 10**400])


@given(st.lists(numbers | st.booleans() | st.text(max_size=2), min_size=1), st.integers(0, 20))
def test_stats_of_two_parts_merge_to_those_of_the_whole(values: list[Any], at: int) -> None:
    whole, first, second = Stats(), Stats(), Stats()
    for i, value in enumerate(values):
        whole.add(value)
        (first if i < at else second).add(value)
    if at < len(values):
        first.merge(second)
    assert (whole.n, whole.min, whole.max, whole.sum) == (first.n, first.min, first.max, first.sum)
    assert repr(whole.last) == repr(first.last)


# -- the environment ------------------------------------------------------------------------------------------------


def environments(*payloads: dict[str, Any]) -> RunState:
    fold = RunState()
    for i, payload in enumerate(payloads):
        apply(fold, f"system-{i}.jsonl", "environment", payload, 1.0)
    return fold


def test_the_environment_of_the_last_start_counts_in_any_order_of_arrival() -> None:
    first = {"stream": "history-z.jsonl", "started": 1.0, "host": "one"}
    last = {"stream": "history-a.jsonl", "started": 2.0, "host": "two"}
    assert environments(first, last).environment == environments(last, first).environment == last
    tied = {**last, "stream": "history-b.jsonl"}
    assert environments(tied, last).environment == environments(last, tied).environment == tied


def test_the_environment_of_the_first_machine_of_a_job_counts() -> None:
    first = {"stream": "history-a.jsonl", "started": 1.0}
    further = {"stream": "history-b.jsonl", "started": 2.0, "node": 1}
    assert environments(first, further).environment == environments(further, first).environment == first
    assert environments(further).environment == further


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"stream": "a"},
        {"stream": 1, "started": 1},
        {"stream": "a", "started": math.nan},
        {"stream": "a", "node": "x"},
    ],
)
def test_an_environment_without_a_stream_is_corrupt(payload: dict[str, Any]) -> None:
    fold = environments(payload)
    assert (fold.environment, fold.corrupt) == ({}, 1)


def test_an_environment_is_kept_between_batches() -> None:
    payload = {"stream": "a", "started": 1.0, "variables": {"x": math.inf, "n": 2**70}, "gpus": [{"name": "g"}]}
    fold = environments(payload)
    assert RunState.from_json(orjson.loads(orjson.dumps(fold.to_json()))).environment == payload


# -- event files ----------------------------------------------------------------------------------------------------


def event_file(**members: Any) -> RunState:
    return opened(("history-tb_1.jsonl", 1.0), event_file={"name": "train/events.1", "version": 2.0, **members})


def test_a_stream_of_an_event_file_has_the_starts_of_its_sessions() -> None:
    fold = event_file()
    for status, row, step in (("start", 0, -1), ("checkpoint", 3, 3), ("start", 5, 2**63 - 1), ("stop", 9, 9)):
        apply(fold, "history-tb_1.jsonl", "session", {"status": status, "row": row, "step": step}, 2.0)
    apply(fold, "history-tb_1.jsonl", "source", {"offset": 10**12}, 3.0)
    expected = {"name": "train/events.1", "version": 2.0, "starts": [[0, -1], [5, 2**63 - 1]]}
    for same in (fold, RunState.from_json(orjson.loads(orjson.dumps(fold.to_json())))):
        assert same.event_files == {"history-tb_1.jsonl": expected}
    assert (fold.corrupt, fold.streams["history-tb_1.jsonl"].unknown) == (0, 0)


@pytest.mark.parametrize("version", [None, "2", True, [2]])
def test_an_event_file_of_unknown_version_has_no_version(version: Any) -> None:
    assert event_file(version=version).event_files["history-tb_1.jsonl"]["version"] is None


@pytest.mark.parametrize("event_file", [None, "events.1", {}, {"name": 1}])
def test_a_header_that_names_no_event_file_makes_none(event_file: Any) -> None:
    fold = opened(("history.jsonl", 1.0), event_file=event_file)
    apply(fold, "history.jsonl", "session", {"status": "start", "row": 0, "step": 0}, 2.0)
    assert (fold.event_files, fold.corrupt) == ({}, 0)


@pytest.mark.parametrize("payload", [{"row": 1}, {"row": 1.5, "step": 1}, {"row": True, "step": 1}, {"step": 1}])
def test_a_session_without_a_row_or_step_is_corrupt(payload: dict[str, Any]) -> None:
    fold = event_file()
    apply(fold, "history-tb_1.jsonl", "session", {"status": "start", **payload}, 2.0)
    assert (fold.corrupt, fold.event_files["history-tb_1.jsonl"]["starts"]) == (1, [])


# -- processes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["failed", "killed", "crashed"])
def test_a_process_that_announced_preemption_and_did_not_end_well_is_preempted(state: str) -> None:
    fold = opened(("history.jsonl", 1))
    apply(fold, "history.jsonl", "preempting", {}, 2)
    assert fold.state == "running"
    bury(fold, "history.jsonl", 3) if state == "crashed" else finish(fold, "history.jsonl", state, 3)
    assert fold.state == "preempted"
    assert RunState.from_json(orjson.loads(orjson.dumps(fold.to_json()))).state == "preempted"
    apply(fold, "history-b.jsonl", "run", RUN, 4)
    finish(fold, "history-b.jsonl", "finished", 5)
    assert fold.state == "finished"


def test_a_process_that_announced_preemption_may_end_well() -> None:
    fold = opened(("history.jsonl", 1))
    apply(fold, "history.jsonl", "preempting", {}, 2)
    finish(fold, "history.jsonl", "finished", 3)
    assert fold.state == "finished"


def test_added_rows_change_values_and_not_the_state_or_times_of_the_run() -> None:
    fold = opened(("history.jsonl", 10))
    add_row(fold, "history.jsonl", {"x": 1}, 11)
    finish(fold, "history.jsonl", "failed", 12)
    for time in (5.0, 100.0):
        name = f"history-{time:.0f}.jsonl"
        apply(fold, name, "run", {"version": 1, "id": "a", "added": True}, time)
        add_row(fold, name, {"late": time}, time)
    assert (fold.state, fold.updated, fold.header["started"]) == ("failed", 12, 10)
    assert fold.summary == {"x": 1, "late": 100.0}


def test_the_last_step_is_the_greatest_at_which_a_stream_ends() -> None:
    fold = opened(("history-a.jsonl", 1), ("history-b.jsonl", 1))
    assert fold.last_step is None
    fold.add_rows("history-a.jsonl", 2, {}, 2.0, 7)
    fold.add_rows("history-a.jsonl", 1, {}, 3.0, 4)
    fold.add_rows("history-b.jsonl", 1, {}, 3.0, 3)
    assert fold.last_step == 4


def test_a_request_to_stop_does_not_apply_to_later_processes() -> None:
    fold = opened(("history.jsonl", 10), allow_stop=True)
    assert (fold.allow_stop, fold.stop_requested) == (True, None)
    apply(fold, "edits-a.jsonl", "stop", {}, 11)
    assert RunState.from_json(orjson.loads(orjson.dumps(fold.to_json()))).stop_requested == 11
    finish(fold, "history.jsonl", "killed", 12)
    assert (fold.allow_stop, fold.stop_requested) == (False, 11)
    apply(fold, "history-b.jsonl", "run", RUN, 20)
    assert (fold.allow_stop, fold.stop_requested) == (False, None)


def test_only_an_agent_of_the_last_process_promises_a_heartbeat() -> None:
    fold = opened(("history.jsonl", 10))
    assert fold.heartbeat is None
    apply(fold, "system-a.jsonl", "run", {**RUN, "heartbeat": 60}, 11)
    assert fold.heartbeat == 60
    apply(fold, "history-b.jsonl", "run", RUN, 20)  # continued, perhaps where no agent uploads
    assert fold.heartbeat is None
    apply(fold, "system-a.jsonl", "alive", {}, 21)
    assert fold.heartbeat == 60


def test_the_newest_hundred_alerts_are_kept_in_the_order_of_their_times() -> None:
    fold = opened(("history.jsonl", 1))
    for time in [*range(100, 200), 50, 150.5]:
        apply(fold, "history.jsonl", "alert", {"title": f"t{time}", "text": "x" * 5000, "level": "loud"}, time)
    assert (len(fold.alerts), fold.alerts[0]["title"], fold.alerts[-1]["title"]) == (100, "t101", "t199")
    assert [a["title"] for a in fold.alerts[49:52]] == ["t150", "t150.5", "t151"]
    assert (fold.alerts[0]["level"], len(fold.alerts[0]["text"])) == ("info", 2000)
    apply(fold, "history.jsonl", "alert", {"title": 5}, 300)
    assert (len(fold.alerts), fold.corrupt) == (100, 1)


def test_without_a_promised_heartbeat_a_default_promise_applies() -> None:
    fold = opened(("history.jsonl", 10))
    assert fold.promise == UNPROMISED
    apply(fold, "system-a.jsonl", "run", {**RUN, "heartbeat": 60}, 11)
    assert fold.promise == 60
    apply(fold, "history-shell.jsonl", "run", {**RUN, "pid": None}, 12)  # nobody can see its end
    apply(fold, "system-a.jsonl", "alive", {}, 13)
    assert fold.promise == 60
    assert opened(("history.jsonl", 10), pid=None).promise is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_processes_name_their_predecessors_and_clocks_do_not_decide(order: tuple[int, int]) -> None:
    """The clock of the first machine was an hour ahead."""

    def first(fold: RunState) -> None:
        apply(fold, "history-a.jsonl", "run", RUN, 3610)
        finish(fold, "history-a.jsonl", "finished", 3620)

    def second(fold: RunState) -> None:
        apply(fold, "history-b.jsonl", "run", {**RUN, "after": ["history-a.jsonl"]}, 100)
        assert fold.state == "running"
        finish(fold, "history-b.jsonl", "failed", 110)

    fold = RunState()
    for number in order:
        (first, second)[number](fold)
    assert fold.state == "failed"
    assert RunState.from_json(orjson.loads(orjson.dumps(fold.to_json()))).state == "failed"


def test_streams_that_name_each_other_as_predecessors_all_count() -> None:
    fold = RunState()
    for one, other in (("history-a.jsonl", "history-b.jsonl"), ("history-b.jsonl", "history-a.jsonl")):
        apply(fold, one, "run", {**RUN, "after": [other]}, 1)
        finish(fold, one, "failed", 2)
    assert fold.state == "failed"


AT_EXIT = {"state": "failed", "exit_code": 3, "error": "text", "at_exit": "finished"}


@pytest.mark.parametrize("agent_first", [True, False])
def test_an_end_that_an_agent_saw_replaces_one_written_at_exit(agent_first: bool) -> None:
    fold = opened(("history.jsonl", 1))
    says = [
        ("history.jsonl", AT_EXIT),
        ("system.jsonl", {"state": "finished", "exit_code": 0, "stream": "history.jsonl"}),
    ]
    for stream, payload in reversed(says) if agent_first else says:
        apply(fold, stream, "finish", payload, 2)
    assert (fold.state, fold.error) == ("finished", None)


def test_an_end_that_the_process_knew_for_sure_stays() -> None:
    fold = opened(("history.jsonl", 1))
    apply(fold, "history.jsonl", "finish", {"state": "finished"}, 2)
    bury(fold, "history.jsonl", 3)
    assert fold.state == "finished"
