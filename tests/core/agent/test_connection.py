"""Test addresses and keys that change during a run, with real servers and agents."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tracker
from tests.faults.harness import kill_agents
from tests.ports import free_port
from tests.waiting import PATIENCE, eventually
from tracker.agent_protocol.status import read_status
from tracker.cli.login import login
from tracker.runlog.directory import agent_alive
from tracker.sdk import agent_launch
from tracker.sdk import agent_supervisor as supervisor

FIRST, SECOND = "the-first-token", "the-second-token"


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi", reason="the extra `server` is not installed")
    monkeypatch.setenv("TRACKER_PROJECT", "connections")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_UPLOAD_INTERVAL", "0.1")
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))


@contextlib.contextmanager
def serving(data: Path, token: str, port: int) -> Iterator[Any]:
    """Start a server with a token on a port; clients do not discover it."""
    from tracker_server.embedded import serve

    data.mkdir(mode=0o700, exist_ok=True)
    (data / "token").write_text(token)
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("XDG_STATE_HOME", str(data.parent / "elsewhere"))
        server = stack.enter_context(serve(data, port=port))
        patch.undo()
        yield server


def rows(base_url: str, token: str, run_id: str) -> int:
    with contextlib.suppress(tracker.ServerError):
        return int(tracker.Api(base_url, token).run(f"me/connections/{run_id}").info["rows"])
    return 0


def trouble(run: tracker.Run) -> str:
    status = read_status(run.dir)
    return (status.trouble or "") if status is not None else ""


def log_in(base_url: str, token: str) -> None:
    done = CliRunner().invoke(login, ["--base-url", base_url, "--key", token, "--no-check"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("given_by", ["a file", "a variable"])
def test_a_replaced_key_is_used_as_soon_as_it_is_stored(
    given_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port, data = free_port(), tmp_path / "data"
    url = f"http://127.0.0.1:{port}"
    with serving(data, FIRST, port):
        if given_by == "a file":
            log_in(url, FIRST)
        else:
            monkeypatch.setenv("TRACKER_BASE_URL", url)
            monkeypatch.setenv("TRACKER_API_KEY", FIRST)
        run = tracker.init()
        run.log({"x": 1})
        eventually(lambda: rows(url, FIRST, run.id) == 1)
    with serving(data, SECOND, port):
        run.log({"x": 2})
        eventually(lambda: "does not accept the key" in trouble(run))
        ended = tracker.init(reinit="create_new")
        eventually(lambda: "does not accept the key" in trouble(ended))
        ended.finish()
        last = capsys.readouterr().err.splitlines()[-2:]
        assert "finished, but not all of it is uploaded: the server does not accept the key" in last[0]
        assert last[1].endswith(f"tracker sync .tracker/runs/{ended.id}")
        log_in(url, SECOND)
        eventually(lambda: rows(url, SECOND, run.id) == 2 and not trouble(run))
        run.finish()
        assert capsys.readouterr().err.splitlines()[-1].endswith(f"finished: {run.url}")
        api = tracker.Api(url, SECOND)
        for one in (run, ended):
            eventually(lambda one=one: api.run(one.path).state == "finished")  # type: ignore[misc]


def test_another_address_is_used_as_soon_as_it_is_stored(tmp_path: Path) -> None:
    old, new = free_port(), free_port()
    log_in_url = f"http://127.0.0.1:{old}"
    with serving(tmp_path / "data", FIRST, old):
        log_in(log_in_url, FIRST)
        run = tracker.init()
        run.log({"x": 1})
        eventually(lambda: rows(log_in_url, FIRST, run.id) == 1)
    run.log({"x": 2})
    eventually(lambda: "no answer" in trouble(run))
    url = f"http://127.0.0.1:{new}"
    with serving(tmp_path / "data", FIRST, new):
        log_in(url, FIRST)
        eventually(lambda: rows(url, FIRST, run.id) == 2)
        run.finish()
        eventually(lambda: not agent_alive(run.dir))


def test_a_server_of_this_machine_that_moved_is_found_again(tmp_path: Path) -> None:
    from tracker_server.embedded import serve

    with serve(tmp_path / "data") as first:
        run = tracker.init()
        run.log({"x": 1})
        eventually(lambda: rows(first.url, first.token, run.id) == 1)
    run.log({"x": 2})
    with serve(tmp_path / "data", port=free_port()) as second:
        assert second.url != first.url
        eventually(lambda: rows(second.url, second.token, run.id) == 2)
        run.finish()
        eventually(lambda: not agent_alive(run.dir))


def test_arguments_of_the_process_win_over_stored_settings(server: Any) -> None:
    log_in("http://127.0.0.1:9", "another-token")
    with tracker.init() as run:
        run.log({"x": 1})
        eventually(lambda: rows(server.url, server.token, run.id) == 1)
        log_in("http://127.0.0.1:10", "yet-another-token")
        run.log({"x": 2})
        eventually(lambda: rows(server.url, server.token, run.id) == 2)


def test_the_last_line_reports_a_dead_agent(
    server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")
    monkeypatch.setattr(supervisor, "MOST_STARTS", 1)
    run = tracker.init()
    eventually(lambda: agent_alive(run.dir))
    eventually(lambda: kill_agents(Path(run.dir)))
    run.log({"x": 1})
    run.finish()
    lines = capsys.readouterr().err.splitlines()
    assert any("the agent ended 1 times within 10 minutes" in line for line in lines)
    assert "finished, but not all of it is uploaded: the agent has ended" in lines[-2]
    assert lines[-1].endswith(f"complete it with: tracker sync .tracker/runs/{run.id}")


def test_starts_are_limited_only_for_a_while(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[str] = []
    monkeypatch.setattr(agent_launch, "hand_over", lambda directory, _given: started.append(directory))
    monkeypatch.setattr(agent_launch, "start_agent", lambda directory, _environment: started.append(directory))
    monkeypatch.setattr(supervisor, "_STARTING", 0.0)
    (tmp_path / "run").mkdir()
    watched = supervisor.Supervisor(str(tmp_path / "run"), tracker.settings.Settings())
    watched.start()
    for _ in range(30):
        watched.check()
    assert len(started) == supervisor.MOST_STARTS
    monkeypatch.setattr(supervisor, "WITHIN", 0.0)
    for _ in range(30):
        watched.check()
    assert len(started) == supervisor.MOST_STARTS + 30
