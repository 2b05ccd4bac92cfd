"""Who may read, write and comment on reports of a team's server."""

from __future__ import annotations

import hashlib
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.waiting import eventually
from tracker.runlog.records import encode
from tracker_server.access import accounts, api_keys, share_links, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase

REPORTS = "/api/projects/lab/digits/reports"
ON_RUN = "/api/comments?run=lab/digits/one"
PEOPLE = {"ada": "admin", "bob": "member", "eve": "viewer", "max": None}


class Team:
    """A server with the team `lab`: a client for each of its people, and for one who is not in it."""

    def __init__(self, nobody: Any, keys: dict[str, str], engine: sa.Engine, heard: list[str]) -> None:
        self.nobody, self.database, self.heard = nobody, AccessDatabase(engine), heard
        for name, key in keys.items():
            setattr(self, name, type(nobody)(nobody.url, key))

    ada: Any
    bob: Any
    eve: Any
    max: Any
    robot: Any

    def link(self, kind: str, target: str | None = None) -> Any:
        """Return a client of a share link."""
        with self.database.changing() as connection:
            made = share_links.add(connection, COMMAND_LINE, "lab", "digits", kind, target)
        client = type(self.nobody)(self.nobody.url + f"/s/{made.token}", None)
        eventually(lambda: "this link does not exist" not in client.get("/api/projects").text)
        return client


