"""Whose files are whose, over HTTP: a team's server with accounts, keys and a real storage."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.waiting import PATIENCE, eventually
from tracker.agent_protocol.status import read_status
from tracker.runlog.records import encode
from tracker.wire import run_path
from tracker_server.access import accounts, api_keys, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.partials import Limits
from tracker_server.storage.access_schema import entities
from tracker_server.storage.database import connect

SECRET = b"the weights of the secret model" * 1000
DIGEST = hashlib.sha256(SECRET).hexdigest()
HALF = len(SECRET) // 2


class Team:
    """A server with accounts; `as_` gives a client with a key."""

    def __init__(self, client: Any, directory: Path) -> None:
        self.client, self.directory = client, directory
        self.engine = connect(f"sqlite:///{directory / 'tracker.db'}")
        self.database = AccessDatabase(self.engine)
        with self.database.changing() as connection:
            for name in ("root", "ada", "eve", "bob"):
                accounts.add(connection, COMMAND_LINE, name, admin=name == "root", password="unused")
            teams.add(connection, COMMAND_LINE, "vision")
            for name, role in (("ada", "admin"), ("bob", "member")):
                teams.set_member(connection, COMMAND_LINE, "vision", name, role)
        eventually(lambda: self.as_("root").get("/api/projects").status_code == 200)

    def as_(self, owner: str, scope: str = "all") -> Any:
        with self.database.changing() as connection:
            key = api_keys.add(connection, COMMAND_LINE, owner, "test", scope).key
        client = type(self.client)(self.client.url, key)
        eventually(lambda: client.get("/api/projects").status_code != 401)
        return client

    def quota(self, entity: str, size: int | None) -> None:
        with self.database.changing() as connection:
            connection.execute(entities.update().where(entities.c.name == entity).values(quota=size))
        self.as_("root")  # a key that the server knows was made later

    def possessions(self) -> list[tuple[str, str]]:
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.text("SELECT e.name, p.digest FROM possessions p JOIN entities e ON e.id = p.entity ORDER BY e.name")
            )
            return [(name, digest) for name, digest in rows]


@pytest.fixture
def team(tmp_path: Path, run_server: Any, request: pytest.FixtureRequest) -> Iterator[Team]:
    with run_server(tmp_path / "data", limits=getattr(request, "param", None)) as client:
        made = Team(client, tmp_path / "data")
        try:
            yield made
        finally:
            made.engine.dispose()


def name_files(client: Any, run: str, *contents: bytes, stream: str = "history.jsonl", offset: int = 0) -> list[str]:
    """Name files in a new stream of `entity/project/id`; return what is missing."""
    entity, project, id = run.split("/")
    lines = encode("run", {"version": 1, "id": id, "entity": entity, "project": project}, 1000.0)
    for content in contents:
        digest = hashlib.sha256(content).hexdigest()
        record = {"name": f"model-{digest[:4]}.bin", "digest": digest, "size": len(content)}
        lines += encode("file", record, 1001.0)
    response = client("POST", f"{run_path(entity, project, id)}/streams/{stream}?offset={offset}", data=lines)
    assert response.status_code == 200, response.text
    missing: list[str] = response.json()["missing"]
    return missing


def path(run: str, *rest: str) -> str:
    return "/".join([run_path(*run.split("/")), *rest])


def put(client: Any, run: str, content: bytes = SECRET) -> Any:
    return client("PUT", path(run, "blobs", hashlib.sha256(content).hexdigest()), data=content)


def part(client: Any, run: str, offset: int, data: bytes, content: bytes = SECRET) -> Any:
    digest = hashlib.sha256(content).hexdigest()
    return client("POST", path(run, "uploads", digest) + f"?size={len(content)}&offset={offset}", data=data)


def readers(client: Any, run: str) -> dict[str, tuple[int, str]]:
    """Return status and text of every way to read the file."""
    answers = {
        "blob": client.get(path(run, "blobs", DIGEST)),
        "part": client.get(path(run, "blobs", DIGEST), headers={"Range": "bytes=0-9"}),
        "file": client.get(path(run, "files", f"model-{DIGEST[:4]}.bin")),
        "media": client.get(path(run, "media", DIGEST) + "?type=image"),
        "render": client.get(path(run, "render", DIGEST)),
        "list": client.get(path(run, "files")),
        "missing": client.get(path(run, "streams")),
        "upload": client.get(path(run, "uploads", DIGEST) + f"?size={len(SECRET)}"),
    }
    return {name: (answer.status_code, answer.text) for name, answer in answers.items()}


def test_a_file_that_was_sent_can_be_read_through_its_run(team: Team) -> None:
    ada = team.as_("ada")
    assert name_files(ada, "ada/digits/r1", SECRET) == [DIGEST]
    assert put(ada, "ada/digits/r1").status_code == 204
    assert ada.get(path("ada/digits/r1", "blobs", DIGEST)).content == SECRET
    assert ada.json(path("ada/digits/r1", "files"))["files"][0]["stored"] is True
    assert ada.json(path("ada/digits/r1", "streams"))["missing"] == []
    assert team.possessions() == [("ada", DIGEST)]


def test_naming_another_s_digest_neither_reads_it_nor_tells_that_it_is_there(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    name_files(ada, "ada/digits/r1", SECRET)
    assert name_files(eve, "eve/spying/first", SECRET) == [DIGEST]
    nothing = readers(eve, "eve/spying/first")
    assert put(ada, "ada/digits/r1").status_code == 204
    assert name_files(eve, "eve/spying/later", SECRET) == [DIGEST]
    for run in ("eve/spying/first", "eve/spying/later"):
        seen = readers(eve, run)
        assert {name: (status, text.replace("later", "first")) for name, (status, text) in seen.items()} == nothing
    assert nothing["blob"] == (404, '{"error":"this file is not uploaded yet"}')
    assert json.loads(nothing["list"][1])["files"][0]["stored"] is False
    assert json.loads(nothing["upload"][1]) == {"offset": 0, "complete": False}
    for client in (team.as_("root"), team.as_("eve", "read")):  # not even who may read both runs sees it there
        assert client.get(path("eve/spying/later", "blobs", DIGEST)).status_code == 404
    assert team.possessions() == [("ada", DIGEST)]


def test_whoever_sends_the_content_again_holds_it_and_it_is_stored_once(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    name_files(ada, "ada/digits/r1", SECRET)
    put(ada, "ada/digits/r1")
    name_files(eve, "eve/own/r1", SECRET)
    assert put(eve, "eve/own/r1").status_code == 204
    assert eve.get(path("eve/own/r1", "blobs", DIGEST)).content == SECRET
    assert name_files(eve, "eve/own/r2", SECRET) == []
    stored = [p for p in (team.directory / "blobs").rglob("*") if p.is_file()]
    assert [p.stat().st_size for p in stored] == [len(SECRET)]
    assert eve.get(path("ada/digits/r1", "blobs", DIGEST)).status_code == 404


def test_wrong_content_gives_nothing(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    name_files(ada, "ada/digits/r1", SECRET)
    put(ada, "ada/digits/r1")
    name_files(eve, "eve/spying/r1", SECRET)
    wrong = SECRET[:-1] + b"?"
    assert eve("PUT", path("eve/spying/r1", "blobs", DIGEST), data=wrong).status_code == 422
    assert part(eve, "eve/spying/r1", 0, wrong).status_code == 422
    assert eve.get(path("eve/spying/r1", "blobs", DIGEST)).status_code == 404
    assert ada.get(path("ada/digits/r1", "blobs", DIGEST)).content == SECRET


def test_what_one_may_read_need_not_be_sent_again_but_what_a_log_key_cannot_read_must(team: Team) -> None:
    ada, bob = team.as_("ada"), team.as_("bob")
    name_files(ada, "vision/shared/r1", SECRET)
    put(ada, "vision/shared/r1")
    assert name_files(bob, "bob/own/r1", SECRET) == []
    assert bob.get(path("bob/own/r1", "blobs", DIGEST)).content == SECRET
    machine = team.as_("bob", "log")
    assert name_files(machine, "bob/own/r2", SECRET) == []  # the same project holds it
    assert name_files(machine, "vision/shared/r2", SECRET) == []
    assert name_files(machine, "bob/other/r1", SECRET) == [DIGEST]
    assert put(machine, "bob/other/r1").status_code == 204
    assert bob.get(path("bob/other/r1", "blobs", DIGEST)).content == SECRET


def test_keys_of_one_account_and_service_keys_of_one_team_share_what_they_have_sent(team: Team) -> None:
    first, second = team.as_("vision", "log"), team.as_("vision", "log")
    name_files(first, "vision/a/r1", SECRET)
    assert put(first, "vision/a/r1").status_code == 204
    assert name_files(second, "vision/b/r1", SECRET) == []
    assert team.as_("ada").get(path("vision/b/r1", "blobs", DIGEST)).content == SECRET


def test_an_upload_in_parts_belongs_to_its_account(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    name_files(ada, "ada/digits/r1", SECRET)
    name_files(eve, "eve/spying/r1", SECRET)
    assert part(ada, "ada/digits/r1", 0, SECRET[:HALF]).json() == {"offset": HALF, "complete": False}
    where = path("eve/spying/r1", "uploads", DIGEST) + f"?size={len(SECRET)}"
    assert eve.json(where) == {"offset": 0, "complete": False}
    ending = part(eve, "eve/spying/r1", HALF, SECRET[HALF:])
    assert (ending.status_code, ending.json()) == (409, {"offset": 0, "complete": False})
    another = team.as_("ada", "log")  # of the same account
    assert part(another, "ada/digits/r1", HALF, SECRET[HALF:]).json() == {"offset": len(SECRET), "complete": True}
    assert ada.get(path("ada/digits/r1", "blobs", DIGEST)).content == SECRET
    assert eve.json(where) == {"offset": 0, "complete": False}
    assert part(eve, "eve/spying/r1", 0, SECRET).json() == {"offset": len(SECRET), "complete": True}
    assert eve.get(path("eve/spying/r1", "blobs", DIGEST)).content == SECRET


def test_a_run_holds_at_once_what_its_account_has_sent_for_another(team: Team) -> None:
    ada = team.as_("ada", "log")
    for run in ("ada/one/r1", "ada/two/r1"):  # both are told to send it
        assert name_files(ada, run, SECRET) == [DIGEST]
    part(ada, "ada/one/r1", 0, SECRET)
    assert ada.json(path("ada/two/r1", "uploads", DIGEST) + f"?size={len(SECRET)}")["complete"] is True
    assert team.as_("ada").get(path("ada/two/r1", "blobs", DIGEST)).content == SECRET


@pytest.mark.parametrize("team", [Limits(each_number=2, each_size=10_000)], indirect=True)
def test_one_account_cannot_take_all_room_for_uploads_in_parts(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    contents = [bytes([number]) * 5000 for number in range(3)]
    for client, run, answers in ((ada, "ada/digits/r1", [200, 200, 429]), (eve, "eve/own/r1", [200])):
        name_files(client, run, *contents, b"x" * 20_000)
        for content, status in zip(contents, answers, strict=False):
            assert part(client, run, 0, content[:1000], content).status_code == status
    assert part(eve, "eve/own/r1", 0, b"x" * 9500, b"x" * 20_000).status_code == 429


def test_possession_ends_with_the_content(team: Team) -> None:
    ada = team.as_("ada")
    name_files(ada, "ada/digits/r1", SECRET)
    put(ada, "ada/digits/r1")
    assert ada("DELETE", path("ada/digits/r1")).status_code == 204
    assert team.possessions() == []
    assert name_files(ada, "ada/digits/r2", SECRET) == [DIGEST]


def test_a_name_alone_does_not_keep_another_s_deleted_file(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    name_files(ada, "ada/digits/r1", SECRET)
    put(ada, "ada/digits/r1")
    name_files(eve, "eve/spying/r1", SECRET)
    ada("DELETE", path("ada/digits/r1"))
    assert not [p for p in (team.directory / "blobs").rglob("*") if p.is_file()]


def test_over_its_quota_an_entity_gets_metrics_but_no_files(team: Team) -> None:
    ada, eve = team.as_("ada"), team.as_("eve")
    team.quota("vision", len(SECRET) + 10)
    more = b"x" * 1000
    name_files(ada, "vision/shared/r1", SECRET)
    assert put(ada, "vision/shared/r1").status_code == 204
    assert name_files(ada, "vision/shared/r2", more) == [hashlib.sha256(more).hexdigest()]
    for refused in (put(ada, "vision/shared/r2", more), part(ada, "vision/shared/r2", 0, more, more)):
        assert refused.status_code == 507
        text = refused.json()["error"]
        assert "the team vision may keep" in text
        assert "delete runs with files, or ask a server admin" in text
        assert "retry-after" in refused.headers
    assert name_files(ada, "vision/shared/r2", stream="history-b.jsonl") == []  # lines go on
    assert put(ada, "vision/shared/r1").status_code == 204  # what it has already is not new
    name_files(ada, "ada/own/r1", more)
    assert put(ada, "ada/own/r1", more).status_code == 204  # another entity's quota
    assert ada("DELETE", path("vision/shared/r1")).status_code == 204
    eventually(lambda: put(ada, "vision/shared/r2", more).status_code == 204)
    assert ada.get(path("vision/shared/r2", "blobs", hashlib.sha256(more).hexdigest())).content == more
    assert eve.get(path("vision/shared/r2", "files")).status_code == 404
    assert not list((team.directory / "blobs" / "incoming").glob("*"))


def test_files_from_before_the_first_account_count_and_are_held(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path / "data") as owner:
        name_files(owner, "root/digits/r1", SECRET)
        put(owner, "root/digits/r1")
        team = Team(owner, tmp_path / "data")
        root, ada = team.as_("root"), team.as_("ada")
        assert root.get(path("root/digits/r1", "blobs", DIGEST)).content == SECRET
        assert name_files(ada, "ada/digits/r1", SECRET) == [DIGEST]
        team.quota("root", len(SECRET) + 10)
        name_files(root, "root/digits/r2", b"x" * 100)
        assert put(root, "root/digits/r2", b"x" * 100).status_code == 507
        team.engine.dispose()


def test_usage_is_told_to_who_belongs_to_the_entity(team: Team) -> None:
    ada, eve, bob = team.as_("ada"), team.as_("eve"), team.as_("bob", "read")
    team.quota("vision", 10**9)
    name_files(ada, "vision/shared/r1", SECRET)
    put(ada, "vision/shared/r1")
    expected = {"entity": "vision", "used": len(SECRET), "quota": 10**9}
    for client in (ada, bob, team.as_("root")):
        assert client.json("/api/usage/vision") == expected
    assert ada.json("/api/usage/ada") == {"entity": "ada", "used": 0, "quota": None}
    for name in ("vision", "nowhere"):
        refused = eve.get(f"/api/usage/{name}")
        assert (refused.status_code, refused.json()) == (404, {"error": f"there is no account or team '{name}'"})


def test_the_owner_of_a_personal_server_sees_usage(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path / "data") as owner:
        name_files(owner, "me/digits/r1", SECRET)
        put(owner, "me/digits/r1")
        assert owner.json("/api/usage/me") == {"entity": "me", "used": len(SECRET), "quota": None}


_TRAINING = """
import sys, tracker
with tracker.init(project="shared", entity="vision", id="agent", settings={"finish_timeout": 90.0}) as run:
    print(run.dir, flush=True)
    run.save("weights.bin")
    for i in range(20):
        run.log({"loss": 1 / (i + 1)})
    sys.stdin.readline()
