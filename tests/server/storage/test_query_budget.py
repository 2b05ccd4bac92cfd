from __future__ import annotations

import threading

import pytest

from tracker_server.storage.interface import OverBudget
from tracker_server.storage.query_budget import Budget, check, checked, locked


def test_a_budget_ends_endless_and_cancelled_queries() -> None:
    def for_ever() -> None:
        for _ in checked(iter(int, 1)):
            pass

    with pytest.raises(OverBudget, match="takes too long"):
        Budget(seconds=0.05).run(for_ever)
    left = Budget()
    left.cancel()
    with pytest.raises(OverBudget, match="cancelled"):
        left.run(for_ever)
    lock = threading.Lock()
    with lock, pytest.raises(OverBudget):
        Budget(waiting=0.1).run(lambda: locked(lock).__enter__())
    check()  # without a budget nothing is cancelled
