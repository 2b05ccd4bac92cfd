from __future__ import annotations

import pytest

from tracker_server.access.throttle import (
    FORGOTTEN,
    FREE_PER_ACCOUNT,
    FREE_PER_ADDRESS,
    MAX_COUNTS,
    MAX_WAIT,
    Throttle,
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def test_the_wait_doubles_with_each_failure_up_to_a_limit(throttle: Throttle, clock: Clock) -> None:
    for number in range(FREE_PER_ACCOUNT):
        assert throttle.attempt("ada", f"10.0.0.{number}") == 0
    waits = []
    for number in range(14):
        wait = throttle.attempt("Ada", f"10.0.1.{number}")
        waits.append(wait)
        clock.now += wait
        assert throttle.attempt("ada", f"10.0.1.{number}") == 0
    assert waits == [min(MAX_WAIT, 2.0**number) for number in range(14)]
    assert throttle.attempt("bob", "10.0.0.1") == 0


def test_attempts_during_a_wait_do_not_prolong_it(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE_PER_ACCOUNT + 3):
        clock.now += throttle.attempt("ada", "10.0.0.1")
        throttle.attempt("ada", "10.0.0.1")
    wait = throttle.attempt("ada", "10.0.0.1")
    for _ in range(50):
        assert throttle.attempt("ada", "10.0.0.1") == wait
    clock.now += wait
    assert throttle.attempt("ada", "10.0.0.1") == 0


def test_many_attempts_at_once_are_no_way_around(throttle: Throttle) -> None:
    allowed = [throttle.attempt("ada", f"10.0.{number}.1") == 0 for number in range(100)]
    assert sum(allowed) == FREE_PER_ACCOUNT


def test_an_address_that_tries_many_names_waits(throttle: Throttle) -> None:
    for number in range(FREE_PER_ADDRESS):
        assert throttle.attempt(f"name{number}", f"2001:db8::{number:x}") == 0  # one network of 64 bits
    assert throttle.attempt("another", "2001:db8::ffff") > 0
    assert throttle.attempt("another", "2001:db8:0:1::1") == 0


def test_success_forgets_the_failures_of_the_account_and_not_of_the_address(throttle: Throttle) -> None:
    for number in range(FREE_PER_ADDRESS - 1):
        throttle.attempt(f"victim{number}", "10.0.0.1")
    for _ in range(3):
        assert throttle.attempt("mallory", "10.0.0.1") == 0
        throttle.succeeded("mallory", "10.0.0.1")
    assert throttle.attempt("one more", "10.0.0.1") == 0
    assert throttle.attempt("two more", "10.0.0.1") > 0
    for _ in range(3):
        for _ in range(FREE_PER_ACCOUNT):
            assert throttle.attempt("ada", "10.0.0.2") == 0
        throttle.succeeded("ada", "10.0.0.2")


def test_a_stranger_does_not_lock_a_known_browser_out(throttle: Throttle, clock: Clock) -> None:
    for number in range(1000):
        clock.now += throttle.attempt("ada", f"10.1.{number % 250}.1")
        throttle.attempt("ada", f"10.1.{number % 250}.1")
    assert throttle.attempt("ada", "10.0.0.1") > 0
    for _ in range(FREE_PER_ACCOUNT):
        assert throttle.attempt("ada", "10.0.0.1", known="browser 1") == 0
    assert throttle.attempt("ada", "10.0.0.1", known="browser 1") > 0  # a stolen browser has no free guesses either
    assert throttle.attempt("ada", "10.0.0.1", known="browser 2") == 0


def test_failures_are_forgotten_after_a_day(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        throttle.attempt("ada", "10.0.0.1")
    assert throttle.attempt("ada", "10.0.0.1") > 0
    clock.now += FORGOTTEN + 1
    for _ in range(FREE_PER_ACCOUNT):
        assert throttle.attempt("ada", "10.0.0.1") == 0


def test_a_flood_of_names_takes_bounded_memory_and_hides_no_guessing(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE_PER_ACCOUNT + 9):
        clock.now += throttle.attempt("ada", "10.0.0.1")
        throttle.attempt("ada", "10.0.0.1")
    for number in range(2 * MAX_COUNTS):
        throttle.attempt(f"flood{number}", f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1")
    assert len(throttle._counts) <= MAX_COUNTS
    assert throttle.attempt("ada", "10.0.0.2") > 0
