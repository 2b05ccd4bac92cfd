"""Test runs whose key, account or membership ends while they go on, with a real team's server and real agents."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.agent_protocol.status import read_status
from tracker.cli.login import login
from tracker.cli.sync import sync
from tracker.runlog.directory import LOG, agent_alive

pytest.importorskip("fastapi", reason="the extra `server` is not installed")

import sqlalchemy as sa

from tests.server.conftest import Client
from tests.server.team import Team, team_server
from tracker_server.access import accounts, api_keys, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.storage import access_schema

Change = Callable[[sa.Connection, str], None]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team_server(tmp_path_factory.mktemp("team")) as made:
        yield made


@pytest.fixture
def key(team: Team, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key of eve's for the lab, which she uses in this process."""
    monkeypatch.setenv("TRACKER_BASE_URL", team.url)
    monkeypatch.setenv("TRACKER_PROJECT", "digits")
    monkeypatch.setenv("TRACKER_ENTITY", "lab")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_UPLOAD_INTERVAL", "0.1")
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))
    text = new_key(team)
    monkeypatch.setenv("TRACKER_API_KEY", text)
    return text


def new_key(team: Team, owner: str = "eve") -> str:
    """Make a key, and wait until the server knows it: then it also knows all earlier changes."""
    with team.database.changing() as connection:
        key = api_keys.add(connection, COMMAND_LINE, owner, "training", "log").key
    eventually(lambda: Client(team.url, key).get("/api/whoami").status_code == 200)
    return key


def change(team: Team, *changes: Change, key: str = "") -> None:
    with team.database.changing() as connection:
        for one in changes:
            one(connection, key)
    new_key(team, "bob")


def rows(team: Team, run: tracker.Run, reader: str = "bob") -> int:
    with contextlib.suppress(tracker.ServerError):
        return int(tracker.Api(team.url, team.keys[reader]).run(run.path).info["rows"])
    return 0


def trouble(run: tracker.Run) -> str:
    status = read_status(run.dir)
    return (status.trouble or "") if status is not None else ""


def log_until(run: tracker.Run, says: str) -> int:
    """Log until the agent reports this; return how many rows there are. The server notices a change a moment later."""

    def done() -> int:
        run.log({"x": 0})
        return says in trouble(run) and run.step

    return eventually(done)


def notices(run: tracker.Run, text: str) -> int:
    log = Path(run.dir, LOG)
    return log.read_text().count(text) if log.exists() else 0


def disable(connection: sa.Connection, _key: str) -> None:
    accounts.disable(connection, COMMAND_LINE, "eve")


def enable(connection: sa.Connection, _key: str) -> None:
    accounts.enable(connection, COMMAND_LINE, "eve")


def leave(connection: sa.Connection, _key: str) -> None:
    teams.remove_member(connection, COMMAND_LINE, "lab", "eve")


def join(connection: sa.Connection, _key: str) -> None:
    teams.set_member(connection, COMMAND_LINE, "lab", "eve", "member")


def demote(connection: sa.Connection, _key: str) -> None:
    teams.set_member(connection, COMMAND_LINE, "lab", "eve", "viewer")


def _set_expiry(connection: sa.Connection, key: str, when: float | None) -> None:
    keys = access_schema.api_keys
    connection.execute(keys.update().where(keys.c.id == key[4:12]).values(expires=when))


def expire(connection: sa.Connection, key: str) -> None:
    _set_expiry(connection, key, 1.0)


def prolong(connection: sa.Connection, key: str) -> None:
    _set_expiry(connection, key, None)


