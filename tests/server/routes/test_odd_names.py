"""Every route accepts and returns keys of any text."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tracker.runlog.records import encode

NAMES = [
    "", " ", " loss ", "a`b``c", 'q"u\'o\\te', "/a//b/", ".a..b.", "loss@min", "@max", "__proto__", "a\nb", "\x00\x1b",
    "\u202eabc", "k" * 1100, "損" * 10_000, "<img src=x>", "1", "and", "%2F", "a,b", "config.", "Loss", "loss",
]  # fmt: skip


@pytest.fixture(scope="module")
def named(client: Any) -> Any:
    for run, value in (("a", 1.5), ("b", 2.5)):
        lines = encode("run", {"version": 1, "id": run, "entity": "me", "project": "named", "tags": NAMES[:5]}, 1.0)
        lines += encode("config", dict.fromkeys(NAMES, value), 1.0)
        lines += encode("log", dict.fromkeys(NAMES, value), 2.0, 0)
        path = f"/api/runs/me/named/{run}/streams/history.jsonl?offset=0"
        assert client("POST", path, data=lines).status_code == 200
    return client


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_key_of_any_text_can_be_sorted_filtered_and_grouped_by(named: Any, name: str) -> None:
    listed = {one["name"] for one in named.json("/api/columns/me/named")["columns"]}
    for column in (f"config.{name}", f"summary.{name}"):
        assert column in listed
        found = named("POST", "/api/columns/me/named", json={"names": [column], "search": "no such"}).json()
        assert [one["name"] for one in found["columns"]] == [column]
        written = "`" + column.replace("`", "``") + "`"
        query = {"filter": f"{written} > 2", "columns": [column], "sort": [{"column": column, "descending": True}]}
        page = named("POST", "/api/table/me/named", json=query).json()
        assert (page["runs"], page["columns"]) == (["b"], {column: [2.5]})
        groups = named("POST", "/api/groups/me/named", json={"by": [column], "columns": [column]}).json()["groups"]
        for group in groups:
            again = named("POST", "/api/table/me/named", json={"filter": group["filter"]}).json()
            assert again["runs"] == group["runs"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_key_of_any_text_has_charts_and_rows(named: Any, name: str) -> None:
    series = named("POST", "/api/charts", json={"runs": ["me/named/a"], "keys": [name]}).json()["series"]
    assert [(one["key"], one["mean"]) for one in series] == [(name, [1.5])]
    history = named.json(f"/api/runs/me/named/a/history?keys={quote(name)}") if len(name) < 5000 else None
    if history is not None:
        assert history["columns"][name]["values"] == [1.5]
    assert name in {one["key"] for one in named("POST", "/api/keys", json={"runs": ["me/named/a"]}).json()["keys"]}


def test_of_very_many_columns_the_first_are_listed_and_search_finds_the_others(client: Any) -> None:
    lines = encode("run", {"version": 1, "id": "r", "entity": "me", "project": "many"}, 1.0)
    lines += encode("log", {f"layer{i:04}": i for i in range(3000)}, 2.0, 0)
    assert client("POST", "/api/runs/me/many/r/streams/history.jsonl?offset=0", data=lines).status_code == 200
    listed = client.json("/api/columns/me/many")
    assert len(listed["columns"]) <= 1000
    assert listed["matching"] > 3000
    found = client("POST", "/api/columns/me/many", json={"search": "LAYER299"}).json()
    assert [one["name"] for one in found["columns"]] == [f"summary.layer299{i}" for i in range(10)]
    assert found["matching"] == 10
