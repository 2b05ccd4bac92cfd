from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.waiting import eventually
from tracker import discovery
from tracker_server import embedded


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRACKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def _get(url: str, token: str, path: str = "/api/projects") -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url + path, headers={"Authorization": f"Bearer {token}"}, timeout=90)


def _command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracker_server", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    with embedded.serve(tmp_path / "data") as server:
        yield server


def test_an_embedded_server_responds_at_once_and_ends_with_the_block(tmp_path: Path) -> None:
    with embedded.serve(tmp_path / "data") as server:
        assert _get(server.url, server.token).json() == {"projects": []}
    assert server.process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        _get(server.url, server.token)


def test_the_token_is_readable_by_its_owner_only_and_reused(tmp_path: Path) -> None:
    tokens = []
    for _ in range(2):
        with embedded.serve(tmp_path / "data") as server:
            tokens.append(server.token)
    assert tokens[0] == tokens[1] == (tmp_path / "data" / "token").read_text().strip()
    assert len(tokens[0]) >= 40
    assert stat.S_IMODE((tmp_path / "data" / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_given_token_takes_precedence_and_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_SERVER_TOKEN", "given-token")
    with embedded.serve(tmp_path / "data") as server:
        assert server.token == "given-token"
        assert _get(server.url, "given-token").status_code == 200
    assert not (tmp_path / "data" / "token").exists()


def test_clients_of_the_same_user_find_a_server_while_it_runs(tmp_path: Path) -> None:
    with embedded.serve(tmp_path / "data") as server:
        found = discovery.find()
        assert found is not None
        assert (found.url, found.token, found.pid) == (server.url, server.token, server.process.pid)
        assert found.directory == str(tmp_path / "data")
    assert discovery.find() is None
    assert list(discovery.folder().iterdir()) == []


def test_a_second_server_on_a_directory_is_refused(served: Any, tmp_path: Path) -> None:
    second = _command("--dir", str(tmp_path / "data"), "--port", "0")
    assert second.returncode == 1
    assert f"another server (process {served.process.pid}) uses" in second.stderr
    assert "--dir" in second.stderr
    assert _get(served.url, served.token).status_code == 200


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = _command("--dir", str(tmp_path / "data"), "--port", port)
    assert failed.returncode == 1
    assert f"port {port}: Address already in use" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--token", "short"], "8 to 256 letters"),
        (["--token", "with spaces and more"], "8 to 256 letters"),
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
        (["--dir", "/proc/nothing"], "cannot use the directory /proc/nothing"),
    ],
)
def test_invalid_arguments_are_explained(arguments: list[str], says: str) -> None:
    failed = _command("--port", "0", *arguments)
    assert failed.returncode == 1
    assert says in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--providers", "nowhere.toml"], "does not exist"),
        (["--trusted-user-header", "X-Remote-User"], "need each other"),
        (["--trusted-user-proxy", "10.0.0.5"], "need each other"),
        (["--trusted-user-header", "Cookie", "--trusted-user-proxy", "10.0.0.5"], "means something else"),
        (["--trusted-user-header", "a b", "--trusted-user-proxy", "10.0.0.5"], "like X-Remote-User"),
        (["--trusted-user-header", "X-Remote-User", "--trusted-user-proxy", "proxy"], "must be an IP address"),
    ],
)
def test_wrong_ways_to_sign_in_are_explained(arguments: list[str], says: str, tmp_path: Path) -> None:
    failed = _command("--dir", str(tmp_path), "--port", "0", *arguments)
    assert failed.returncode == 2
    assert says in failed.stderr


def test_a_wrong_file_of_providers_is_explained(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text("[providers.campus]\n")
    failed = _command("--dir", str(tmp_path), "--port", "0")
    assert failed.returncode == 1
    assert "providers.toml: [providers.campus] needs issuer" in failed.stderr
    assert "can read" in failed.stderr  # others can: it is not private


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_server_cleanly_and_soon_even_with_clients_connected(served: Any, sent: signal.Signals) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half, requests.Session() as idle:
        half.sendall(b"POST /api/runs/a/b/c/streams/history.jsonl?offset=0 HTTP/1.1\r\nHost: localhost\r\n")
        half.sendall(f"Authorization: Bearer {served.token}\r\nContent-Length: 1000\r\n\r\npart".encode())
        idle.get(served.url + "/", headers={"Authorization": f"Bearer {served.token}"}, timeout=90)
        served.process.send_signal(sent)
        assert served.process.wait(60) == 0  # neither client would ever disconnect


def test_a_killed_server_starts_again_on_its_data(tmp_path: Path, lines: Any) -> None:
    with embedded.serve(tmp_path / "data") as server:
        path = "/api/runs/me/digits/r/streams/history.jsonl?offset=0"
        headers = {"Authorization": f"Bearer {server.token}"}
        assert requests.post(server.url + path, data=lines("r"), headers=headers, timeout=90).status_code == 200
        server.process.kill()
        server.process.wait()
    assert discovery.find() is None
    with embedded.serve(tmp_path / "data") as server:
        assert _get(server.url, server.token, "/api/runs/me/digits/r").json()["rows"] == 3


def test_embedding_a_server_that_cannot_start_raises_the_reason(served: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="another server"), embedded.serve(tmp_path / "data"):
        pass


def _greeting(tmp_path: Path, *arguments: str) -> str:
    command = [sys.executable, "-u", "-m", "tracker_server", "--dir", str(tmp_path / "d"), "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    greeting = ""
    while "ctrl+C" not in greeting:
        line = process.stdout.readline()
        assert line, greeting
        greeting += line
    process.terminate()
    process.stdout.close()
    assert process.wait(90) == 0
    return greeting


def test_the_greeting_says_how_to_open_the_dashboard_and_configure_scripts(tmp_path: Path) -> None:
    greeting = _greeting(tmp_path)
    token = (tmp_path / "d" / "token").read_text().strip()
    assert f"/?token={token}" in greeting
    assert str(tmp_path / "d") in greeting
    assert "TRACKER_BASE_URL=http://127.0.0.1:" in greeting
    assert f"TRACKER_API_KEY={token}" in greeting
    assert "encrypted" not in greeting


def test_listening_for_other_machines_warns_about_the_unencrypted_connection(tmp_path: Path) -> None:
    greeting = _greeting(tmp_path, "--host", "0.0.0.0")
    assert "not encrypted" in greeting
    assert f"TRACKER_BASE_URL=http://{socket.gethostname()}:" in greeting


@pytest.mark.parametrize(
    ("display", "option", "opens"), [(":0", [], True), ("", [], False), (":0", ["--no-browser"], False)]
)
def test_ui_opens_a_browser_on_a_display_without_giving_it_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, display: str, option: list[str], opens: bool
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    run = "from tracker_server.cli import ui; ui()"
    command = [sys.executable, "-c", run, "--dir", str(tmp_path / "d"), "--port", "0", *option]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        server = eventually(discovery.find)
        if opens:
            eventually(opened.exists)
            url = opened.read_text().strip()
            assert server.token not in url
            assert requests.get(url, allow_redirects=False, timeout=90).status_code == 303
            assert requests.get(url, allow_redirects=False, timeout=90).status_code == 401
    finally:
        process.terminate()
        assert process.wait(90) == 0
    assert opened.exists() == opens
