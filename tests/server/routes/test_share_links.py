from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.server.team import Team, team_server
from tracker_server.storage.schema import projects, views

LINKS = "/api/projects/lab/digits/links"


def prepare(connection: sa.Connection) -> None:
    for entity, name, visibility in (("lab", "digits", "private"), ("lab", "open", "internal")):
        values = {"entity": entity, "name": name, "visibility": visibility, "created": 0, "deletions": 0}
        connection.execute(projects.insert().values(values))
    connection.execute(views.insert().values(project=1, name="best", updated=0, view="{}"))


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_server(tmp_path, prepare) as made:
        yield made


def test_a_link_shows_its_project_until_it_is_revoked(team: Team) -> None:
    bob = team["bob"]
    made = bob("POST", LINKS, json={"expires_days": 7})
    assert made.status_code == 201
    id, url = made.json()["id"], made.json()["url"]
    assert url.startswith(team.url + "/s/")
    path = url.removeprefix(team.url)
    shown = team.nobody().json(path + "api/whoami")
    assert shown["kind"] == "link"
    assert shown["shared"] == {"entity": "lab", "project": "digits", "kind": "project", "target": None}
    assert team.nobody().get(path + "api/projects/lab/digits").status_code == 200
    assert team.nobody().get(path + "api/projects/lab/open").status_code == 404
    (link,) = bob.json(LINKS)["links"]
    assert (link["id"], link["creator"], link["kind"]) == (id, "bob", "project")
    assert url.split("/")[-2] not in str(link)
    assert bob("DELETE", f"{LINKS}/{id}").status_code == 204
    assert team.nobody().get(path + "api/projects/lab/digits").status_code in (401, 404)


def test_links_to_parts_of_a_project(team: Team) -> None:
    bob = team["bob"]
    assert bob("POST", LINKS, json={"kind": "view", "target": "best"}).status_code == 201
    assert bob("POST", LINKS, json={"kind": "view", "target": "worst"}).status_code == 404
    assert bob("POST", LINKS, json={"kind": "run"}).status_code == 400
    assert bob.json(LINKS + "?search=best")["total"] == 1
    assert bob("POST", "/api/projects/lab/nothing/links", json={}).status_code == 404


def test_only_admins_share(team: Team) -> None:
    for who in ("eve", "vic", "eve-read", "ada"):
        for method, path in (("GET", LINKS), ("POST", LINKS), ("DELETE", LINKS + "/00000000")):
            assert team[who](method, path, json={}).status_code == 403, (who, method)
    for method, end in (("GET", ""), ("POST", ""), ("DELETE", "/00000000")):
        answers = {
            (response.status_code, response.text.replace(project, "…"))
            for project in ("lab/digits", "lab/nothing")
            for response in [team["mallory"](method, f"/api/projects/{project}/links{end}", json={})]
        }
        assert {status for status, _ in answers} == {404}
        assert len(answers) == 1
    assert team["mallory"]("POST", "/api/projects/lab/open/links", json={}).status_code == 403  # may read it


def test_a_personal_server_has_no_links(client: Any) -> None:
    assert client("POST", "/api/projects/me/digits/links", json={}).status_code == 409
