"""Deletion and the trash, for runs that still upload."""

from __future__ import annotations

from typing import Any

from tracker.runlog.records import encode
from tracker.wire import run_path

ROW = encode("log", {"loss": 1.0}, 1_700_000_100.0, 9)


def test_a_run_deleted_during_its_uploads_stays_deleted_until_it_is_readmitted(client: Any, lines: Any) -> None:
    data, run = lines("live"), run_path("me", "digits", "live")
    client.append("live", data)
    assert client("DELETE", run).status_code == 204
    for answer in (client.append("live", ROW, len(data)), client.append("live", data), client.get(run + "/streams")):
        assert answer.status_code == 410
        assert "me/digits/live was deleted" in answer.json()["error"]
    assert client.get(run).status_code == 404
    assert client("DELETE", run + "?readmit=true").status_code == 204
    assert client("DELETE", run + "?readmit=true").status_code == 404
    assert client.append("live", data).status_code == 200
    assert client.json(run)["rows"] == 3


def test_uploads_to_a_run_in_the_trash_are_stored_and_the_response_says_trashed(client: Any, lines: Any) -> None:
    data, run = lines("binned"), run_path("me", "digits", "binned")
    assert client.append("binned", data).json()["trashed"] is False
    client("POST", "/api/trash", json={"runs": ["me/digits/binned"]})
    answer = client.append("binned", ROW, len(data))
    assert (answer.status_code, answer.json()["trashed"]) == (200, True)
    client("POST", "/api/trash/restore", json={"runs": ["me/digits/binned"]})
    assert client.append("binned", ROW, len(data) + len(ROW)).json()["trashed"] is False
    assert client.json(run)["rows"] == 5