@contextmanager
def chat() -> Iterator[tuple[str, list[str]]]:
    """Run the service behind the webhook; yield its address, and the texts that it gets."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()
        thread.join()


@pytest.fixture
def team(tmp_path: Path, run_server: Any, lines: Any) -> Iterator[Team]:
    keys: dict[str, str] = {}
    engines: list[sa.Engine] = []

    def people(storage: Any) -> None:
        engines.append(storage.engine)
        with AccessDatabase(storage.engine).changing() as connection:
            for name in PEOPLE:
                accounts.add(connection, COMMAND_LINE, name, admin=name == "ada", password="hash")
            teams.add(connection, COMMAND_LINE, "lab")
            for name, role in PEOPLE.items():
                if role is not None:
                    teams.set_member(connection, COMMAND_LINE, "lab", name, role)
                keys[name] = api_keys.add(connection, COMMAND_LINE, name, "test", "all").key
            keys["robot"] = api_keys.add(connection, COMMAND_LINE, "bob", "log", "log").key

    with chat() as (hook, heard), run_server(tmp_path, people, url="https://runs.example", webhook=hook) as nobody:
        made = Team(nobody, keys, engines[0], heard)
        for run in ("one", "two"):
            path = f"/api/runs/lab/digits/{run}/streams/history.jsonl?offset=0"
            assert made.bob("POST", path, data=lines(run, entity="lab")).status_code == 200
        yield made


def create(client: Any, **content: Any) -> Any:
    answer = client("POST", REPORTS, json={"title": "Plan", **content})
    assert answer.status_code == 200, answer.text
    return answer.json()


def same(one: Any, other: Any) -> None:
    assert (one.status_code, one.text) == (other.status_code, other.text)


def test_reports_and_their_versions_have_authors(team: Team) -> None:
    made = create(team.bob)
    path = f"{REPORTS}/{made['id']}"
    assert (made["author"], made["editor"]) == ("bob", "bob")
    saved = team.ada("PUT", path, json={"title": "x", "version": 1}).json()
    assert (saved["author"], saved["editor"]) == ("bob", "ada")
    assert [one["author"] for one in team.bob.json(path + "/versions")["versions"]] == ["ada", "bob"]


def test_drafts_are_there_only_for_who_may_edit(team: Team) -> None:
    made = create(team.bob)
    path = f"{REPORTS}/{made['id']}"
    assert team.ada.json(path) == made
    assert team.eve.json(REPORTS) == {"reports": [], "cursor": None, "total": 0}
    for known, unknown in (
        (path, f"{REPORTS}/unknown"),
        (f"/api/reports/{made['id']}", "/api/reports/unknown"),
        (f"/api/comments?report={made['id']}", "/api/comments?report=unknown"),
        (f"{path}/versions", f"{REPORTS}/unknown/versions"),
        (f"{path}/versions/1", f"{REPORTS}/unknown/versions/1"),
    ):
        for client in (team.eve, team.max):
            same(client.get(known), client.get(unknown))
            assert client.get(known).status_code == 404


def test_viewers_read_what_is_published_and_nothing_before(team: Team) -> None:
    made = create(team.bob, blocks=[{"id": "a", "kind": "markdown", "text": "secret"}])
    path = f"{REPORTS}/{made['id']}"
    team.bob("PUT", path, json={"title": "Done", "state": "published", "version": 1})
    assert team.eve.json(path)["title"] == "Done"
    assert team.eve.json(f"{path}/versions/2")["title"] == "Done"
    assert team.eve.get(f"{path}/versions/1").status_code == 404
    assert team.eve.get(f"{path}/versions").status_code == 404
    for answer in (
        team.eve("POST", REPORTS, json={"title": "x"}),
        team.eve("PUT", path, json={"title": "x", "version": 2}),
        team.eve("DELETE", path),
        team.eve("POST", f"/api/comments?report={made['id']}", json={"text": "x"}),
        team.eve("POST", ON_RUN, json={"text": "x"}),
        team.robot("POST", REPORTS, json={"title": "x"}),
    ):
        assert answer.status_code in (403, 404), answer.text
    for client in (team.max, team.robot):
        same(client.get(path), client.get(f"{REPORTS}/unknown"))
        same(client.get(REPORTS), client.get("/api/projects/lab/digits/reports"))
        assert client.get(path).status_code == client.get(REPORTS).status_code == 404


def test_a_report_is_deleted_by_its_author_or_an_admin(team: Team) -> None:
    by_ada, by_bob = create(team.ada)["id"], create(team.bob)["id"]
    refused = team.bob("DELETE", f"{REPORTS}/{by_ada}")
    assert (refused.status_code, "only its author or an admin of lab" in refused.text) == (403, True)
    assert team.bob("DELETE", f"{REPORTS}/{by_bob}").status_code == 204
    assert team.ada("DELETE", f"{REPORTS}/{by_ada}").status_code == 204


def test_a_share_link_shows_a_published_report_without_comments_and_versions(team: Team) -> None:
    made = create(team.bob, state="published")
    other = create(team.bob, state="published")
    team.bob("POST", f"/api/comments?report={made['id']}", json={"text": "between us"})
    link = team.link("report", made["id"])
    assert link.json(f"/api/reports/{made['id']}") == made
    assert link.json(f"{REPORTS}/{made['id']}") == made
    assert link.json(f"/api/comments?report={made['id']}")["total"] == 0
    assert link.get(f"{REPORTS}/{made['id']}/versions").status_code == 404
    assert link.get(f"/api/reports/{other['id']}").status_code == 404
    assert link.get(REPORTS).status_code == 404
    team.bob("PUT", f"{REPORTS}/{made['id']}", json={"title": "x", "version": 1})
    same(link.get(f"/api/reports/{made['id']}"), link.get("/api/reports/unknown"))
    project = team.link("project")
    assert project.json(f"/api/reports/{other['id']}") == other
    assert [one["id"] for one in project.json(REPORTS)["reports"]] == [other["id"]]
    team.bob("POST", ON_RUN, json={"text": "between us"})
    assert project.json(ON_RUN)["total"] == team.link("run", "one").json(ON_RUN)["total"] == 0


def test_comments_belong_to_their_authors(team: Team) -> None:
    comment = team.bob("POST", ON_RUN, json={"text": "hm"}).json()
    path = f"/api/comments/{comment['id']}"
    assert comment["author"] == "bob"
    assert team.eve.json(ON_RUN)["comments"] == [comment]
    assert team.ada("PATCH", path, json={"text": "x"}).status_code == 403
    assert team.eve("DELETE", path).status_code == 403
    same(team.max("PATCH", path, json={"text": "x"}), team.max("PATCH", "/api/comments/999", json={"text": "x"}))
    same(team.max("DELETE", path), team.max("DELETE", "/api/comments/999"))
    assert team.bob("PATCH", path, json={"text": "better"}).json()["text"] == "better"
    assert team.ada("DELETE", path).status_code == 204
    mine = team.ada("POST", ON_RUN, json={"text": "x"}).json()["id"]
    assert team.bob("DELETE", f"/api/comments/{mine}").status_code == 403


def test_who_may_read_the_project_is_mentioned(team: Team) -> None:
    text = "@eve, @BOB. and @max: see @nobody-here, bob@example.org\n\n`@ada` \n\n```\n@ada\n```"
    comment = team.bob("POST", ON_RUN, json={"text": text}).json()
    assert comment["mentions"] == ["eve", "bob"]
    assert comment["text"] == text
    assert team.bob("PATCH", f"/api/comments/{comment['id']}", json={"text": "@ada"}).json()["mentions"] == ["ada"]
    names = "/api/mentions?entity=lab&project=digits&q="
    assert team.bob.json(names) == {"names": ["ada", "bob", "eve"]}
    assert team.bob.json(names + "E") == {"names": ["eve"]}
    assert team.bob.json(names + "max") == {"names": []}
    assert team.bob.json(names + "&limit=1") == {"names": ["ada"]}
    assert team.eve.get(names).status_code == 403
    same(team.max.get(names), team.max.get("/api/mentions?entity=lab&project=digits&q="))
    assert team.max.get(names).status_code == 404


def test_the_webhook_hears_of_mentions_once_and_not_what_was_said(team: Team) -> None:
    comment = team.bob("POST", ON_RUN, json={"text": "secret for @ada and @bob and @max"}).json()
    path = f"/api/comments/{comment['id']}"
    team.bob("PATCH", path, json={"text": "secret for @ada, @eve"})
    report = create(team.bob)["id"]
    team.ada("POST", f"/api/comments?report={report}", json={"text": "@bob"})
    eventually(lambda: len(team.heard) == 3)
    on_run = f"<https://runs.example/runs/lab/digits/one#comment-{comment['id']}|lab/digits/one>"
    assert team.heard[:2] == [
        f"*bob* mentions @ada in a comment on {on_run}",
        f"*bob* mentions @eve in a comment on {on_run}",
    ]
    assert f"/reports/{report}#comment-" in team.heard[2]


def test_live_updates_tell_of_reports_and_comments(team: Team) -> None:
    with team.eve("GET", "/api/live", stream=True) as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line == b"event: ping")
        create(team.bob)
        team.bob("POST", ON_RUN, json={"text": "x"})
        seen = ""
        while not ("lab/digits" in seen and "comments" in seen):
            seen += next(lines).decode()
        assert '"run":"lab/digits/one","what":["comments"]' in seen


def test_an_export_holds_only_what_its_reader_may_read(team: Team, lines: Any) -> None:
    digest = hashlib.sha256(SECRET).hexdigest()
    image = {"_type": "image", "digest": digest, "size": len(SECRET), "format": "gif"}
    for entity, client in (("max", team.max), ("lab", team.bob)):
        path = f"/api/runs/{entity}/secret/pic"
        data = lines("pic", entity=entity, project="secret") + encode("log", {"pic": image}, 1_700_000_100.0, 9)
        assert client("POST", f"{path}/streams/history.jsonl?offset=0", data=data).status_code == 200
    assert team.max("PUT", f"/api/runs/max/secret/pic/blobs/{digest}", data=SECRET).status_code == 204
    text = f"![a](/api/runs/max/secret/pic/blobs/{digest}) ![b](/api/runs/lab/digits/one/blobs/{digest})"
    blocks = [{"id": "a", "kind": "markdown", "text": text}, {"id": "b", "kind": "media", "run": "pic", "key": "pic"}]
    made = create(team.bob, blocks=blocks, state="published")
    inside = b64encode(SECRET).decode()
    for client in (team.bob, team.eve, team.link("report", made["id"]), team.link("project")):
        answer = client.get(f"{REPORTS}/{made['id']}/export")
        assert (answer.status_code, inside in answer.text) == (200, False)
        assert "/s/" not in answer.text
    same(team.max.get(f"{REPORTS}/{made['id']}/export"), team.max.get(f"{REPORTS}/unknown/export"))
    entries = [one["action"] for one in team.ada.json("/api/audit?entity=lab")["entries"]]
    assert entries.count("report exported") == 4


def test_a_share_link_to_a_report_reads_the_runs_that_it_shows(team: Team, lines: Any) -> None:
    for i, run in enumerate(("three", "four", "five")):
        data = encode("run", {"version": 1, "id": run}, 1_800_000_000.0 + i)
        team.bob("POST", f"/api/runs/lab/digits/{run}/streams/history.jsonl?offset=0", data=data)
    panel = {"id": "a", "kind": "panel", "panel": {"kind": "line", "keys": ["loss"]}, "limit": 1}
    text = {"id": "b", "kind": "markdown", "text": "```panel\nkey: loss\nruns: two\n```\n\n```panel\nbroken\n```"}
    table = {"id": "c", "kind": "table", "columns": ["name"], "runs": ["three"]}
    made = create(
        team.bob, state="published", blocks=[panel, text, {"id": "d", "kind": "columns", "left": [table], "right": []}]
    )
    link = team.link("report", made["id"])
    found = {
        run: link.get(f"/api/runs/lab/digits/{run}").status_code for run in ("one", "two", "three", "four", "five")
    }
    assert found == {"one": 404, "two": 200, "three": 200, "four": 404, "five": 200}
    listed = link("POST", "/api/table/lab/digits", json={"columns": ["id"]}).json()
    assert sorted(listed["runs"]) == ["five", "three", "two"]


SECRET = b"GIF89a" + b"secret" * 9
