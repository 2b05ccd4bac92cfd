from __future__ import annotations

import re

import pytest

from tracker_server.access import device_login
from tracker_server.access.device_login import Confirmed, DeviceLogins, TooMany


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logins(clock: Clock) -> DeviceLogins:
    return DeviceLogins(clock)


def test_a_confirmed_request_is_handed_out_once(logins: DeviceLogins, clock: Clock) -> None:
    started = logins.start("ada", "gpu-box", "10.0.0.7")
    assert logins.ask(started.device_code) == "waiting"
    found = logins.find(started.user_code, 1)
    assert found is not None
    assert (found.name, found.address) == ("ada@gpu-box", "10.0.0.7")
    assert logins.answer(started.user_code, 1, "log") is found
    clock.now += started.interval
    assert logins.ask(started.device_code) == Confirmed(1, "log", "ada@gpu-box")
    clock.now += started.interval
    assert logins.ask(started.device_code) == "over"


def test_a_refused_request_is_over(logins: DeviceLogins) -> None:
    started = logins.start("ada", "gpu-box", "10.0.0.7")
    assert logins.answer(started.user_code, 1, None) is not None
    assert logins.ask(started.device_code) == "over"


def test_a_request_is_answered_once(logins: DeviceLogins) -> None:
    started = logins.start("ada", "gpu-box", "10.0.0.7")
    assert logins.answer(started.user_code, 1, "log") is not None
    assert logins.answer(started.user_code, 2, "all") is None
    assert logins.ask(started.device_code) == Confirmed(1, "log", "ada@gpu-box")


def test_codes_have_two_groups_of_letters_that_nobody_confuses(logins: DeviceLogins) -> None:
    codes = {logins.start("ada", "box", "10.0.0.7").user_code for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code) for code in codes)


def test_a_code_may_be_typed_in_any_case_and_without_the_dash(logins: DeviceLogins) -> None:
    started = logins.start("ada", "box", "10.0.0.7")
    assert logins.find(f"  {started.user_code.lower().replace('-', ' ')} ", 1) is not None
    assert logins.find(started.user_code.replace("-", ""), 1) is not None


def test_a_request_ends_after_ten_minutes(logins: DeviceLogins, clock: Clock) -> None:
    started = logins.start("ada", "box", "10.0.0.7")
    logins.answer(started.user_code, 1, "all")
    clock.now += started.expires_in
    assert logins.find(started.user_code, 1) is None
    assert logins.ask(started.device_code) == "over"


def test_a_program_that_asks_too_often_has_to_wait_longer(logins: DeviceLogins, clock: Clock) -> None:
    started = logins.start("ada", "box", "10.0.0.7")
    assert logins.ask(started.device_code) == "waiting"
    clock.now += 1
    assert logins.ask(started.device_code) == "too soon"
    clock.now += started.interval
    assert logins.ask(started.device_code) == "too soon"
    clock.now += started.interval + 10
    assert logins.ask(started.device_code) == "waiting"


def test_an_account_can_guess_only_a_few_codes(logins: DeviceLogins, clock: Clock) -> None:
    started = logins.start("ada", "box", "10.0.0.7")
    for _ in range(device_login.MOST_GUESSES):
        assert logins.find("BBBB-BBBB", 1) is None
    with pytest.raises(TooMany):
        logins.find(started.user_code, 1)
    assert logins.find(started.user_code, 2) is not None
    clock.now += device_login.LIFETIME
    assert logins.find(logins.start("ada", "box", "10.0.0.7").user_code, 1) is not None


def test_the_number_of_open_requests_is_limited(logins: DeviceLogins, clock: Clock) -> None:
    for _ in range(device_login.MOST_OF_ADDRESS):
        logins.start("ada", "box", "10.0.0.7")
    with pytest.raises(TooMany):
        logins.start("ada", "box", "10.0.0.7")
    for number in range(device_login.MOST - device_login.MOST_OF_ADDRESS):
        logins.start("ada", "box", f"10.0.1.{number}")
    with pytest.raises(TooMany):
        logins.start("ada", "box", "10.9.9.9")
    clock.now += device_login.LIFETIME
    logins.start("ada", "box", "10.9.9.9")


def test_names_that_a_program_gives_are_short_and_printable(logins: DeviceLogins) -> None:
    started = logins.start("a\x1b[2Jda\n", "x" * 500, "10.0.0.7")
    found = logins.find(started.user_code, 1)
    assert found is not None
    assert found.name == "a[2Jda@" + "x" * 60
    nameless = logins.find(logins.start("", "\n", "10.0.0.7").user_code, 1)
    assert nameless is not None
    assert nameless.name == "unknown@unknown"
