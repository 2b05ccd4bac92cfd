from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracker
from tests.removal import remove_run

pytestmark = pytest.mark.usefixtures("no_agents")


def agreed(run: tracker.Run) -> dict[str, Any]:
    """Return the summary, after checking that the logging process and a reader of the log agree."""
    found = tracker.read_run(run.dir).summary
    mine = run.summary.as_dict()
    assert repr(sorted(mine.items())) == repr(sorted(found.items()))
    assert {key: repr(run.summary[key]) for key in mine} == {key: repr(value) for key, value in mine.items()}
    assert (sorted(run.summary), len(run.summary)) == (sorted(mine), len(mine))
    return mine


def test_by_default_the_summary_is_the_last_value_of_each_key() -> None:
    run = tracker.init()
    run.log({"a": 1, "b": 2, "text": "x"})
    run.log({"a": 3, "nested": {"c": 4}})
    assert agreed(run) == {"a": 3, "b": 2, "text": "x", "nested/c": 4}
    run.log({"a": math.nan, "big": 10**30, "none": None})
    assert math.isnan(agreed(run)["a"])


def test_an_explicit_value_wins_over_later_rows() -> None:
    run = tracker.init()
    run.log({"acc": 0.5})
    run.summary["acc"] = 0.9
    run.summary.update({"best": 1}, other=math.inf)
    tracker.summary["of/module"] = 2
    run.log({"acc": 0.6})
    assert agreed(run) == {"acc": 0.9, "best": 1, "other": math.inf, "of/module": 2}


@pytest.mark.parametrize(
    ("how", "goal", "expected"),
    [
        ("min", None, 1), ("max", None, 4), ("mean", None, 7 / 3), ("last", None, 2), ("best", None, 1),
        ("best", "maximize", 4), ("best", "minimize", 1),
    ],
)  # fmt: skip
def test_define_metric_chooses_the_value(how: Any, goal: Any, expected: float) -> None:
    run = tracker.init()
    run.define_metric("val/*", summary=how, goal=goal)
    for value in (1, 4, math.nan, 2):
        run.log({"val/loss": value, "other": value})
    assert agreed(run) == {"val/loss": expected, "other": 2}


def test_the_summary_none_leaves_a_key_out() -> None:
    run = tracker.init()
    run.define_metric("secret", summary="none")
    run.log({"secret": 1, "open": 2})
    assert agreed(run) == {"open": 2}


def test_a_definition_applies_to_earlier_rows_too() -> None:
    run = tracker.init()
    run.log({"loss": 1})
    run.log({"loss": 5, "list": [1]})
    tracker.define_metric("loss", summary="min")
    run.log({"loss": 3})
    assert agreed(run) == {"loss": 1, "list": [1]}


def test_a_definition_of_the_axis_does_not_change_the_defined_summary() -> None:
    run = tracker.init()
    run.define_metric("loss", summary="min")
    run.define_metric("loss", step_metric="epoch")
    run.log({"loss": 1})
    run.log({"loss": 5})
    assert agreed(run) == {"loss": 1}
    (first, second) = tracker.read_run(run.dir).info["metrics"]
    assert (first, second) == ({"name": "loss", "summary": "min"}, {"name": "loss", "step_metric": "epoch"})


@pytest.mark.parametrize(
    "arguments",
    [{"name": ""}, {"name": None}, {"name": 5}, {"name": "x", "summary": "median"}, {"name": "x", "goal": "up"}],
)
def test_unknown_words_are_refused(arguments: dict[str, Any]) -> None:
    run = tracker.init()
    with pytest.raises(ValueError, match=r"define_metric|must be"):
        run.define_metric(**arguments)
    assert tracker.read_run(run.dir).info["metrics"] == []


values = st.integers(-5, 5) | st.sampled_from([0.5, math.nan, math.inf, 10**20, "text", True, None])
rows = st.dictionaries(st.sampled_from(["a", "ab", "b/c"]), values, max_size=3)
actions = st.one_of(
    st.tuples(st.just("log"), rows),
    st.tuples(st.just("hand"), rows),
    st.tuples(
        st.just("define"),
        st.fixed_dictionaries(
            {"name": st.sampled_from(["a", "a*", "*"])},
            optional={
                "summary": st.sampled_from(["last", "min", "max", "mean", "best", "none"]),
                "goal": st.sampled_from(["minimize", "maximize"]),
                "step_metric": st.just("b/c"),
            },
        ),
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, max_size=8))
def test_the_process_and_the_reader_agree_on_the_summary(
    done: list[tuple[str, Any]],
) -> None:
    with tracker.init(reinit="create_new", settings={"silent": True}) as run:
        for what, payload in done:
            if what == "log":
                run.log(payload)
            elif what == "hand":
                run.summary.update(payload)
            else:
                run.define_metric(**payload)
        agreed(run)


def test_values_cannot_be_removed_and_missing_ones_are_key_errors() -> None:
    run = tracker.init()
    run.log({"a": 1})
    with pytest.raises(TypeError, match="not removed"):
        del run.summary["a"]
    with pytest.raises(KeyError):
        run.summary["b"]
    assert run.summary.get("b", 5) == 5


def test_a_value_is_found_after_many_rows_and_after_the_directory_is_gone() -> None:
    run = tracker.init()
    run.log({"once": 1, "loss": -1})
    for i in range(4000):  # more than the part that is searched for a single value
        run.log({"loss": i, "filler": "x" * 100})
        if i in (0, 2000, 3999):
            assert run.summary["loss"] == i
    assert (run.summary["once"], run.summary.get("nothing")) == (1, None)
    assert agreed(run)["loss"] == 3999
    run.log({"last": 5})
    remove_run(run.dir)
    assert (run.summary["last"], run.summary["once"]) == (5, 1)  # the open stream can still be read
    run.log({"last": 6})
    run.finish()
    assert (run.summary["last"], run.summary["loss"]) == (6, 3999)


def test_a_finished_run_whose_directory_is_gone_has_its_last_values() -> None:
    with tracker.init() as run:
        for i in range(10):
            run.log({"loss": i})
    remove_run(run.dir)
    assert run.summary.as_dict() == {"loss": 9}
    run.log({"loss": 10})
    assert run.summary["loss"] == 9  # that row is dropped


def test_rows_that_cannot_be_written_can_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from tracker.sdk import run as module

    run = tracker.init()
    run.define_metric("best", summary="max")
    run.log({"best": 3, "x": 0})
    remove_run(run.dir)
    monkeypatch.setattr(module, "CHECK_EVERY", -1)  # check with every row
    for x in (1, 2, 3):
        run.log({"x": x, "best": 1})
    assert (run.summary["x"], run.summary["best"], run.dropped) == (3, 3, 2)


FORKED = """
import os, tracker
run = tracker.init()
run.log({"before": 1, "both": 1})
if (pid := os.fork()) == 0:
    run.log({"both": 2})
    print(run.summary.as_dict(), flush=True)
    run.finish()
    os._exit(0)
run.log({"parent": 3})
os.waitpid(pid, 0)
print(run.summary.as_dict())
"""


def test_a_forked_child_has_the_rows_logged_before_the_fork() -> None:
    # In a process of its own: libraries that other tests import must not be forked.
    done = subprocess.run([sys.executable, "-c", FORKED], text=True, stdout=subprocess.PIPE, check=True)
    assert done.stdout.splitlines() == ["{'before': 1, 'both': 2}", "{'before': 1, 'both': 1, 'parent': 3}"]
