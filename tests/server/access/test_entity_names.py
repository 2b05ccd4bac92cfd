from __future__ import annotations

import pytest

from tracker_server.access.entity_names import are_alike, checked, looks
from tracker_server.access.errors import Refused


@pytest.mark.parametrize(
    "name",
    [
        "ada",
        "Ada Lovelace",
        "vision-lab",
        "team_2",
        "Zoë",
        "Мария",
        "Ελένη",
        "יעל",
        "नेहा",
        "山田太郎",
        "さくらカナ",
        "김민준",
        "研究A",
    ],
)
def test_letters_of_every_script_are_allowed(name: str) -> None:
    assert checked(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ada", "ada ", "a  b", "a/b", "a@b", ".ada", "a\u200bda", "-", "--", "x" * 129, "ada\n", "\u202eada", "ﬁona"],
)
def test_names_that_break_the_rules_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        checked(name)


@pytest.mark.parametrize("name", ["api", "API", "s", "Sign-In", "me", "owner", "adrnin", "t0ken"])
def test_reserved_words_and_what_looks_like_them_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        checked(name)


def test_one_word_with_letters_of_two_scripts_is_refused() -> None:
    with pytest.raises(Refused, match="mixes Cyrillic and Latin"):
        checked("аda")
    assert checked("Мария Smith")  # each word has one


def test_the_stored_form_is_composed() -> None:
    assert checked("Zoe\u0308") == "Zoë"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "ADA"),
        ("Alice", "AIice"),  # a capital i
        ("alice", "a1ice"),
        ("bob", "b0b"),
        ("сосо", "coco"),  # all Cyrillic
        ("modern", "rnodern"),
        ("Straße", "STRASSE"),
        ("Lan", "Ian"),
        ("PAUL", "PAUI"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    assert are_alike(looks(one), looks(other))
    assert are_alike(looks(other), looks(one))


@pytest.mark.parametrize(("one", "other"), [("Karl", "Kari"), ("José", "Jose"), ("ada", "ida"), ("team-1", "team-2")])
def test_names_that_can_be_told_apart(one: str, other: str) -> None:
    assert not are_alike(looks(one), looks(other))
