from __future__ import annotations

import math
from typing import Any

import pytest


def ask(store: Any, **query: Any) -> Any:
    return store.storage.groups("me", "digits", query)


@pytest.fixture
def sweep(store: Any) -> Any:
    """Store runs of two optimizers × two rates × three seeds; the last run has no rate."""
    for i in range(12):
        config: dict[str, Any] = {"seed": i % 3, "opt": {"name": "adam" if i < 6 else "sgd"}, "arch": "vit"}
        if i != 11:
            config["lr"] = [0.1, 0.01][i // 3 % 2]
        store.run(f"r{i:02}", config, {"acc": i / 10, "note": f"n{i // 6}"}, opened=float(i))
    return store


def test_groups_have_the_runs_that_share_values(sweep: Any) -> None:
    found = ask(sweep, by=["config.opt.name"], columns=["summary.acc", "summary.note", "config.arch"])
    assert found["total"] == 2
    sgd, adam = found["groups"]  # among groups of equal size, the one with the newest run comes first
    assert (sgd["key"], sgd["count"]) == ({"config.opt.name": "sgd"}, 6)
    assert adam["runs"] == ["r05", "r04", "r03", "r02", "r01", "r00"]
    acc = adam["values"]["summary.acc"]
    assert (acc["n"], acc["min"], acc["max"]) == (6, 0.0, 0.5)
    assert math.isclose(acc["mean"], 0.25)
    assert math.isclose(acc["std"], math.sqrt(35 / 10) / 10)  # n - 1, as in the bands of charts
    assert adam["values"]["summary.note"] == {"distinct": 1, "value": "n0"}
    assert adam["values"]["config.arch"] == {"distinct": 1, "value": "vit"}


def test_except_groups_by_all_other_config_columns(sweep: Any) -> None:
    found = ask(sweep, **{"except": ["config.seed"]})
    assert [(g["key"], g["count"]) for g in found["groups"]] == [
        ({"config.lr": 0.1, "config.opt.name": "sgd"}, 3),
        ({"config.lr": 0.01, "config.opt.name": "adam"}, 3),
        ({"config.lr": 0.1, "config.opt.name": "adam"}, 3),
        ({"config.lr": 0.01, "config.opt.name": "sgd"}, 2),
        ({"config.lr": None, "config.opt.name": "sgd"}, 1),
    ]
    found = ask(sweep, **{"except": ["config.seed", "config.opt", "config.lr"]})  # nested names, too
    assert [(g["key"], g["count"]) for g in found["groups"]] == [({}, 12)]


def test_groups_are_sorted_and_paged(sweep: Any) -> None:
    def order(**query: Any) -> list[Any]:
        return [g["key"]["config.seed"] for g in ask(sweep, by=["config.seed"], **query)["groups"]]

    assert order(sort=[{"column": "summary.acc", "descending": True}]) == [2, 1, 0]
    assert order(sort=[{"column": "config.seed"}]) == [0, 1, 2]
    assert order(filter="acc < 0.2", sort=[{"column": "count"}, {"column": "config.seed"}]) == [0, 1]
    assert order(offset=1, limit=1, sort=[{"column": "config.seed"}]) == [1]
    assert order(filter="id is null") == []
    names = [
        g["key"]["config.opt.name"] for g in ask(sweep, by=["config.opt.name"], sort=[{"column": "note"}])["groups"]
    ]
    assert names == ["adam", "sgd"]


def test_the_filter_of_a_group_selects_exactly_its_runs(store: Any) -> None:
    odd: list[Any] = [
        1,
        1.0,
        True,
        "1",
        "a \"b\" \\ 'c'\n",
        None,
        [1],
        ["a"],
        "a",
        math.nan,
        math.inf,
        2**60,
        {"_type": "x"},
        -0.0,
    ]
    for i, value in enumerate(odd):
        store.run(f"r{i:02}", {"v": value, "odd `name`": i % 2, "odd name": i % 3, "k": [i % 2, "x"][i % 5 == 0]})
    for by in (["config.v"], ["config.odd name", "config.k"], ["config.odd `name`"], ["config.v", "config.odd name"]):
        for base in ("", 'id != "r01" or id == "r01"', 'id != "r00"'):
            found = ask(store, by=by, filter=base, limit=1000)["groups"]
            assert sum(g["count"] for g in found) == len(odd) - (base == 'id != "r00"')
            for group in found:
                rows = store.storage.table("me", "digits", {"filter": group["filter"], "limit": 1000})
                assert sorted(rows["runs"]) == sorted(group["runs"]), (group["key"], group["filter"])


def test_non_finite_numbers_do_not_count_in_means(store: Any) -> None:
    for i, value in enumerate([1.0, math.nan, math.inf, 3.0, None]):
        store.run(f"r{i}", {"g": 1}, {} if value is None else {"x": value})
    (group,) = ask(store, by=["config.g"], columns=["summary.x", "summary.none"])["groups"]
    assert group["values"]["summary.x"] == {"n": 2, "mean": 2.0, "std": math.sqrt(2), "min": 1.0, "max": 3.0}
    assert group["values"]["summary.none"] == {"n": 0, "mean": None, "std": None, "min": None, "max": None}


def test_a_mean_of_equal_numbers_is_that_number(store: Any) -> None:
    for i in range(7):
        store.run(f"r{i}", {}, {"x": 0.1})
    (group,) = ask(store, by=["config.g"], columns=["summary.x"])["groups"]
    assert group["values"]["summary.x"]["mean"] == 0.1


def test_invalid_groups_are_refused_with_a_reason(sweep: Any) -> None:
    for query, reason in (
        ({}, "give either `by`"),
        ({"by": ["id"], "except": []}, "give either `by`"),
        ({"by": [f"c{i}" for i in range(1001)]}, "request at most 1,000 columns"),
    ):
        with pytest.raises(ValueError, match=reason):
            ask(sweep, **query)
