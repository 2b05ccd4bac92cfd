from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.team import Team, team_server
from tracker.runlog.records import encode


def write(client: Any, run: str, place: str = "me/digits", offset: int = 0, step: int = 0) -> Any:
    """Append a row, after the header if it is the first one."""
    head = b"" if offset else encode("run", {"version": 1, "id": run}, 1.0)
    data = head + encode("log", {"loss": 1.0}, 2.0 + step, step)
    return client("POST", f"/api/runs/{place}/{run}/streams/history.jsonl?offset={offset}", data=data)


def runs(client: Any, place: str) -> list[str]:
    return sorted(run["id"] for run in client.json(f"/api/runs/{place}")["runs"])


@pytest.fixture
def personal(tmp_path: Path, run_server: Any) -> Iterator[Any]:
    with run_server(tmp_path) as client:
        for run in ("one", "two"):
            write(client, run)
        yield client


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_server(tmp_path) as made:
        for run, who in (("one", "eve"), ("two", "bob")):
            assert write(made[who], run, "lab/digits").status_code == 200
        assert write(made["mallory"], "three", "shop/secret").status_code == 200
        yield made


def audit(team: Team) -> list[tuple[str, str, str]]:
    entries = team["ada"].json("/api/audit")["entries"]
    return [(one["actor"].split(" ")[0], one["action"], one["entity"]) for one in entries]


# -- without accounts --------------------------------------------------------------------------------------------------


def test_a_renamed_project_answers_under_both_names(personal: Any) -> None:
    answer = personal("PATCH", "/api/projects/me/digits", json={"name": "letters"})
    assert answer.status_code == 200
    assert (answer.json()["project"], answer.json()["runs"], answer.json()["visibility"]) == ("letters", 2, "private")
    for name in ("digits", "letters"):
        assert personal.json(f"/api/projects/me/{name}")["project"] == "letters"
        assert runs(personal, f"me/{name}") == ["one", "two"]
        assert personal.json(f"/api/runs/me/{name}/one")["project"] == "letters"
    assert [one["project"] for one in personal.json("/api/projects")["projects"]] == ["letters"]
    offset = personal.json("/api/runs/me/digits/one/streams")["offsets"]["history.jsonl"]
    assert write(personal, "one", "me/digits", offset, 1).status_code == 200
    assert personal.json("/api/runs/me/letters/one")["rows"] == 2
    assert "manage_project" in personal.json("/api/projects/me/letters")["rights"]


def test_names_that_are_taken_or_wrong_are_refused(personal: Any) -> None:
    write(personal, "three", "me/letters")
    answer = personal("PATCH", "/api/projects/me/digits", json={"name": "letters", "visibility": "internal"})
    assert (answer.status_code, "me/letters already" in answer.json()["error"]) == (409, True)
    assert personal.json("/api/projects/me/digits")["visibility"] == "private"
    for body, status in (
        ({"name": "a/b"}, 400),
        ({"name": ""}, 400),
        ({"visibility": "public"}, 400),
        ({"title": "x"}, 400),
    ):
        assert personal("PATCH", "/api/projects/me/digits", json=body).status_code == status, body
    assert personal("PATCH", "/api/projects/me/none", json={"name": "x"}).status_code == 404
    assert personal("DELETE", "/api/projects/me/none").status_code == 404
    assert runs(personal, "me/digits") == ["one", "two"]


def test_a_deleted_project_takes_its_files_along_and_refuses_uploads(personal: Any) -> None:
    content = b"x" * 100
    digest = hashlib.sha256(content).hexdigest()
    lines = encode("run", {"version": 1, "id": "one"}, 1.0)
    lines += encode("file", {"name": "a.bin", "digest": digest, "size": 100}, 2.0)
    personal("POST", "/api/runs/me/digits/one/streams/history-f.jsonl?offset=0", data=lines)
    assert personal("PUT", f"/api/runs/me/digits/one/blobs/{digest}", data=content).status_code in (200, 201, 204)
    assert personal.get(f"/api/runs/me/digits/one/blobs/{digest}").content == content
    assert personal("DELETE", "/api/projects/me/digits").status_code == 204
    assert personal.json("/api/projects")["projects"] == []
    assert personal.get("/api/projects/me/digits").status_code == 404
    assert personal.get("/api/runs/me/digits/one/streams").status_code == 410
    assert write(personal, "one").status_code == 410
    assert write(personal, "new").status_code == 200  # a new project
    assert runs(personal, "me/digits") == ["new"]
    assert personal.json("/api/runs/me/digits/new/streams")["missing"] == []
    assert write(personal, "one").status_code == 410
    assert personal("DELETE", "/api/runs/me/digits/one?readmit=true").status_code == 204
    assert write(personal, "one").status_code == 200


