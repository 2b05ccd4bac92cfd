from __future__ import annotations

import time

import pytest

from tracker_server.access import passwords
from tracker_server.access.errors import Refused

GOOD = "seven green lamps"


def test_a_password_is_known_by_its_hash_alone() -> None:
    hash = passwords.hashed(GOOD, "ada")
    assert hash.startswith("$argon2id$")
    assert GOOD not in hash
    assert passwords.is_right(hash, GOOD)
    assert not passwords.is_right(hash, GOOD + " ")
    assert not passwords.is_outdated(hash)
    assert passwords.hashed(GOOD, "ada") != hash  # salted


def test_the_same_letters_typed_on_another_system_are_the_same_password() -> None:
    assert passwords.is_right(passwords.hashed("sieben grüne Lampen", "ada"), "sieben gru\u0308ne Lampen")
    assert passwords.is_right(passwords.hashed("ＡＢＣ seven lamps", "ada"), "ABC seven lamps")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("seven lamps", "at least 12"),
        ("a\u0308" * 11, "at least 12"),  # 11 letters
        ("x" * 1001, "at most"),
        ("qwertyqwerty", "first that others try"),
        ("Qwertyuiop[]", "first that others try"),
        ("motherfucker", "first that others try"),
        ("aaaaaaaaaaaaaaa", "first that others try"),
        ("ababababababab", "first that others try"),
        ("abcdeabcdeabcde", "first that others try"),
        ("Ada Lovelace1815", "like the account's name"),
        ("ada lovelace!", "like the account's name"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(password: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        passwords.hashed(password, "Ada Lovelace")
    assert password not in str(refused.value)


def test_a_short_name_may_be_a_part_of_a_password() -> None:
    assert passwords.hashed("seven green alabasters", "al")


def test_without_a_password_nothing_is_right() -> None:
    for given in ("", "no account has this password", "\ud800", "x" * 5000):
        assert not passwords.is_right(None, given)
    assert not passwords.is_right("not a hash", GOOD)


def test_checking_takes_as_long_for_accounts_that_do_not_exist() -> None:
    hash = passwords.hashed(GOOD, "ada")
    passwords.is_right(None, GOOD)

    def fastest(hash: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            passwords.is_right(hash, "another password")
            times.append(time.process_time() - start)
        return min(times)

    assert 0.5 < fastest(hash) / fastest(None) < 2
