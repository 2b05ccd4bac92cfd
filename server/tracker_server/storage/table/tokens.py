"""Split filter expressions (docs/reference/filters.md) into tokens, and write names and values for them."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from tracker_server.storage.interface import ExpressionError
from tracker_server.storage.query_budget import check

Kind = Literal["name", "quoted", "text", "number", "span", "sign", "end"]

KEYWORDS = frozenset({"and", "or", "not", "in", "has", "is", "true", "false", "null"})
MAX_NUMBER = 400
"""Most characters of a number."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<name>[^\W0-9](?:[\w./-]|@(?!step=-?[0-9]))*(?:@step=-?[0-9]+)?)
    |(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<unit>[smhdw]?)(?![\w.@/])
    |(?P<infinite>[+-]inf)(?![\w.@/-])
    |`(?P<quoted>(?:[^`]|``)*)`
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |'(?P<single>(?:[^'\\]|\\.)*)'
    |(?P<sign><=|>=|==|!=|[<>=~()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""\\(["'\\])""")
_BARE = re.compile(r"[^\W0-9](?:[\w./-]|@(?!step=-?[0-9]))*(?:@step=-?[0-9]+)?")
_WORD = re.compile(r"[^\s()\[\],<>=~\"'`]+")
_OTHERS = {"&&": "and", "||": "or", "!": "not", "&": "and", "|": "or"}


class Token(NamedTuple):
    """A token of an expression; a `span` is a duration in seconds."""

    kind: Kind
    value: Any
    position: int
    length: int

    def error(self, problem: str) -> ExpressionError:
        """Return an error at this token."""
        return ExpressionError(problem, self.position, self.length)

    @property
    def word(self) -> str | None:
        """The keyword in lower case, None if it is not one."""
        lower = self.value.lower() if self.kind == "name" else None
        return lower if lower in KEYWORDS else None


def tokens(text: str) -> list[Token]:
    """Split an expression into tokens; the last one is `end`. Raises `ExpressionError`."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if not len(found) % 64:
            check()
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unknown(text, at)
        kind, length = match.lastgroup, match.end() - at
        if kind == "unit":
            found.append(_number(match["number"], match["unit"], at, length))
        elif kind == "infinite":
            found.append(Token("number", float(match[0]), at, length))
        elif kind in ("double", "single"):
            # Other backslashes are kept, so that patterns look as usual.
            found.append(Token("text", _ESCAPED.sub(r"\1", match[kind]), at, length))
        elif kind == "quoted":
            found.append(Token("quoted", match["quoted"].replace("``", "`"), at, length))
        elif kind != "space":
            found.append(Token(kind, match[kind or 0], at, length))  # type: ignore[arg-type]
        at = match.end()
    found.append(Token("end", None, len(text), 0))
    return found


def _number(digits: str, unit: str, at: int, length: int) -> Token:
    if length > MAX_NUMBER:
        raise ExpressionError(f"a number can have at most {MAX_NUMBER} characters", at, length)
    value = int(digits) if re.fullmatch(r"[+-]?[0-9]+", digits) else float(digits)
    if unit:
        return Token("span", float(value) * _UNITS[unit], at, length)
    return Token("number", value, at, length)


def _unknown(text: str, at: int) -> ExpressionError:
    char = text[at]
    if char in "\"'`":
        return ExpressionError(f"this {'name' if char == '`' else 'text'} has no closing {char}", at, len(text) - at)
    for sign, word in _OTHERS.items():
        if text.startswith(sign, at):
            return ExpressionError(f"write `{word}` instead of {sign}", at, len(sign))
    match = _WORD.match(text, at)
    word = text[at : match.end()] if match else char
    if char.isascii() and (char.isdigit() or char in "+-."):
        problem = f"{word[:80]} is not a number: put text in quotes, and names that begin like this in backticks"
    else:
        problem = f"{word[:80]} is not valid here: put text in quotes, and unusual names in backticks"
    return ExpressionError(problem, at, len(word))


def written_name(name: str) -> str:
    """Return a name as it is written in an expression."""
    if _BARE.fullmatch(name) and not name.endswith(".") and name.lower() not in KEYWORDS:
        return name
    return "`" + name.replace("`", "``") + "`"


def written_value(value: Any) -> str | None:
    """Return a boolean, finite number or text as it is written in an expression; None for other values."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (int, float)) and abs(value) != float("inf") and value == value:
        written = repr(value)
        return written if len(written) < MAX_NUMBER else None
    return None
