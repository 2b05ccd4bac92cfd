"""Test `tracker login` through a browser, with a real team's server; tests/browser has it in Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE, eventually
from tracker.settings import read_file, user_file

pytest.importorskip("fastapi", reason="the extra `server` is not installed")

from tests.server.conftest import TOKEN, Client
from tests.server.team import Team, team_server
from tracker_server.access import account_sessions, accounts, api_keys
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.session_cookie import name_for


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team_server(tmp_path_factory.mktemp("team")) as made:
        yield made


def confirm(team: Team, code: str) -> None:
    with team.database.changing() as connection:
        account = accounts.get(connection, "eve")
        cookie, page = account_sessions.begin(connection, account.id, "127.0.0.1", "test")
    headers = {"Cookie": f"{name_for(TOKEN.encode())}={cookie}", "Origin": team.url, "X-Tracker-Page": page}
    browser = Client(team.url, None)
    eventually(lambda: browser.get("/api/whoami", headers=headers).status_code == 200)
    answer = browser("POST", f"/api/login/device/{code}", json={"scope": "all"}, headers=headers)
    assert answer.status_code == 204, answer.text


def log_in(team: Team, tmp_path: Path) -> str:
    """Log in with a browser that notes what it is to open; return the key."""
    noted, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$*" > "{noted}.part" && mv "{noted}.part" "{noted}"\n')
    program.chmod(0o700)
    noted.unlink(missing_ok=True)
    environment = {**os.environ, "DISPLAY": ":9", "BROWSER": str(program)}
    command = [sys.executable, "-m", "tracker.cli.main", "login", "--base-url", team.url]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        try:
            eventually(noted.exists)
            page, _, code = noted.read_text().partition("?code=")
            assert page == f"{team.url}/login/device"
            confirm(team, code)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert code in out
    assert "Signed in as eve." in out
    key = str(read_file(user_file())["api_key"])
    assert key not in out + noted.read_text()
    return key


def test_the_browser_opens_with_the_code_and_the_next_login_replaces_the_key(team: Team, tmp_path: Path) -> None:
    first = log_in(team, tmp_path)
    assert Client(team.url, first).json("/api/whoami")["name"] == "eve"
    second = log_in(team, tmp_path)
    assert Client(team.url, second).json("/api/whoami")["name"] == "eve"
    assert Client(team.url, first).get("/api/whoami").status_code == 401  # nobody has it any more


def test_logout_revokes_no_key_that_the_user_brought_along(team: Team) -> None:
    with team.database.changing() as connection:
        key = api_keys.add(connection, COMMAND_LINE, "eve", "mine", "all").key
    eventually(lambda: Client(team.url, key).get("/api/whoami").status_code == 200)
    for arguments in (["login", "--base-url", team.url, "--key", key], ["logout"]):
        subprocess.run([sys.executable, "-m", "tracker.cli.main", *arguments], check=True, capture_output=True)
    assert read_file(user_file()) == {}
    assert Client(team.url, key).get("/api/whoami").status_code == 200


def test_logout_forgets_a_key_that_cannot_be_revoked_and_says_so(team: Team, tmp_path: Path) -> None:
    log_in(team, tmp_path)
    text = user_file().read_text().replace(team.url, "http://127.0.0.1:9")
    user_file().write_text(text)
    logins = user_file().with_name("logins.json")
    logins.write_text(logins.read_text().replace(team.url, "http://127.0.0.1:9"))
    command = [sys.executable, "-m", "tracker.cli.main", "logout"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "could not be revoked" in done.stderr
    assert read_file(user_file()) == {}
