from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracker_server.storage import comments

ON_RUN = "/api/comments?run=me/digits/one"


@pytest.fixture
def project(tmp_path: Path, run_server: Any, lines: Any) -> Any:
    with run_server(tmp_path) as client:
        client.append("one", lines("one"))
        client.append("two", lines("two"))
        yield client


def add(client: Any, text: str, on: str = ON_RUN) -> Any:
    answer = client("POST", on, json={"text": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


def report(client: Any) -> str:
    made: str = client("POST", "/api/projects/me/digits/reports", json={"title": "x"}).json()["id"]
    return made


def test_comments_are_added_edited_listed_and_deleted(project: Any) -> None:
    on_report = f"/api/comments?report={report(project)}"
    first, second = add(project, "**Hm**, ü"), add(project, "two")
    other = add(project, "on the report", on_report)
    assert first.items() >= {"run": "me/digits/one", "report": None, "author": None, "text": "**Hm**, ü"}.items()
    assert first.items() >= {"mentions": [], "edited": None, "deleted": None}.items()
    assert project.json(on_report) == {"comments": [other], "cursor": None, "total": 1}
    assert project.json("/api/comments?run=me/digits/two")["total"] == 0
    edited = project("PATCH", f"/api/comments/{first['id']}", json={"text": "better"}).json()
    assert (edited["text"], edited["created"]) == ("better", first["created"])
    assert edited["edited"] >= edited["created"]
    assert project("DELETE", f"/api/comments/{second['id']}").status_code == 204
    listed = project.json(ON_RUN)["comments"]
    assert listed[0] == edited
    assert (listed[1]["text"], listed[1]["deleted"] >= second["created"]) == ("", True)
    assert project("DELETE", f"/api/comments/{second['id']}").status_code == 404
    assert project("PATCH", f"/api/comments/{second['id']}", json={"text": "x"}).status_code == 404


def test_comments_are_paged(project: Any) -> None:
    ids = [add(project, str(i))["id"] for i in range(5)]
    found: list[int] = []
    cursor = ""
    while True:
        page = project.json(f"{ON_RUN}&limit=2{cursor}")
        found += [one["id"] for one in page["comments"]]
        assert (len(page["comments"]) <= 2, page["total"]) == (True, 5)
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert found == ids


def test_comments_go_with_their_run_and_their_report(project: Any) -> None:
    on_run = add(project, "x")["id"]
    id = report(project)
    on_report = add(project, "x", f"/api/comments?report={id}")["id"]
    project("DELETE", "/api/runs/me/digits/one")
    project("DELETE", f"/api/projects/me/digits/reports/{id}")
    for comment in (on_run, on_report):
        assert project("PATCH", f"/api/comments/{comment}", json={"text": "y"}).status_code == 404
        assert project("DELETE", f"/api/comments/{comment}").status_code == 404
    assert project.get(ON_RUN).status_code == 404


def test_invalid_comments_are_refused_with_a_reason(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for method, path, body, status, reason in [
        ("GET", "/api/comments", None, 400, "name one run or one report"),
        ("GET", f"{ON_RUN}&report=a", None, 400, "name one run or one report"),
        ("GET", "/api/comments?run=one", None, 400, "must have the form entity/project/id"),
        ("GET", "/api/comments?run=me/digits/none", None, 404, "no such run"),
        ("GET", "/api/comments?report=none", None, 404, "no such report"),
        ("GET", f"{ON_RUN}&cursor=x", None, 400, "omit it to start at the first page"),
        ("POST", "/api/comments?run=me/digits/none", {"text": "x"}, 404, "no such run"),
        ("POST", "/api/comments?report=none", {"text": "x"}, 404, "no such report"),
        ("POST", ON_RUN, {"text": " \n"}, 400, "text"),
        ("POST", ON_RUN, {"text": "x" * 20_001}, 400, "text"),
        ("POST", ON_RUN, {"text": "x", "author": "ada"}, 400, "author"),
        ("PATCH", "/api/comments/99", {"text": "x"}, 404, "no such comment"),
        ("DELETE", "/api/comments/99", None, 404, "no such comment"),
        ("DELETE", "/api/comments/0", None, 400, "id"),
    ]:
        answer = project(method, path, json=body)
        assert (answer.status_code, reason in answer.text) == (status, True), (path, answer.text)
    monkeypatch.setattr(comments, "MAX_COMMENTS", 1)
    add(project, "x")
    answer = project("POST", ON_RUN, json={"text": "x"})
    assert (answer.status_code, "which is the most" in answer.text) == (400, True)
