"""Test the commands as click functions; test_entry_point.py calls them as users do."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import tracker
from tests.waiting import eventually
from tracker.cli.init import init
from tracker.cli.login import login
from tracker.cli.logout import logout
from tracker.cli.on_off import off, on
from tracker.cli.runs import runs
from tracker.cli.status import status
from tracker.cli.sync import sync
from tracker.cli.whoami import whoami
from tracker.random_names import random_id
from tracker.runlog.directory import agent_alive, agent_came
from tracker.runlog.records import encode, jsonable
from tracker.settings import directory_file, read_file, user_file
from tracker.settings.logins import Login, remember


def call(command: click.Command, *arguments: str, given: str | None = None) -> Result:
    result = CliRunner().invoke(command, arguments, input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def make_run(
    run_id: str, *rows: dict[str, Any], project: str = "digits", state: str = "finished", **header: Any
) -> Path:
    """Make a run directory as an offline run leaves it."""
    directory = Path(".tracker/runs", run_id)
    directory.mkdir(parents=True)
    head = {"version": 1, "id": run_id, "entity": "me", "project": project, "name": f"name of {run_id}", **header}
    lines = [encode("run", head, 1.0)]
    lines += [encode("log", jsonable(row), 2.0, i) for i, row in enumerate(rows)]
    lines.append(encode("finish", {"state": state}, 3.0))
    (directory / "history.jsonl").write_bytes(b"".join(lines))
    return directory


# -- init, on, off --------------------------------------------------------------------------------------------------


def test_init_sets_the_project_of_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_ENTITY")
    result = call(init, "--project", "digits", "--entity", "team")
    assert result.exit_code == 0
    assert "digits" in result.output
    assert read_file(directory_file()) == {"project": "digits", "entity": "team"}
    with tracker.init(mode="disabled") as run:
        assert run.path.startswith("team/digits/")


def test_init_asks_for_the_project_and_offers_the_directorys_name() -> None:
    assert call(init, given="\n").exit_code == 0
    assert read_file(directory_file())["project"] == Path.cwd().name
    assert call(init, given="mine\n").exit_code == 0
    assert "[mine]" in call(init, given="\n").output


@pytest.mark.parametrize("name", ["a/b", ".hidden", "", "x" * 129])
def test_init_refuses_an_invalid_name(name: str) -> None:
    result = call(init, "--project", name)
    assert (result.exit_code, directory_file().exists()) == (2, False)
    assert "letters of any script, digits" in result.output


def test_off_and_on_switch_tracking_in_this_directory_and_keep_other_settings() -> None:
    call(init, "--project", "digits")
    assert call(off).exit_code == 0
    with tracker.init() as run:
        assert run.mode == "disabled"
    assert call(on).exit_code == 0
    assert read_file(directory_file()) == {"project": "digits"}


def test_on_without_a_settings_file_creates_none() -> None:
    assert call(on).exit_code == 0
    assert not Path(".tracker").exists()


# -- login ----------------------------------------------------------------------------------------------------------


def test_login_stores_a_key_that_the_server_accepts(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_BASE_URL")
    monkeypatch.delenv("TRACKER_API_KEY")
    result = call(login, given=f"{server.url}/\n{server.token}\n")
    assert result.exit_code == 0, result.output
    assert server.token not in result.output
    assert read_file(user_file()) == {"base_url": server.url, "api_key": server.token}
    assert user_file().stat().st_mode & 0o077 == 0
    assert isinstance(tracker.Api().projects(), list)


def test_login_stores_no_key_that_the_server_refuses(server: Any) -> None:
    result = call(login, "--base-url", server.url, "--key", "wrong")
    assert result.exit_code == 1
    assert "does not accept this key" in result.output
    assert not user_file().exists()


def test_login_stores_nothing_without_a_response_except_with_no_check() -> None:
    arguments = ("--base-url", "http://127.0.0.1:9", "--key", "k")
    result = call(login, *arguments)
    assert result.exit_code == 1
    assert "--no-check" in result.output
    assert not user_file().exists()
    assert call(login, *arguments, "--no-check").exit_code == 0
    assert read_file(user_file())["api_key"] == "k"


def test_login_asks_for_the_key_of_a_server_without_accounts_and_remembers_no_account(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKER_ENTITY")
    before = tracker.settings.Settings().entity
    assert "Key" in call(login, "--base-url", server.url, given=f"{server.token}\n").output
    assert not user_file().with_name("logins.json").exists()
    assert tracker.settings.Settings().entity == before


def test_login_without_a_response_asks_for_no_key() -> None:
    result = call(login, "--base-url", "http://127.0.0.1:9", given="key\n")
    assert result.exit_code == 1
    assert "Key" not in result.output
    assert not user_file().exists()


# -- logout, whoami -------------------------------------------------------------------------------------------------


def test_logout_forgets_the_server_and_keeps_keys_of_others(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_BASE_URL")
    monkeypatch.delenv("TRACKER_API_KEY")
    call(login, "--base-url", "http://other.example", "--key", "another-key", "--no-check")
    call(login, "--base-url", server.url, "--key", server.token)
    result = call(logout)
    assert result.exit_code == 0, result.output
    assert read_file(user_file()) == {"keys": {"http://other.example": "another-key"}}
    assert call(logout, "--base-url", "http://OTHER.example/").exit_code == 0
    assert read_file(user_file()) == {}


def test_logout_of_another_server_keeps_the_one_that_runs_go_to() -> None:
    call(login, "--base-url", "http://first.example", "--key", "first-key", "--no-check")
    call(login, "--base-url", "http://second.example", "--key", "second-key", "--no-check")
    assert call(logout, "--base-url", "http://first.example").exit_code == 0
    assert read_file(user_file()) == {"base_url": "http://second.example", "api_key": "second-key"}


def test_logout_without_a_stored_key_says_so() -> None:
    with pytest.raises(tracker.errors.SettingsError, match="no key for any server"):
        call(logout)


def test_whoami_of_a_server_without_accounts(server: Any) -> None:
    assert call(whoami).output.splitlines() == [
        f"server   {server.url}",
        "you      the owner: this server has no accounts",
    ]
    who = json.loads(call(whoami, "--json").output)
    assert (who["server"], who["kind"], who["mode"]) == (server.url, "owner", "personal")


def test_whoami_with_a_wrong_key_fails(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_API_KEY", "a-wrong-key")
    with pytest.raises(tracker.ServerError, match="401"):
        call(whoami)


# -- the entity of an account ---------------------------------------------------------------------------------------


def test_the_account_of_a_key_is_the_entity_of_runs_unless_a_setting_names_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRACKER_ENTITY")
    key = "trk_abcd1234_" + "x" * 40
    monkeypatch.setenv("TRACKER_BASE_URL", "https://team.example")
    monkeypatch.setenv("TRACKER_API_KEY", key)
    login_name = tracker.settings.Settings().entity
    remember("https://team.example/", Login("abcd1234", "ada", made=True))
    settings = tracker.settings.Settings()
    assert (settings.entity, settings.sources["entity"]) == ("ada", "tracker login")
    assert tracker.settings.Settings({"entity": "vision"}).entity == "vision"
    with tracker.init(mode="offline") as run:
        assert run.path.startswith("ada/")
    monkeypatch.setenv("TRACKER_BASE_URL", "https://other.example")
    assert tracker.settings.Settings().entity == login_name
    monkeypatch.setenv("TRACKER_BASE_URL", "https://team.example")
    monkeypatch.setenv("TRACKER_API_KEY", "trk_zzzz9999_" + "x" * 40)
    assert tracker.settings.Settings().entity == login_name
    monkeypatch.setenv("TRACKER_API_KEY", key)
    remember("https://team.example", None)
    assert tracker.settings.Settings().entity == login_name


@pytest.mark.parametrize("content", ["", "[]", "{", '{"https://team.example": 1}', '{"https://team.example": {}}'])
def test_a_damaged_record_of_logins_is_ignored(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file().parent.mkdir(parents=True)
    user_file().with_name("logins.json").write_text(content)
    monkeypatch.setenv("TRACKER_BASE_URL", "https://team.example")
    monkeypatch.setenv("TRACKER_API_KEY", "trk_abcd1234_" + "x" * 40)
    assert tracker.settings.Settings().entity == "me"


# -- status ---------------------------------------------------------------------------------------------------------


def test_status_shows_settings_and_sources_but_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    call(init, "--project", "digits")
    monkeypatch.setenv("TRACKER_API_KEY", "a-secret-key")
    result = call(status)
    assert result.exit_code == 0
    assert "digits" in result.output
    assert "variable TRACKER_API_KEY" in result.output
    assert "a-secret-key" not in result.output
    assert "no server" in result.output
    assert "upload_interval" not in result.output
    assert "upload_interval" in call(status, "--all").output


def test_status_names_the_runs_that_the_server_lacks(server: Any) -> None:
    name = random_id()
    make_run(name, {"x": 1})
    Path(".tracker/runs/empty").mkdir()
    result = call(status)
    assert f"Server: {server.url}" in result.output
    assert "Run directories here: 2" in result.output
    assert f"tracker sync .tracker/runs/{name}" in result.output.replace("\n", " ")
    call(sync, f".tracker/runs/{name}")
    assert "tracker sync" not in call(status).output


# -- sync -----------------------------------------------------------------------------------------------------------


def test_sync_uploads_all_runs_here_and_may_be_repeated(server: Any) -> None:
    names = [random_id(), random_id()]
    for name in names:
        make_run(name, {"x": 1}, {"x": 2}, project="sync")
    for _ in range(2):
        result = call(sync)
        assert result.exit_code == 0, result.output
        assert f"2 runs are on {server.url}" in result.output
        for name in names:
            assert [row["x"] for row in tracker.Api().run(f"me/sync/{name}").scan_history()] == [1, 2]


def test_sync_uploads_a_real_offline_run(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_FINISH_TIMEOUT")
    with tracker.init(mode="offline", project="sync") as run:
        run.log({"x": math.nan})
        Path("model.pt").write_bytes(b"weights")
        run.save("model.pt")
    eventually(lambda: agent_came(run.dir, 0.0) and not agent_alive(run.dir))
    assert call(sync, run.dir).exit_code == 0
    remote = tracker.Api().run(run.path)
    assert (remote.state, remote.file("model.pt").download("back").read_bytes()) == ("finished", b"weights")


def test_sync_uploads_what_a_shell_script_logged(server: Any) -> None:
    import subprocess

    script = Path(__file__).parents[3] / "examples" / "log_from_shell.sh"
    name = random_id()
    subprocess.run(["sh", script, name, "5"], check=True)
    assert call(sync, name).exit_code == 0
    remote = tracker.Api().run(f"shell/examples/{name}")
    assert remote.state == "finished"
    assert [row["square"] for row in remote.scan_history(["square"])] == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("named", ["out", "out/.tracker", "out/.tracker/runs", "~/out"])
def test_sync_accepts_the_directory_in_which_runs_were_started(
    server: Any, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", os.getcwd())
    project = f"here-{random_id()}"
    with tracker.init(mode="offline", dir="out", project=project, id="one"):
        pass
    assert tracker.read_run(named).id == "one"
    with tracker.init(mode="offline", dir="out", project=project, id="two"):
        pass
    assert f"2 runs are on {server.url}" in call(sync, named).output
    assert {run.id for run in tracker.Api().runs(f"me/{project}")} == {"one", "two"}
    with pytest.raises(tracker.NotARun, match=r"holds 2 runs \(one, two\): name one of them"):
        tracker.read_run(named)


def test_a_project_name_may_be_in_any_script(server: Any) -> None:
    name = f"日本語 हिन्दी {random_id()}"
    make_run("r1", {"acc": 1}, project=name)
    assert call(sync).exit_code == 0
    assert tracker.Api().run(f"me/{name}/r1").project == name
    assert "name of r1" in call(runs, name).output
    assert name in [project["project"] for project in tracker.Api().projects()]


def test_sync_reports_what_did_not_arrive_and_uploads_the_rest(server: Any) -> None:
    good = random_id()
    make_run(good, {"x": 1}, project="sync")
    Path("nothing").mkdir()
    result = call(sync, "nothing", "missing", f".tracker/runs/{good}")
    assert result.exit_code == 1
    assert "2 of 3 run directories did not arrive completely" in result.output
    assert tracker.Api().run(f"me/sync/{good}").info["rows"] == 1


def test_sync_without_runs_is_wrong_usage(server: Any) -> None:
    result = call(sync)
    assert result.exit_code == 2
    assert "there are no runs" in result.output


def test_sync_without_a_reachable_server_loses_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    make_run("a1", {"x": 1})
    monkeypatch.setenv("TRACKER_BASE_URL", "http://127.0.0.1:9")
    result = call(sync)
    assert result.exit_code == 1
    assert "nothing is lost" in result.output


# -- runs -----------------------------------------------------------------------------------------------------------


def test_runs_shows_a_table_of_the_directorys_project(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project = f"table-{random_id()}"
    monkeypatch.setenv("TRACKER_PROJECT", project)
    assert f"No runs in me/{project}" in call(runs).output
    for i in range(3):
        make_run(f"r{i}", {"acc": i / 2}, project=project, state="failed" if i == 1 else "finished")
    call(sync)
    output = call(runs).output
    assert all(f"name of r{i}" in output for i in range(3))
    assert "failed" in output
    assert "1 more; --limit 3 shows all." in call(runs, project, "--limit", "2").output
    output = call(runs, f"me/{project}", "--filter", '{"state": "failed"}', "--order", "-summary.acc").output
    assert ("r1" in output, "r2" in output) == (True, False)
    assert call(runs, f"me/{project}", "--filter", 'state == "failed"', "--order", "-summary.acc").output == output
    assert "match the filter" in call(runs, "--filter", '{"state": "killed"}').output
    found = [json.loads(line) for line in call(runs, "--json", "--order", "-summary.acc").output.splitlines()]
    assert [run["id"] for run in found] == ["r2", "r1", "r0"]


def test_runs_lists_the_projects_that_have_runs(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project = f"elsewhere-{random_id()}"
    make_run("r1", {"acc": 1}, project=project)
    make_run("r2", {"acc": 1}, project=f"{project}-too")
    make_run(alone := random_id(), {"acc": 1}, project=project)
    call(sync)
    monkeypatch.setenv("TRACKER_PROJECT", "nothing-here")
    output = call(runs).output
    assert "No runs in me/nothing-here." in output
    assert "There are runs in me/" in output
    assert "`tracker runs --all` shows them" in output
    output = call(runs, "--all", "--limit", "1000").output
    assert f"me/{project}-too" in output
    assert "name of r1" in output
    assert "name of r2" in output
    one = call(runs, "--all", "--filter", f"id = '{alone}'").output
    assert f"me/{project}" in one  # even if all are in one project
    assert call(runs, "--all", "--filter", "name = 'none'").output == "No runs match the filter.\n"
    assert len(call(runs, "--all", "--json", "--limit", "1").output.splitlines()) == 1


def test_without_a_server_runs_are_those_of_the_directory() -> None:
    make_run("a1", {"acc": 0.5})
    make_run("b1", {"acc": 0.5}, project="日本語")
    output = call(runs).output
    assert "name of a1" in output
    assert "me/日本語" in output
    with pytest.raises(tracker.SettingsError, match="tracker server"):
        call(runs, "me/digits")


def test_runs_of_the_directory_need_no_server() -> None:
    assert "No runs in" in call(runs, "--local").output
    make_run("a1", {"acc": 0.5, "nan": math.nan})
    Path(".tracker/runs/broken").mkdir()
    output = call(runs, "--local").output
    assert "name of a1" in output
    (found,) = [json.loads(line) for line in call(runs, "--local", "--json").output.splitlines()]
    assert (found["id"], found["summary"]["nan"]) == ("a1", {"_type": "float", "value": "NaN"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["--filter", "{"],
        ["--filter", "[1]"],
        ["--limit", "0"],
        ["--local", "--filter", "{}"],
        ["--local", "--order", "created"],
        ["--local", "digits"],
        ["--all", "digits"],
    ],
)
def test_runs_refuses_wrong_usage(arguments: list[str]) -> None:
    assert call(runs, *arguments).exit_code == 2


def test_runs_without_a_server_says_how_to_get_one() -> None:
    with pytest.raises(tracker.SettingsError, match="tracker server"):  # main shows it without a traceback
        call(runs)


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    make_run("a1", {"[red]": 1}, name="[bold]x[/bold] [/]")
    output = call(runs, "--local").output
    assert "[bold]x[/bold] [/]" in output
    assert "[red]" in output


def test_values_that_most_runs_have_come_first_and_no_run_takes_all_the_room() -> None:
    make_run("a1", {f"own{i}": i for i in range(8)} | {"shared": 1})
    make_run("b1", {"other": 7, "shared": 2})
    output = call(runs, "--local").output
    assert output.index("shared") < output.index("own0")
    assert "other" in output
    assert "own7" not in output
