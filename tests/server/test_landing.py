from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

EVIL = "<script>alert('x')</script>\"&"


@pytest.fixture(scope="module")
def page(client: Any, lines: Any) -> str:
    more = [("summary", {EVIL: EVIL, "nan": {"_type": "float", "value": "NaN"}}), ("finish", {"state": "failed"})]
    client.append("evil", lines("evil", more=more, name=EVIL))
    for n in range(7):
        client.append(f"run{n}", lines(f"run{n}", name=f"name-{n}"))
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    return str(answer.text)


def test_projects_show_their_newest_runs(page: str) -> None:
    assert "me / digits" in page
    assert "8 runs" in page
    assert page.count('class="name"') == 5


def test_what_users_logged_is_text_and_never_markup(client: Any, lines: Any, tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path) as alone:
        more = [("summary", {EVIL: EVIL, "nan": {"_type": "float", "value": "NaN"}}), ("finish", {"state": "failed"})]
        alone.append("evil", lines("evil", more=more, name=EVIL))
        page = alone.get("/").text
    assert "<script" not in page
    assert "alert(&#x27;x&#x27;)" in page
    assert 'class="state failed"' in page
    assert "NaN" in page


def test_the_page_loads_nothing_and_runs_nothing(client: Any, page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|object)\b| src=| on\w+=|url\(|@import", page)
    policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_first_page_shows_how_to_log_to_this_very_address(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path) as client:
        text = client.get("/").text
    assert "No runs yet" in text
    assert f"TRACKER_BASE_URL={client.url}" in text
    assert "tracker.init(" in text


def test_a_run_has_a_page_with_all_that_is_known_of_it(client: Any, lines: Any) -> None:
    more = [
        ("config", {"lr": 0.1, EVIL: {"nested": EVIL}}),
        ("summary", {"acc": 0.5}),
        ("file", {"name": EVIL, "digest": "0" * 64, "size": 12, "path": "files/save-1"}),
        ("finish", {"state": "failed", "error": EVIL}),
    ]
    client.append("paged", lines("paged", more=more, name="a run"))
    answer = client.get("/runs/me/digits/paged")
    assert answer.status_code == 200
    assert "<script" not in answer.text
    for shown in ("a run", "me / digits", ">lr<", "0.1", ">acc<", "0.5", "failed", "12 bytes"):
        assert shown in answer.text
    assert client.get("/runs/me/digits/absent").status_code == 404
    assert "/runs/me/digits/paged" in client.get("/").text
