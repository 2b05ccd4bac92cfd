from __future__ import annotations

import pytest

from tracker.errors import say
from tracker.terminal import clean


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\link", "a\rb", "\x9b31m", "\u202eevil", "\u2066x\u2069",
        "\x00", "\x7f", "\u2028", "\ud800", "\ufeff", "\u200e",
    ],
)  # fmt: skip
def test_control_characters_are_replaced(text: str) -> None:
    for lines in (False, True):
        shown = clean(f"run {text}", lines)
        assert shown.isprintable()
        assert shown.startswith("run ")
        assert shown.encode()


def test_text_of_any_script_is_unchanged() -> None:
    for text in ("größe", "実験 1", "тест", "می‌خواهم", "👩‍🔬", "a\u3000b", "C:\\x [bold]"):
        assert clean(text) == text


def test_a_message_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert clean("a\n\tb") == "a  b"
    assert clean("a\nb", lines=True) == "a\nb"
    say("one\ntracker: forged\x1b[31m")
    assert capsys.readouterr().err == "tracker: one tracker: forged�[31m\n"
