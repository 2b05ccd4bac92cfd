from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracker_server.storage import reports

REPORTS = "/api/projects/me/digits/reports"
TEXT = {"id": "a", "kind": "markdown", "text": "# Ü\n\n`x`"}
PANEL = {"id": "b", "kind": "panel", "panel": {"kind": "line", "keys": ["loss"], "id": "p", "section": ""}}
TABLE = {"id": "c", "kind": "table", "columns": ["name", "summary.acc"], "sort": [{"column": "name"}]}
MEDIA = {"id": "d", "kind": "media", "run": "one", "key": "image"}
SIDES = {"id": "e", "kind": "columns", "left": [{**TEXT, "id": "f"}], "right": [{**PANEL, "id": "g"}]}


@pytest.fixture
def project(tmp_path: Path, run_server: Any, lines: Any) -> Any:
    with run_server(tmp_path) as client:
        client.append("one", lines("one"))
        yield client


def create(client: Any, **content: Any) -> Any:
    answer = client("POST", REPORTS, json={"title": "Plan", **content})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_report_is_created_listed_read_and_deleted(project: Any) -> None:
    made = create(project, blocks=[TEXT, PANEL, TABLE, MEDIA, SIDES])
    assert made["title"] == "Plan"
    assert (made["state"], made["version"], made["author"]) == ("draft", 1, None)
    assert [block["kind"] for block in made["blocks"]] == ["markdown", "panel", "table", "media", "columns"]
    assert made["blocks"][0] == TEXT
    assert made["blocks"][1] == {**PANEL, "runs": [], "filter": "", "limit": 10, "view": {}}
    path = f"{REPORTS}/{made['id']}"
    assert project.json(path) == made == project.json(f"/api/reports/{made['id']}")
    listed = project.json(REPORTS)
    about = {name: value for name, value in made.items() if name not in ("blocks", "message")}
    assert listed == {"reports": [about], "cursor": None, "total": 1}
    assert project("DELETE", path).status_code == 204
    assert project.get(path).status_code == project("DELETE", path).status_code == 404
    assert project.json(REPORTS)["total"] == 0


def test_each_save_is_a_version_that_can_be_read_and_restored(project: Any) -> None:
    first = create(project, blocks=[TEXT])
    path = f"{REPORTS}/{first['id']}"
    change = {"title": "Result", "state": "published", "blocks": [], "version": 1, "message": "Done"}
    second = project("PUT", path, json=change).json()
    assert (second["version"], second["title"], second["state"], second["message"]) == (
        2,
        "Result",
        "published",
        "Done",
    )
    assert project.json(f"{path}/versions/1") == first
    page = project.json(f"{path}/versions?limit=1")
    assert (page["total"], [one["version"] for one in page["versions"]]) == (2, [2])
    rest = project.json(f"{path}/versions?limit=1&cursor={page['cursor']}")
    assert rest["versions"] == [
        {"version": 1, "title": "Plan", "state": "draft", "author": None, "saved": first["updated"], "message": None}
    ]
    assert rest["cursor"] is None
    old = project.json(f"{path}/versions/1")
    restored = {"title": old["title"], "state": old["state"], "blocks": old["blocks"], "version": 2}
    assert project("PUT", path, json=restored).json()["blocks"] == [TEXT]
    assert project.json(path)["version"] == 3
    assert project.get(f"{path}/versions/4").status_code == 404


def test_a_save_that_replaces_an_old_version_is_refused_with_the_current_one(project: Any) -> None:
    made = create(project)
    path = f"{REPORTS}/{made['id']}"
    theirs = project("PUT", path, json={"title": "Theirs", "version": 1}).json()
    late = project("PUT", path, json={"title": "Mine", "version": 1})
    assert late.status_code == 409
    assert "somebody else has changed" in late.json()["error"]
    assert late.json()["report"] == theirs == project.json(path)
    assert project("PUT", path, json={"title": "Mine", "version": 2}).json()["version"] == 3


