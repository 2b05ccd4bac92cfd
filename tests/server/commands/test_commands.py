"""Test the commands below `tracker server` as their users call them, with and without a running server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from click.testing import CliRunner

from tests.waiting import eventually
from tracker import discovery
from tracker_server import embedded
from tracker_server.cli import server

PASSWORD = "four words in a row"


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRACKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


class Done(NamedTuple):
    """What a command has done."""

    returncode: int
    stdout: str
    stderr: str


class Commands:
    """Calls `tracker server …` for a data directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run(self, *arguments: str, given: str | None = None) -> Done:
        """Call it in this process, which takes a tenth of the time of a new one."""
        done = CliRunner().invoke(server, [*arguments, "--dir", str(self.directory)], input=given)
        return Done(done.exit_code, done.stdout, done.stderr)

    def __call__(self, *arguments: str, given: str | None = None) -> Any:
        """Return what a command prints as JSON."""
        done = self.run(*arguments, "--json", given=given)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 1
        return json.loads(done.stdout)

    def refused(self, *arguments: str, given: str | None = None) -> str:
        """Return the one line with which a command fails."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 1, done.stdout
        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        assert len(done.stderr.splitlines()) == 1
        return done.stderr


@pytest.fixture
def command(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "data")


@pytest.fixture
def served(command: Commands) -> Iterator[embedded.Embedded]:
    with embedded.serve(command.directory) as server:
        yield server


def ask(server: Any, key: str, path: str, method: str = "GET", **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {key}"}
        return session.request(method, server.url + path, headers=headers, timeout=90, **options)


def send(server: Any, key: str, data: bytes, run: str, entity: str, offset: int = 0) -> requests.Response:
    return ask(server, key, f"/api/runs/{entity}/digits/{run}/streams/history.jsonl?offset={offset}", "POST", data=data)


# -- without a server -------------------------------------------------------------------------------------------------


def test_accounts_are_added_listed_changed_and_removed(command: Commands) -> None:
    made = command("account", "add", "ada", "--admin")
    assert (made["name"], made["state"], made["admin"]) == ("ada", "invited", True)
    assert re.fullmatch(r"http://127\.0\.0\.1:8787/welcome/[\w-]{43}", made["link"])
    made = command("account", "add", "bob", "--password-stdin", "--quota", "5 GB", given=f"{PASSWORD}\n")
    assert (made["state"], made["link"], made["quota"]) == ("active", None, 5_000_000_000)
    assert [one["name"] for one in command("account", "list")] == ["ada", "bob"]
    assert [one["name"] for one in command("account", "list", "--search", "BO")] == ["bob"]
    changed = command("account", "change", "bob", "--name", "robert", "--email", "bob@example.org", "--quota", "none")
    assert (changed["name"], changed["email"], changed["quota"]) == ("robert", "bob@example.org", None)
    assert command("account", "disable", "bob")["state"] == "disabled"  # by its former name
    assert command("account", "enable", "robert")["state"] == "active"
    assert "/welcome/" in command("account", "reset", "robert")["link"]
    assert command("account", "reset", "robert", "--password-stdin", given="another four words here\n")["link"] is None
    assert command("account", "remove", "robert") == {"account": "robert", "moved": {}}
    assert command("account", "remove", "--all") == {"accounts": 1}
    assert command("account", "list") == []


def test_teams_and_members(command: Commands) -> None:
    command("account", "add", "ada", "--admin")
    command("account", "add", "bob")
    assert command("team", "add", "vision", "--quota", "1TiB")["quota"] == 1024**4
    assert command("team", "member", "add", "vision", "ada", "--role", "admin")["role"] == "admin"
    added = command("team", "member", "add", "vision", "bob", "--role", "viewer")
    assert added == {"team": "vision", "account": "bob", "role": "viewer"}
    members = command("team", "member", "list", "vision")
    assert [(one["account"], one["role"]) for one in members] == [("ada", "admin"), ("bob", "viewer")]
    assert command("team", "member", "remove", "vision", "bob") == {"team": "vision", "account": "bob"}
    assert command("team", "change", "vision", "--name", "sight")["name"] == "sight"
    assert [(one["name"], one["members"]) for one in command("team", "list")] == [("sight", 1)]
    assert command("team", "remove", "vision") == {"team": "sight"}
    assert command("team", "list") == []


def test_keys(command: Commands) -> None:
    command("account", "add", "ada", "--admin")
    command("team", "add", "vision")
    made = command("key", "add", "--account", "ada", "--scope", "log", "--expires", "30", "--name", "gpu box")
    assert set(made) == {"id", "key"}
    assert made["key"].startswith(f"trk_{made['id']}_")
    service = command("key", "add", "--team", "vision", "--scope", "read")
    keys = command("key", "list")
    assert {one["id"]: one["owner"] for one in keys} == {made["id"]: "ada", service["id"]: "vision"}
    assert made["key"] not in json.dumps(keys)
    (mine,) = command("key", "list", "--account", "ada")
    assert (mine["name"], mine["scope"]) == ("gpu box", "log")
    assert round((mine["expires"] - mine["created"]) / 86400) == 30
    assert command("key", "revoke", made["id"])["revoked"] is not None
    assert "no key" in command.refused("key", "revoke", "abcd1234")


def test_the_audit_log_names_every_change_and_holds_no_secret(command: Commands) -> None:
    link = command("account", "add", "ada", "--admin")["link"]
    key = command("key", "add", "--account", "ada", "--scope", "all")["key"]
    command("key", "revoke", key[4:12])
    entries = command("audit")
    assert [one["action"] for one in entries] == ["key revoked", "key added", "one-time link made", "account added"]
    assert {one["actor"] for one in entries} == {"command line"}
    text = json.dumps(entries)
    assert key[13:] not in text
    assert link.rpartition("/")[2] not in text
    assert len(command("audit", "--search", "KEY", "--limit", "1")) == 1
    assert command("audit", "--entity", "bob") == []
    assert len(command("audit", "--entity", "ada", "--since", "1h")) == 4
    assert command("audit", "--since", "2999-01-01") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["account", "list"], "there is no server's data in"),
        (["team", "list"], "there is no server's data in"),
        (["account", "add", "ada"], "the first account must be a server admin"),
        (["account", "add", "admin", "--admin"], "reserved"),
        (["account", "add", "a/b", "--admin"], "no slash"),
    ],
)
def test_what_cannot_be_done_to_a_new_directory(command: Commands, arguments: list[str], says: str) -> None:
    assert says in command.refused(*arguments)


def test_what_cannot_be_done(command: Commands) -> None:
    command("account", "add", "ada", "--admin")
    command("account", "add", "bob")
    assert "is taken" in command.refused("account", "add", "ADA")
    assert "looks like" in command.refused("account", "add", "ɑda")  # a script a
    assert "last active server admin" in command.refused("account", "disable", "ada")
    assert "last active server admin" in command.refused("account", "remove", "ada")
    assert "last active server admin" in command.refused("account", "change", "ada", "--no-admin")
    assert "at least 12 characters" in command.refused("account", "reset", "bob", "--password-stdin", given="short\n")
    assert "no password on stdin" in command.refused("account", "reset", "bob", "--password-stdin", given="")
    assert "no account 'eve'" in command.refused("key", "add", "--account", "eve", "--scope", "log")
    assert "no team 'ada'" in command.refused("key", "add", "--team", "ada", "--scope", "log")
    assert "no project a/b" in command.refused("share", "add", "a/b")
    assert len(command("account", "list")) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["account", "remove"],
        ["account", "remove", "ada", "--all"],
        ["key", "add", "--scope", "log"],
        ["key", "add", "--scope", "log", "--account", "ada", "--team", "vision"],
        ["key", "add", "--scope", "write", "--account", "ada"],
        ["share", "add", "project"],
        ["audit", "--since", "yesterday"],
        ["account", "add", "carl", "--quota", "much"],
    ],
)
def test_wrong_usage_exits_with_2_and_changes_nothing(command: Commands, arguments: list[str]) -> None:
    command("account", "add", "ada", "--admin")
    done = command.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(command("audit")) == 2


def test_the_directory_may_stand_before_the_command(command: Commands) -> None:
    command("account", "add", "ada", "--admin")
    arguments = ["--dir", str(command.directory), "account", "list", "--json"]
    done = subprocess.run([sys.executable, "-m", "tracker_server", *arguments], capture_output=True, check=True)
    assert json.loads(done.stdout)[0]["name"] == "ada"


def test_tables_for_people_have_a_line_for_each_entry(command: Commands) -> None:
    command("account", "add", "ada", "--admin")
    lines = command.run("account", "list").stdout.splitlines()
    assert lines[0].split() == ["name", "state", "admin", "email", "quota", "seen"]
    assert lines[1].split()[:3] == ["ada", "invited", "yes"]


# -- while a server runs ----------------------------------------------------------------------------------------------


def test_a_running_server_notices_keys_roles_and_states(
    command: Commands, served: embedded.Embedded, lines: Any
) -> None:
    command("account", "add", "ada", "--admin")
    command("account", "add", "bob", "--password-stdin", given=f"{PASSWORD}\n")
    command("team", "add", "vision")
    made = command("key", "add", "--account", "bob", "--scope", "all")
    eventually(lambda: ask(served, made["key"], "/api/projects").status_code == 200)
    assert send(served, made["key"], lines("r"), "r", "vision").status_code == 403
    command("team", "member", "add", "vision", "bob", "--role", "member")
    eventually(lambda: send(served, made["key"], lines("r"), "r", "vision").status_code == 200)
    command("team", "member", "remove", "vision", "bob")
    eventually(lambda: ask(served, made["key"], "/api/runs/vision/digits/r").status_code == 404)
    command("account", "disable", "bob")
    eventually(lambda: ask(served, made["key"], "/api/projects").status_code == 401)
    assert "disabled" in ask(served, made["key"], "/api/projects").json()["error"]
    command("account", "enable", "bob")
    eventually(lambda: ask(served, made["key"], "/api/projects").status_code == 200)
    command("key", "revoke", made["id"])
    eventually(lambda: ask(served, made["key"], "/api/projects").status_code == 401)


def test_a_personal_server_becomes_a_teams_and_personal_again(
    command: Commands, served: embedded.Embedded, lines: Any
) -> None:
    assert send(served, served.token, lines("r"), "r", "lab").status_code == 200
    assert discovery.find() is not None
    command("account", "add", "ada", "--admin", "--password-stdin", given=f"{PASSWORD}\n")
    eventually(lambda: ask(served, served.token, "/api/projects").status_code == 401)
    eventually(lambda: discovery.find() is None)
    key = command("key", "add", "--account", "ada", "--scope", "all")["key"]
    eventually(lambda: ask(served, key, "/api/runs/lab/digits/r").status_code == 200)
    assert [one["name"] for one in command("team", "list")] == ["lab"]
    command("account", "remove", "--all")
    eventually(lambda: ask(served, served.token, "/api/runs/lab/digits/r").status_code == 200)
    eventually(lambda: discovery.find() is not None)
    eventually(lambda: ask(served, key, "/api/projects").status_code == 401)


def test_links_begin_with_the_address_that_the_server_has_noted(
    command: Commands, served: embedded.Embedded, lines: Any
) -> None:
    assert send(served, served.token, lines("r"), "r", "ada").status_code == 200
    assert command("account", "add", "ada", "--admin")["link"].startswith(f"{served.url}/welcome/")
    link = command("share", "add", "ada/digits/r", "--expires", "7")
    assert link["url"].startswith(f"{served.url}/s/")
    other = command("share", "add", "ada/digits", "--url", "https://tracker.example.org/")
    assert other["url"].startswith("https://tracker.example.org/s/")
    listed = command("share", "list", "ada/digits")
    assert {one["id"]: (one["kind"], one["target"]) for one in listed} == {
        link["id"]: ("run", "r"),
        other["id"]: ("project", None),
    }
    token = link["url"].rpartition("/")[2]
    assert token not in json.dumps(listed)
    eventually(lambda: ask(served, "", f"/s/{token}/api/runs/ada/digits/r").status_code == 200)
    assert command("share", "revoke", link["id"])["revoked"] is not None
    eventually(lambda: ask(served, "", f"/s/{token}/api/runs/ada/digits/r").status_code == 404)


def test_commands_and_ingest_do_not_hinder_each_other(command: Commands, served: embedded.Embedded, lines: Any) -> None:
    command("account", "add", "ada", "--admin")
    key = command("key", "add", "--account", "ada", "--scope", "log")["key"]
    eventually(lambda: send(served, key, lines("r0"), "r0", "ada").status_code == 200)
    statuses: list[int] = []
    done = threading.Event()

    def upload() -> None:
        number = 1
        while not done.is_set():
            statuses.append(send(served, key, lines(f"r{number}"), f"r{number}", "ada").status_code)
            number += 1

    thread = threading.Thread(target=upload)
    thread.start()
    try:
        for number in range(5):
            command("account", "add", f"someone{number}")
            command("team", "add", f"group{number}")
    finally:
        done.set()
        thread.join()
    assert set(statuses) == {200}
    assert len(command("account", "list")) == 6
    assert len(command("team", "list")) == 5


def test_runs_of_a_removed_account_go_to_a_team_while_the_server_runs(
    command: Commands, served: embedded.Embedded, lines: Any
) -> None:
    command("account", "add", "ada", "--admin")
    command("account", "add", "bob", "--password-stdin", given=f"{PASSWORD}\n")
    command("team", "add", "vision")
    command("team", "member", "add", "vision", "ada", "--role", "member")
    admin = command("key", "add", "--account", "ada", "--scope", "all")["key"]
    key = command("key", "add", "--account", "bob", "--scope", "all")["key"]
    eventually(lambda: send(served, key, lines("r"), "r", "bob").status_code == 200)
    assert ask(served, admin, "/api/runs/bob/digits/r").status_code == 200
    assert "say which team" in command.refused("account", "remove", "bob")
    moved = command("account", "remove", "bob", "--runs-to", "vision")
    assert moved == {"account": "bob", "moved": {"bob/digits": "vision/digits"}}
    eventually(lambda: ask(served, admin, "/api/runs/vision/digits/r").status_code == 200)
    places = {(one["entity"], one["project"]) for one in ask(served, admin, "/api/projects").json()["projects"]}
    assert places == {("vision", "digits")}
    eventually(lambda: ask(served, key, "/api/projects").status_code == 401)


def test_the_greeting_of_a_teams_server_shows_no_token(command: Commands) -> None:
    command("account", "add", "ada", "--admin")
    arguments = ["--dir", str(command.directory), "--port", "0", "--url", "https://tracker.example.org/lab"]
    program = [sys.executable, "-m", "tracker_server", *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        greeting = "".join(iter(server.stdout.readline, "  stop       ctrl+C\n"))
        link = command("account", "reset", "ada")["link"]
        server.terminate()
    token = (command.directory / "token").read_text().strip()
    assert token not in greeting
    assert "https://tracker.example.org/lab\n" in greeting
    assert link.startswith("https://tracker.example.org/lab/welcome/")
    assert discovery.find() is None