def test_runs_move_with_their_old_links_and_uploads(personal: Any) -> None:
    write(personal, "three", "me/letters")
    body = {"runs": ["me/digits/one"], "entity": "me", "project": "letters"}
    assert personal("POST", "/api/runs/move", json=body).json() == {"changed": 1}
    assert (runs(personal, "me/digits"), runs(personal, "me/letters")) == (["two"], ["one", "three"])
    for old in ("digits", "letters"):
        path = f"/api/runs/me/{old}/one"
        assert personal.json(path)["project"] == "letters"
        assert personal.json(path + "/stop") == {"requested": None}
        assert personal.json(path + "/resumption")["step"] is not None
        offset = personal.json(path + "/streams")["offsets"]["history.jsonl"]
        assert write(personal, "one", f"me/{old}", offset, 1).status_code == 200
    chart = {"runs": ["me/digits/one"], "keys": ["loss"]}
    assert personal("POST", "/api/charts", json=chart).json()["series"][0]["run"] == "me/digits/one"
    assert personal("POST", "/api/runs/move", json=body).json() == {"changed": 0}
    write(personal, "three")
    clash = {"runs": ["me/digits/three", "me/digits/two"], "entity": "me", "project": "letters"}
    answer = personal("POST", "/api/runs/move", json=clash)
    assert (answer.status_code, "(three)" in answer.json()["error"]) == (409, True)
    assert runs(personal, "me/digits") == ["three", "two"]
    assert personal("POST", "/api/runs/move", json={**clash, "project": "none"}).status_code == 404
    unknown = {**clash, "runs": ["me/digits/nothing"]}
    assert personal("POST", "/api/runs/move", json=unknown).status_code == 404
    assert personal("DELETE", "/api/runs/me/digits/one").status_code == 204  # under its former name
    assert runs(personal, "me/letters") == ["three"]


def test_a_project_is_copied(personal: Any) -> None:
    answer = personal("POST", "/api/projects/me/digits/copy", json={"entity": "me", "name": "copied"})
    assert answer.status_code == 201
    assert (answer.json()["project"], answer.json()["runs"]) == ("copied", 2)
    assert runs(personal, "me/copied") == runs(personal, "me/digits") == ["one", "two"]
    again = personal("POST", "/api/projects/me/digits/copy", json={"entity": "me", "name": "copied"})
    assert again.status_code == 409
    for body, status in (({"entity": "me", "name": "a/b"}, 400), ({"entity": "me"}, 400), ({}, 400)):
        assert personal("POST", "/api/projects/me/digits/copy", json=body).status_code == status
    unknown = personal("POST", "/api/projects/me/none/copy", json={"entity": "me", "name": "x"})
    assert unknown.status_code == 404


# -- with accounts -----------------------------------------------------------------------------------------------------


def test_only_admins_of_both_places_change_projects(team: Team) -> None:
    for who, status in (("eve", 403), ("vic", 403), ("eve-read", 403), ("ada", 403), ("mallory", 404), ("lab", 404)):
        client = team[who]
        for method, path, body in (
            ("PATCH", "/api/projects/lab/digits", {"name": "x"}),
            ("PATCH", "/api/projects/lab/digits", {"visibility": "internal"}),
            ("DELETE", "/api/projects/lab/digits", None),
            ("POST", "/api/projects/lab/digits/copy", {"entity": "lab", "name": "x"}),
            ("POST", "/api/runs/move", {"runs": ["lab/digits/one"], "entity": "lab", "project": "digits"}),
        ):
            answer = client(method, path, json=body)
            assert answer.status_code == status, (who, method, path, answer.text)
    assert team["bob"]("PATCH", "/api/projects/lab/digits", json={"entity": "shop"}).status_code == 403
    copy = {"entity": "shop", "name": "digits"}
    assert team["bob"]("POST", "/api/projects/lab/digits/copy", json=copy).status_code == 403
    move = {"runs": ["lab/digits/one"], "entity": "shop", "project": "secret"}
    assert team["bob"]("POST", "/api/runs/move", json=move).status_code == 404
    assert runs(team["bob"], "lab/digits") == ["one", "two"]
    assert [entry for entry in audit(team) if "project" in entry[1] or "runs" in entry[1]] == []


def test_what_may_not_be_read_answers_as_what_is_not_there_under_former_names_too(team: Team) -> None:
    assert team["bob"]("PATCH", "/api/projects/lab/digits", json={"name": "letters"}).status_code == 200
    texts = set()
    for name in ("digits", "letters", "nothing"):
        for method, path, body in (
            ("GET", f"/api/projects/lab/{name}", None),
            ("PATCH", f"/api/projects/lab/{name}", {"name": "x"}),
            ("DELETE", f"/api/projects/lab/{name}", None),
        ):
            answer = team["mallory"](method, path, json=body)
            assert answer.status_code == 404
            texts.add(answer.text.replace(name, "…"))
    assert len(texts) == 1