def test_reports_are_searched_in_titles_and_paged(project: Any) -> None:
    ids = [create(project, title=f"Straße {i}")["id"] for i in range(5)]
    create(project, title="other")
    pages: list[list[str]] = []
    cursor = ""
    while True:
        page = project.json(f"{REPORTS}?search=STRASSE&limit=2{cursor}")
        assert page["total"] == 5
        pages.append([one["id"] for one in page["reports"]])
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [id for page in pages for id in page] == ids[::-1]


def test_invalid_reports_are_refused_with_a_reason(project: Any) -> None:
    path = f"{REPORTS}/{create(project)['id']}"
    deep: Any = "x"
    for _ in range(120):
        deep = [deep]
    for method, to, body, status, reason in [
        ("GET", "/api/projects/me/none/reports", None, 404, "there is no project me/none"),
        ("POST", "/api/projects/me/none/reports", {"title": "x"}, 404, "there is no project me/none"),
        ("GET", f"{REPORTS}/none", None, 404, "no such report"),
        ("GET", f"{REPORTS}/..%2f", None, 404, "nothing at"),
        ("GET", "/api/reports/none", None, 404, "no such report"),
        ("GET", f"{REPORTS}?cursor=x", None, 400, "omit it to start at the first page"),
        ("GET", f"{path}/versions?cursor=x", None, 400, "omit it to start at the first page"),
        ("POST", REPORTS, {"title": ""}, 400, "title"),
        ("POST", REPORTS, {"title": "x" * 201}, 400, "title"),
        ("POST", REPORTS, {"title": "x", "state": "secret"}, 400, "state"),
        ("POST", REPORTS, {"title": "x", "more": 1}, 400, "more"),
        ("POST", REPORTS, {"title": "x", "blocks": [{"id": "a", "kind": "script"}]}, 400, "kind"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**TEXT, "id": "../"}]}, 400, "id"),
        ("POST", REPORTS, {"title": "x", "blocks": [TEXT, TEXT]}, 400, "the same id"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**TEXT, "text": "x" * 500_001}]}, 400, "text"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**TEXT, "id": str(i)} for i in range(201)]}, 400, "at most 200"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**MEDIA, "run": "../one"}]}, 400, "run"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**MEDIA, "run": "other/secret/one"}]}, 400, "run"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**SIDES, "left": [{**SIDES, "id": "x"}]}]}, 400, "left"),
        ("POST", REPORTS, {"title": "x", "blocks": [{**PANEL, "panel": {"a": deep}}]}, 400, "100 levels deep"),
        (
            "POST", REPORTS,
            {"title": "x", "blocks": [{**TEXT, "id": str(i), "text": "x" * 499_990} for i in range(2)]},
            413, "at most 1,000,000",
        ),
        ("PUT", path, {"title": "x"}, 400, "version: Field required"),
        ("PUT", path, {"title": "x", "version": 0}, 400, "version"),
        ("PUT", f"{REPORTS}/none", {"title": "x", "version": 1}, 404, "no such report"),
    ]:  # fmt: skip
        answer = project(method, to, json=body)
        assert (answer.status_code, reason in answer.text) == (status, True), (to, str(body)[:200], answer.text[:300])


def test_a_report_is_found_only_in_its_project(project: Any, lines: Any) -> None:
    made = create(project)
    data = lines("two", project="other")
    project("POST", "/api/runs/me/other/two/streams/history.jsonl?offset=0", data=data)
    assert project.get(f"/api/projects/me/other/reports/{made['id']}").status_code == 404
    assert project("DELETE", f"/api/projects/me/other/reports/{made['id']}").status_code == 404
    assert project.json(f"/api/reports/{made['id']}")["project"] == "digits"


def test_the_numbers_of_reports_and_of_versions_are_limited(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_REPORTS", 1)
    monkeypatch.setattr(reports, "MAX_VERSIONS", 2)
    path = f"{REPORTS}/{create(project)['id']}"
    answer = project("POST", REPORTS, json={"title": "x"})
    assert (answer.status_code, "delete some" in answer.json()["error"]) == (400, True)
    assert project("PUT", path, json={"title": "x", "version": 1}).status_code == 200
    answer = project("PUT", path, json={"title": "x", "version": 2})
    assert (answer.status_code, "copy its content" in answer.json()["error"]) == (400, True)
