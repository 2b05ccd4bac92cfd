from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest


def test_runs_are_moved_to_the_trash_and_restored(tmp_path: Path, run_server: Any, lines: Any) -> None:
    with run_server(tmp_path) as client:
        for run in ("one", "two"):
            client.append(run, lines(run))
        body = {"runs": ["me/digits/one", "me/digits/none"]}
        assert client("POST", "/api/trash", json=body).json() == {"changed": 1}
        assert client("POST", "/api/trash", json=body).json() == {"changed": 0}
        assert [run["id"] for run in client.json("/api/runs/me/digits")["runs"]] == ["two"]
        assert client.json("/api/runs/me/digits/one")["trashed"] == pytest.approx(time.time(), abs=60)
        shown = client("POST", "/api/table/me/digits", json={"trashed": True}).json()
        assert shown["runs"] == ["one"]
        assert client.append("one", lines("one"), stream="history-b.jsonl").status_code == 200
        assert client("POST", "/api/table/me/digits", json={}).json()["runs"] == ["two"]
        assert client("POST", "/api/trash/restore", json=body).json() == {"changed": 1}
        assert client.json("/api/runs/me/digits")["total"] == 2
        assert client("POST", "/api/trash", json={"runs": ["nonsense"]}).status_code == 400