"""


def test_an_agent_over_the_quota_sends_metrics_says_so_and_sends_the_file_when_there_is_room(
    team: Team, tmp_path: Path
) -> None:
    team.quota("vision", len(SECRET) - 1)
    with team.database.changing() as connection:
        key = api_keys.add(connection, COMMAND_LINE, "vision", "machine", "log").key
    ada = team.as_("ada")
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    (work / "weights.bin").write_bytes(SECRET)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    environment |= {"TRACKER_BASE_URL": team.client.url, "TRACKER_API_KEY": key}
    with subprocess.Popen(
        [sys.executable, "-c", _TRAINING],
        cwd=work,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        directory = process.stdout.readline().strip()
        run = "vision/shared/agent"

        def rows() -> bool:
            answer = ada.get(path(run))
            return bool(answer.status_code == 200 and answer.json()["rows"] == 20)

        def stored() -> bool:
            files = ada.json(path(run, "files"))["files"]
            return next(bool(file["stored"]) for file in files if file["digest"] == DIGEST)

        eventually(rows)
        trouble = eventually(lambda: (status := read_status(directory)) and status.trouble)
        assert "the team vision may keep" in trouble
        assert not stored()
        team.quota("vision", None)
        _, said = process.communicate("\n", timeout=PATIENCE)
        assert process.returncode == 0, said
    assert "the server has no space for files of this run" in said
    assert "the team vision may keep" in said
    eventually(stored)
    assert ada.get(path(run, "blobs", DIGEST)).content == SECRET


def test_content_that_no_line_names_is_not_taken_from_accounts(team: Team) -> None:
    ada = team.as_("ada")
    name_files(ada, "ada/digits/r1", b"other")
    for run in ("ada/digits/r1", "ada/digits/unknown"):
        for refused in (put(ada, run), part(ada, run, 0, SECRET)):
            assert refused.status_code == 409
            assert refused.json() == {"error": "no line of this run names this file: send the lines first"}
    assert not [p for p in (team.directory / "blobs").rglob("*") if p.is_file()]
    assert team.possessions() == []