def test_visibility_is_seen_at_once_and_follows_a_renamed_project(team: Team) -> None:
    assert team["mallory"].get("/api/projects/lab/digits").status_code == 404
    changed = team["bob"]("PATCH", "/api/projects/Lab/digits", json={"visibility": "internal", "name": "letters"})
    assert (changed.status_code, changed.json()["visibility"], changed.json()["entity"]) == (200, "internal", "lab")
    for name in ("digits", "letters"):
        assert team["mallory"].json(f"/api/projects/lab/{name}")["rights"] == ["read"]
        assert runs(team["mallory"], f"lab/{name}") == ["one", "two"]
    assert team["bob"].json("/api/projects/lab/letters")["members"] == 3
    assert team["bob"]("PATCH", "/api/projects/lab/letters", json={"visibility": "private"}).status_code == 200
    assert team["mallory"].get("/api/projects/lab/letters").status_code == 404
    assert audit(team)[:3] == [
        ("bob", "visibility changed", "lab"),
        ("bob", "visibility changed", "lab"),
        ("bob", "project renamed", "lab"),
    ]


def test_a_project_moves_to_another_entity_with_its_rights(team: Team) -> None:
    assert team["bob"]("PATCH", "/api/projects/lab/digits", json={"entity": "Bob", "name": "mine"}).status_code == 200
    assert team["eve"].get("/api/projects/lab/digits").status_code == 404
    assert [one["project"] for one in team["eve"].json("/api/projects")["projects"]] == []
    assert team["bob"].json("/api/projects/lab/digits")["entity"] == "bob"
    # Who may not log there any more is told so, and keeps everything.
    assert write(team["eve"], "one", "lab/digits", 10_000, 1).status_code == 403
    users = {run["id"]: run["user"] for run in team["bob"].json("/api/runs/bob/mine")["runs"]}
    assert users == {"one": "eve", "two": "bob"}


def test_runs_and_edits_tell_who_made_them(team: Team) -> None:
    assert team["bob"].json("/api/runs/lab/digits/one")["user"] == "eve"
    found = team["vic"].json("/api/runs/lab/digits", params={"filters": 'user = "eve"'})
    assert [run["id"] for run in found["runs"]] == ["one"]
    body = {"runs": ["lab/digits/one"], "set": {"notes": "hi"}}
    assert team["bob"]("POST", "/api/edits", json=body).status_code == 200
    (edit,) = team["vic"].json("/api/runs/lab/digits/one/edits")["edits"]
    assert (edit["user"], edit["changes"]) == ("bob", {"meta": {"notes": "hi"}})
    assert team["mallory"].get("/api/runs/lab/digits/one/edits").status_code == 404


def test_a_share_link_follows_its_project_and_its_run(team: Team) -> None:
    bob = team["bob"]
    assert write(bob, "four", "lab/other").status_code == 200
    urls = []
    for body in ({"kind": "project"}, {"kind": "run", "target": "one"}):
        made = bob("POST", "/api/projects/lab/digits/links", json=body)
        assert made.status_code == 201, made.text
        urls.append("/s/" + made.json()["url"].split("/s/")[1].strip("/"))
    nobody = team.nobody()
    whole, single = urls
    assert nobody.get(f"{whole}/api/runs/lab/digits/one").status_code == 200
    assert bob("PATCH", "/api/projects/lab/digits", json={"name": "letters"}).status_code == 200
    assert nobody.get(f"{whole}/api/runs/lab/letters/two").status_code == 200
    assert nobody.get(f"{single}/api/runs/lab/letters/one").status_code == 200
    move = {"runs": ["lab/letters/one"], "entity": "lab", "project": "other"}
    assert bob("POST", "/api/runs/move", json=move).json() == {"changed": 1}
    assert nobody.get(f"{whole}/api/runs/lab/letters/one").status_code == 404
    assert nobody.get(f"{single}/api/runs/lab/letters/one").json()["project"] == "other"
    assert nobody.get(f"{single}/api/runs/lab/other/four").status_code == 404
    assert bob("DELETE", "/api/projects/lab/letters").status_code == 204
    assert nobody.get(f"{whole}/api/runs/lab/letters/two").status_code in (401, 404)
    assert nobody.get(f"{single}/api/runs/lab/other/one").status_code == 200
    assert [entry[1] for entry in audit(team)[:2]] == ["project deleted", "runs moved"]


def test_the_audit_log_has_deletions_of_runs(team: Team) -> None:
    body = {"runs": ["lab/digits/one", "shop/secret/three"]}  # of the second one eve may not know
    assert team["eve"]("POST", "/api/trash", json=body).json() == {"changed": 1}
    assert team["eve"]("POST", "/api/trash/restore", json=body).json() == {"changed": 1}
    assert team["eve"]("DELETE", "/api/runs/lab/digits/one").status_code == 204
    assert audit(team)[:3] == [
        ("eve", "run deleted", "lab"),
        ("eve", "runs restored", "lab"),
        ("eve", "runs moved to the trash", "lab"),
    ]
    entries = team["ada"].json("/api/audit")["entries"]
    assert [one["subject"] for one in entries[:3]] == ["lab/digits/one"] * 3