@pytest.mark.parametrize(
    ("end", "give_back", "says", "why"),
    [
        (disable, enable, "does not accept the key", "the account eve is disabled"),
        (expire, prolong, "does not accept the key", "has expired"),
        (leave, join, "does not allow this upload", "403"),
        (demote, join, "does not allow this upload", "403"),
    ],
)
def test_a_run_goes_on_by_itself_when_a_right_comes_back(
    team: Team, key: str, end: Change, give_back: Change, says: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tracker.init()
    try:
        run.log({"x": 1})
        eventually(lambda: rows(team, run) == 1)
        change(team, end, key=key)
        count = log_until(run, says)
        assert why in trouble(run)
        assert rows(team, run) < count
        assert notices(run, says) == 1
        assert notices(run, "everything stays on this disk until the server takes it") == 1
        assert key not in Path(run.dir, LOG).read_text()
    finally:
        change(team, give_back, key=key)
    eventually(lambda: rows(team, run) == count and not trouble(run))
    run.finish()
    eventually(lambda: not agent_alive(run.dir))
    assert rows(team, run) == count
    assert says in capsys.readouterr().err


def test_a_revoked_key_is_replaced_by_another_that_the_user_stores(team: Team, key: str) -> None:
    run = tracker.init()
    run.log({"x": 1})
    eventually(lambda: rows(team, run) == 1)
    change(team, lambda connection, key: api_keys.revoke(connection, COMMAND_LINE, key[4:12]) and None, key=key)
    count = log_until(run, "this API key was revoked")
    done = CliRunner().invoke(login, ["--base-url", team.url, "--key", new_key(team)])
    assert done.exit_code == 0, done.output
    eventually(lambda: rows(team, run) == count and not trouble(run))
    run.finish()
    eventually(lambda: not agent_alive(run.dir))


def test_runs_of_a_closed_project_hold_back_no_others(team: Team, key: str) -> None:
    change(team, leave)
    try:
        closed = []
        for number in range(4):
            with tracker.init(project="digits", reinit="create_new") as run:
                run.log({"x": number})
            closed.append(run)
        eventually(lambda: all("does not allow this upload" in trouble(run) for run in closed[:1]))
        own = []
        for number in range(4):
            with tracker.init(entity="eve", project="own", reinit="create_new") as run:
                run.log({"x": number})
            own.append(run)
        for run in own:
            eventually(lambda run=run: rows(team, run, "eve") == 1)  # type: ignore[misc]
        assert [rows(team, run) for run in closed] == [0] * 4
    finally:
        change(team, join)
    for run in closed:
        eventually(lambda run=run: rows(team, run) == 1)  # type: ignore[misc]


def test_sync_says_why_and_uploads_later(team: Team, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with tracker.init(mode="offline") as run:
        run.log({"x": 1})
    change(team, leave)
    try:
        refused = CliRunner().invoke(sync, [run.dir])
        assert refused.exit_code == 1
        assert "403" in refused.output
    finally:
        change(team, join)
    change(team, disable)
    try:
        refused = CliRunner().invoke(sync, [run.dir, run.dir])
        assert refused.exit_code == 1
        assert "the account eve is disabled" in refused.output
        assert "nothing is lost" in refused.output
    finally:
        change(team, enable)
    eventually(lambda: CliRunner().invoke(sync, [run.dir]).exit_code == 0)
    assert rows(team, run) == 1


def test_a_run_cannot_be_resumed_without_the_right_and_says_why(team: Team, key: str, tmp_path: Path) -> None:
    with tracker.init() as run:
        run.log({"x": 1})
    eventually(lambda: rows(team, run) == 1 and not agent_alive(run.dir))
    change(team, leave)
    try:
        with pytest.raises(tracker.errors.SettingsError, match="403"):
            tracker.init(id=run.id, resume="must", settings={"dir": str(tmp_path), "resume_timeout": PATIENCE})
    finally:
        change(team, join)
    resumed = tracker.init(id=run.id, resume="must", settings={"dir": str(tmp_path), "resume_timeout": PATIENCE})
    assert resumed.step == 1
    resumed.finish()


def test_login_makes_the_account_the_entity_of_runs(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, entity in (("eve", "eve"), ("lab", "lab")):
        result = CliRunner().invoke(login, ["--base-url", team.url, "--key", team.keys[name]])
        assert result.exit_code == 0, result.output
        assert f"Signed in as {entity}." in result.output
        assert team.keys[name] not in result.output
        monkeypatch.delenv("TRACKER_ENTITY", raising=False)
        assert tracker.settings.Settings().entity == entity
    with tracker.init(project="own") as run:
        run.log({"x": 1})
    assert run.path == f"lab/own/{run.id}"
    eventually(lambda: rows(team, run) == 1)
