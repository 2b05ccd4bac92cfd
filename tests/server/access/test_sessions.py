from __future__ import annotations

import json
import time
from pathlib import Path

from tracker_server.access.sessions import LIFETIME, Sessions


def test_a_session_ends_after_30_days_without_use(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    cookie, _ = Sessions(file, "token").begin("127.0.0.1", "browser")
    assert Sessions(file, "token").find(cookie) is not None
    assert Sessions(file, "another token").find(cookie) is None
    (kept,) = json.loads(file.read_text())
    for age, there in ((LIFETIME - 3600, True), (LIFETIME + 1, False)):
        file.write_text(json.dumps([{**kept, "seen": time.time() - age}]))
        assert (Sessions(file, "token").find(cookie) is not None) == there
