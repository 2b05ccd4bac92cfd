"""Row 30: a project is renamed, and its run moved to another one, while an agent uploads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness import (
    ENTITY,
    PROJECT,
    Training,
    assert_delivered,
    data_directory,
    kill_agents,
    on_server,
    uploaded,
)
from tests.faults.training import content
from tests.ports import free_port
from tests.waiting import PATIENCE, eventually
from tracker.client import Client
from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.embedded import serve


def test_an_agent_goes_on_after_its_run_was_renamed_and_moved(
    tmp_path: Path, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, port = data_directory(tmp_path), free_port()
    with serve(data, port=port) as server:
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
        monkeypatch.setenv("TRACKER_API_KEY", server.token)
        monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))
        client = Client(server.url, server.token)
        training = train("--pause", 0.005, "--save", 60)
        eventually(lambda: on_server(training.path), PATIENCE)

        client.json("PATCH", f"/api/projects/{ENTITY}/{PROJECT}", json={"name": "renamed"})
        _arrives_in(training, ENTITY, "renamed")
        client.json("PATCH", f"/api/projects/{ENTITY}/{PROJECT}", json={"entity": "team"})
        assert kill_agents(training.directory) == 1
        _arrives_in(training, "team", "renamed")

        other = uploaded(train("--rows", 1), "finished")  # a new run under the first name
        assert (other.entity, other.project) == ("team", "renamed")
        for place in ("first", "second"):
            _make(client, place)
            moved = {"runs": [f"{ENTITY}/{PROJECT}/{training.id}"], "entity": ENTITY, "project": place}
            assert client.json("POST", "/api/runs/move", json=moved) == {"changed": 1}
            _arrives_in(training, ENTITY, place)
        server.process.kill()
        server.process.wait()
    with serve(data, port=port):
        _arrives_in(training, ENTITY, "second")
        assert training.stop() == 0
        run = uploaded(training, "finished")
        assert run.path == f"{ENTITY}/second/{training.id}"
        assert_delivered(run, training.board.returned)
        saved = [f"file-{n}" for n in range(0, training.board.returned, 60)]
        assert sorted(file.name for file in run.files() if file.name.startswith("file-")) == sorted(saved)
        target = tmp_path / "download"
        assert run.file(saved[-1]).download(target).read_bytes() == content(saved[-1])


def _arrives_in(training: Training, entity: str, project: str) -> None:
    """Wait until more rows have arrived in the run, which is in this project under every name."""
    training.reach(training.board.returned + 20)
    wanted = training.board.returned

    def there() -> Any:
        run = on_server(training.path)
        return run if run is not None and run.info["rows"] >= wanted else None

    assert eventually(there, PATIENCE).path == f"{entity}/{project}/{training.id}"


def _make(client: Client, project: str) -> None:
    client.send(RunKey(ENTITY, project, "there"), "history.jsonl", 0, encode("run", {"version": 1, "id": "there"}, 1.0))
