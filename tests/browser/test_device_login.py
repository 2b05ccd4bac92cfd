"""`tracker login` in a terminal, confirmed in a browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tracker_server.embedded import Embedded, serve

from .conftest import SIZES, watched

PASSWORD = "seven green lamps"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    directory = tmp_path_factory.mktemp("team")
    command = [sys.executable, "-m", "tracker_server", "account", "add", "ada", "--admin", "--password-stdin"]
    subprocess.run([*command, "--dir", str(directory)], input=PASSWORD, text=True, check=True, capture_output=True)
    with serve(directory) as made:
        yield made


class Terminal:
    """Runs `tracker` commands as a user with a home of their own and without a display."""

    def __init__(self, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKER_", "XDG_"))}
        self._environment = {**kept, "HOME": str(home), "DISPLAY": "", "WAYLAND_DISPLAY": "", "PYTHONUNBUFFERED": "1"}

    @contextmanager
    def start(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "tracker.cli.main", *arguments]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=self._environment, text=True, **streams) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=90)
        return process.returncode, out, err


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@contextmanager
def opened(browser: Browser, team: Embedded, size: str = "desktop", refusals: tuple[int, ...] = ()) -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    try:
        with watched(context, team.url, refusals) as page:
            yield page
    finally:
        context.close()


def sign_in(page: Page, team: Embedded, path: str) -> None:
    page.goto(team.url + path)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def code_in(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the address and the code that the program prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"Go to (\S+) in a browser, on any machine, and enter the code ([A-Z]{4}-[A-Z]{4})\n", line)
    assert found, line
    return found[1], found[2]


def test_a_program_is_signed_in_by_its_code_and_signed_out(
    browser: Browser, team: Embedded, terminal: Terminal, tmp_path: Path, shots: Path
) -> None:
    with terminal.start("login", "--base-url", team.url) as process, opened(browser, team) as page:
        address, code = code_in(process)
        assert address == f"{team.url}/login/device"
        sign_in(page, team, "/login/device")
        page.get_by_label("Code").fill(code.lower())
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text(code)).to_be_visible()
        expect(
            page.get_by_text(f"@{os.uname().nodename}, at the address 127.0.0.1, asks to act as ada.")
        ).to_be_visible()
        problems = Axe().run(page).response["violations"]
        assert problems == []
        page.screenshot(path=shots / "device-login.png")
        page.get_by_label("Log only").check()
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Confirmed. The program goes on")).to_be_visible()
        out, err = process.communicate(timeout=90)
        assert (process.returncode, err) == (0, "")
        assert out.startswith("Signed in as ada.\n")
    settings = (tmp_path / ".config/tracker/settings.toml").read_text()
    key = re.search(r'api_key = "(trk_\w+)"', settings)
    assert key is not None
    assert key[1] not in out
    status, text, _ = terminal.run("whoami", "--json")
    who = json.loads(text)
    assert (status, who["name"], who["scope"], who["key"]["id"]) == (0, "ada", "log", key[1][4:12])
    assert who["key"]["name"].endswith(f"@{os.uname().nodename}")
    assert terminal.run("logout")[:2] == (
        0,
        f"The key for {team.url} is no longer on this machine.\nThe server has revoked it.\n",
    )
    answer = requests.get(team.url + "/api/whoami", headers={"Authorization": f"Bearer {key[1]}"}, timeout=90)
    assert (answer.status_code, "revoked" in answer.text) == (401, True)


def test_a_refused_program_ends_and_stores_nothing(
    browser: Browser, team: Embedded, terminal: Terminal, tmp_path: Path
) -> None:
    with terminal.start("login", "--base-url", team.url) as process, opened(browser, team, "phone", (404,)) as page:
        _, code = code_in(process)
        sign_in(page, team, "/login/device?code=BBBB-BBBB")
        expect(page.get_by_text("no program waits with this code")).to_be_visible()
        page.goto(f"{team.url}/login/device?code={code}")
        page.get_by_role("button", name="Refuse").click()
        expect(page.get_by_text("Refused. The program gets no key.")).to_be_visible()
        _, err = process.communicate(timeout=90)
        assert process.returncode == 1
        assert "the code was refused" in err
    assert not (tmp_path / ".config/tracker").exists()
