"""Two teams on one server see nothing of each other."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests.server.access import route_walk
from tests.server.access.route_walk import FOREIGN, OWN, Asker, World
from tests.server.routes.test_live import Events
from tests.waiting import eventually
from tracker.runlog.records import encode
from tracker_server.access import accounts, api_keys, share_links, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.paging import Part
from tracker_server.access.principal import NOBODY

OF_THE_LAB = ("lab", "digits", "eve", "vic")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with route_walk.world(tmp_path_factory.mktemp("teams")) as made:
        yield made


def _new(world: World, owner: str, scope: str = "all") -> Asker:
    """A key of its own for a test."""
    with world.database.changing() as connection:
        key = api_keys.add(connection, COMMAND_LINE, owner, "test", scope).key
    asker = Asker(owner, NOBODY, {"Authorization": f"Bearer {key}"})
    eventually(lambda: world.ask(asker, "GET", "/api/whoami").status_code == 200)
    return asker


@contextmanager
def _listening(world: World, asker: Asker, known: str | None = None) -> Iterator[Events]:
    headers = {} if known is None else {"Last-Event-ID": known}
    with world.ask(asker, "GET", "/api/live", stream=True, headers=headers) as answer:
        yield Events(answer)


def _append(world: World, asker: Asker, entity: str, project: str, stream: str, data: bytes | None = None) -> Any:
    line = data or encode("log", {"loss": 1.0}, 1001.0, 0)
    return world.ask(asker, "POST", f"/api/runs/{entity}/{project}/r/streams/{stream}?offset=0", data=line)


def test_no_list_tells_of_the_other_team(world: World) -> None:
    pat = _new(world, "pat")
    paths = (
        "/api/whoami",
        "/api/projects",
        "/api/teams",
        "/api/teams?search=l",
        "/api/accounts",
        "/api/accounts?search=e",
        "/api/mentions?entity=shop&project=stock&q=",
        "/api/sessions",
        "/api/account/keys",
        "/api/projects/shop/stock",
        "/api/columns/shop/stock",
        "/api/runs/shop/stock",
    )
    for path in paths:
        answer = world.ask(pat, "GET", path)
        assert answer.status_code == 200, (path, answer.text)
        assert not [name for name in OF_THE_LAB if f'"{name}"' in answer.text], (path, answer.text)
    assert [one["project"] for one in world.ask(pat, "GET", "/api/projects").json()["projects"]].sort() == [
        "open",
        "stock",
    ].sort()
    assert world.ask(pat, "GET", "/api/audit?entity=lab").json() == world.ask(pat, "GET", "/api/audit?entity=x").json()


def test_a_name_that_may_not_be_read_costs_the_same_work_as_one_that_is_not_there(world: World) -> None:
    pat = _new(world, "pat")
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if "access_version" not in statement:
            statements.append(statement)

    def work(path: str, project: str) -> list[str]:
        statements.clear()
        world.ask(pat, "GET", "/api/" + path.format(project))
        return list(statements)

    def is_same(path: str) -> bool:
        return work(path, "digits") == work(path, "nothing")

    sa.event.listen(world.storage.engine, "before_cursor_execute", note)
    try:
        for path in ("runs/lab/{}/r", "runs/lab/{}/r/history", "projects/lab/{}", "columns/lab/{}", "runs/lab/{}"):
            # Repeated, because the server's own work may come between; what tells the two apart would do so always.
            eventually(partial(is_same, path))
    finally:
        sa.event.remove(world.storage.engine, "before_cursor_execute", note)


def test_live_updates_tell_nothing_of_the_other_team(world: World) -> None:
    pat, eve = _new(world, "pat"), _new(world, "eve")
    with _listening(world, pat) as events:
        assert events.next()[0] == "ping"
        before = events.last
        assert _append(world, eve, "lab", "digits", "history-live1.jsonl").status_code == 200
        assert _append(world, pat, "shop", "stock", "history-live2.jsonl").status_code == 200
        change = events.until("change")
        assert {one["run"] for one in change["runs"]} == {"shop/stock/r"}
        known = events.last
    assert int(known.rpartition("-")[2]) == int(before.rpartition("-")[2]) + 1
    assert _append(world, eve, "lab", "digits", "history-live3.jsonl").status_code == 200
    with _listening(world, pat, known) as events:  # nothing was missed
        assert events.next()[0] == "ping"
        assert events.last == known


def test_live_updates_end_with_the_right_and_begin_with_it(world: World) -> None:
    with world.database.changing() as connection:
        accounts.add(connection, COMMAND_LINE, "lea", password="none")
        teams.set_member(connection, COMMAND_LINE, "lab", "lea", "viewer")
    lea, eve = _new(world, "lea"), _new(world, "eve")
    with _listening(world, lea) as events:
        assert events.next()[0] == "ping"
        with world.database.changing() as connection:
            teams.remove_member(connection, COMMAND_LINE, "lab", "lea")
        assert events.until("reset") == {}
        assert _append(world, eve, "lab", "digits", "history-live4.jsonl").status_code == 200
        with world.database.changing() as connection:
            teams.set_member(connection, COMMAND_LINE, "lab", "lea", "viewer")
        assert events.next() == ("reset", {})  # and no change before it
        with world.database.changing() as connection:
            accounts.disable(connection, COMMAND_LINE, "lea")
        with pytest.raises(EOFError):
            events.until("change")


def test_a_digest_gives_nothing_to_who_does_not_have_the_content(world: World) -> None:
    with world.database.changing() as connection:
        accounts.add(connection, COMMAND_LINE, "tom", password="none")
    tom, eve = _new(world, "tom"), _new(world, "eve")
    content = b"secret!"
    digest = hashlib.sha256(content).hexdigest()
    file = {"name": "stolen.bin", "digest": digest, "size": 7, "path": "stolen.bin"}
    assert _append(world, eve, "lab", "digits", "history-s.jsonl", encode("file", file, 2.0)).json()["missing"] == [
        digest
    ]
    assert world.ask(eve, "PUT", f"/api/runs/lab/digits/r/blobs/{digest}", data=content).status_code == 204
    lines = encode("run", {"version": 1, "id": "r", "entity": "tom", "project": "mine"}, 1.0) + encode(
        "file", file, 2.0
    )
    stored = _append(world, tom, "tom", "mine", "history-a.jsonl", lines)
    assert stored.json()["missing"] == [digest]
    run = "/api/runs/tom/mine/r"
    assert world.ask(tom, "GET", f"{run}/streams").json()["missing"] == [digest]
    assert world.ask(tom, "GET", f"{run}/uploads/{digest}?size=7").json() == {"offset": 0, "complete": False}
    for path in (f"/blobs/{digest}", "/files/stolen.bin", f"/media/{digest}?type=image", f"/render/{digest}"):
        assert world.ask(tom, "GET", run + path).status_code == 404
        with_tag = world.ask(tom, "GET", run + path, headers={"If-None-Match": f'"{digest}"'})
        assert with_tag.status_code == 404
    assert world.ask(tom, "GET", f"{run}/files").json()["files"][0]["stored"] is False
    last = world.ask(tom, "POST", f"{run}/uploads/{digest}?size=7&offset=6", data=content[6:])
    assert last.status_code == 409
    assert world.ask(tom, "PUT", f"{run}/blobs/{digest}", data=content).status_code == 204
    assert world.ask(tom, "GET", f"{run}/files/stolen.bin").content == content


def test_a_refusal_does_not_tell_where_a_former_name_leads(world: World) -> None:
    with world.database.changing() as connection:
        teams.add(connection, COMMAND_LINE, "formerly")
        teams.rename(connection, COMMAND_LINE, "formerly", "secretly")
    pat = _new(world, "pat")
    answers = [_append(world, pat, "formerly", "digits", "history-a.jsonl")]
    answers.append(world.ask(pat, "GET", "/api/runs/formerly/digits/r/streams"))
    body = {"entity": "formerly", "name": "new"}
    answers.append(world.ask(pat, "POST", "/api/projects/pat/none/copy", json=body))
    body = {"entity": "formerly", "name": "stock"}
    answers.append(world.ask(_new(world, "mallory"), "POST", "/api/projects/shop/stock/copy", json=body))
    for answer in answers:
        assert answer.status_code in (403, 404)
        assert "secretly" not in answer.text


def test_whoever_loses_a_right_is_told_why(world: World) -> None:
    with world.database.changing() as connection:
        accounts.add(connection, COMMAND_LINE, "zoe", password="none")
        teams.set_member(connection, COMMAND_LINE, "lab", "zoe", "member")
    zoe = _new(world, "zoe", "log")
    assert _append(world, zoe, "lab", "digits", "history-zoe.jsonl").status_code == 200
    with world.database.changing() as connection:
        teams.set_member(connection, COMMAND_LINE, "lab", "zoe", "viewer")

    counter = itertools.count(10)

    def refused(status: int) -> bool:
        answer: requests.Response = _append(world, zoe, "lab", "digits", f"history-zoe{next(counter)}.jsonl")
        return answer.status_code == status

    eventually(lambda: refused(403))
    answer = _append(world, zoe, "lab", "digits", "history-zoe2.jsonl")
    assert "ask an admin of lab for the role member" in answer.json()["error"]
    assert answer.json() == _append(world, zoe, "lab", "digits", "history-zoe3.jsonl").json()
    with world.database.changing() as connection:
        accounts.disable(connection, COMMAND_LINE, "zoe")
    eventually(lambda: refused(401))
    assert "zoe is disabled" in _append(world, zoe, "lab", "digits", "history-zoe2.jsonl").json()["error"]
    with world.database.changing() as connection:
        accounts.enable(connection, COMMAND_LINE, "zoe")
        teams.set_member(connection, COMMAND_LINE, "lab", "zoe", "member")
    eventually(lambda: refused(200))


def test_a_link_counts_as_opened_when_a_browser_runs_the_page(tmp_path: Path) -> None:
    with route_walk.world(tmp_path) as world:
        with world.database.changing() as connection:
            made = share_links.add(connection, COMMAND_LINE, OWN.entity, OWN.project)
        link = Asker("link", NOBODY, prefix=f"/s/{made.token}")
        eventually(lambda: world.ask(link, "GET", "/api/projects").status_code == 200)
        page = world.ask(link, "GET", "/", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        opened = {asker.name: asker for asker in world.askers}["admin"]
        path = f"/api/projects/{OWN.entity}/{OWN.project}/links"
        links = world.ask(opened, "GET", path).json()["links"]
        assert [one["opened"] for one in links if one["id"] == made.id] == [0]
        assert json.loads(world.ask(link, "GET", "/api/whoami").content)["kind"] == "link"
    with world.database.reading() as connection:
        shown = share_links.listed(connection, Part(), FOREIGN.entity).rows
        found = share_links.listed(connection, Part(), OWN.entity).rows
    assert [one.opened for one in found if one.id == made.id] == [1]
    assert all(one.opened == 0 for one in shown)
