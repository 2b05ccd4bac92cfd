"""The page of the first run gets the key until something is logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def fresh(run_server: Any, tmp_path: Path) -> Any:
    with run_server(tmp_path) as client:
        yield client


def test_the_key_is_available_only_until_something_is_logged(fresh: Any, lines: Any) -> None:
    assert fresh.json("/api/key") == {"key": fresh.token}
    assert fresh.append("one", lines("one")).status_code == 200
    assert fresh.json("/api/key") == {"key": None}


def test_without_the_token_the_key_is_not_available(fresh: Any) -> None:
    key, fresh.token = fresh.token, None
    answer = fresh.get("/api/key")
    assert answer.status_code == 401
    assert key not in answer.text
