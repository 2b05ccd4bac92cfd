from __future__ import annotations

import random
import re
import time

import pytest

from tracker_server.storage.pattern import Pattern

PATTERNS = [
    "", "a", "^a", "a$", "^a$", "^$", "a|b", "^(a|b)*$", "a.c", "a+b*c?", "(ab){2,3}", "^(?:ab){2}$", "a{0}b", "a{2,}",
    "^(a?){3}$",
    "[a-c]+", "[^a-c]", "[]a]", "[a\\]]", "[\\d-]", "\\d+", "\\w\\W", "\\s", "\\.", "a*?b", "(?i)AB",
    "(a|ab)(c|bcd)", "^(a|^b)c",
    "x^", "$a", "(a*)*b", "((a+)+)+$", "a$|^b", "[a-]", "(|a)b", "\\(1\\)",
]  # fmt: skip


@pytest.mark.parametrize("text", PATTERNS)
def test_patterns_find_what_the_usual_ones_find(text: str) -> None:
    ours, theirs = Pattern(text), re.compile(text, re.ASCII)
    rng = random.Random(text)
    for _ in range(300):
        subject = "".join(rng.choice("aabbcdAB1 .-]()") for _ in range(rng.randrange(9)))
        assert ours.found_in(subject) == bool(theirs.search(subject)), subject


@pytest.mark.parametrize(
    "text", ["(", ")", "a)", "[", "[a", "*", "a**", "a{", "a{x}", "a{3,2}", "a{999}", "\\", "\\1", "(?=a)",
             "(?P<n>a)", "[z-a]",
             "((((a{99}){99}){99}){99})", "(" * 400, "a" * 501]
)  # fmt: skip
def test_what_is_not_supported_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Pattern(text)


@pytest.mark.parametrize(
    "text", ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)x$", "(a?){200}a{200}$", "([ab]*a[ab]{12})*$"]
)
def test_no_pattern_takes_long(text: str) -> None:
    pattern = Pattern(text)
    start = time.process_time()
    pattern.found_in(("a" * 30 + "b") * 60 + "!")
    assert time.process_time() - start < 2
