from __future__ import annotations

from tracker.names import RunKey
from tracker_server import live


def test_too_many_changes_become_a_reset() -> None:
    hub = live.Hub()
    listener = hub.listen(None)
    hub.changed([RunKey("me", "digits", f"r{n}") for n in range(live.MAX_WAITING + 1)], "meta")
    assert listener.take("s").startswith(b"event: reset\n")
    hub.changed([RunKey("me", "digits", "r")], "meta")
    assert listener.take("s").startswith(b"event: change\n")
