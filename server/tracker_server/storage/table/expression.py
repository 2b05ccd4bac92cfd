"""Compile filters in the form of text: `config.lr < 1e-3 and tags has "base"` (docs/reference/filters.md).

The parser is a recursive descent. It creates the same tests as `filters`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from tracker_server.storage.interface import MAX_EXPRESSION, ExpressionError

from . import conditions
from .column_names import Name, resolve_name
from .conditions import Condition, FilterSize, Test
from .tokens import Token, tokens

_DAY = 86400.0
_ORDERS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_OPERATORS = "one of < <= > >= == != in has ~ is"


def parse(text: str) -> Condition:
    """Compile an expression; an empty one always holds. Raises `ExpressionError`."""
    if len(text) > MAX_EXPRESSION:
        raise ExpressionError(
            f"a filter can have at most {MAX_EXPRESSION:,} characters", MAX_EXPRESSION, len(text) - MAX_EXPRESSION
        )
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self._now = time.time()
        self._size = FilterSize()

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _took(self, *words: str) -> bool:
        """Take the next token if it is one of these signs or keywords; return whether it was."""
        token = self._next
        found = token.word in words or (token.kind == "sign" and token.value in words)
        self._at += found
        return found

    def parse(self) -> Condition:
        if self._next.kind == "end":
            return conditions.every([])
        condition = self._any(0)
        token = self._next
        if token.kind != "end":
            what = "there is no matching (" if token.value == ")" else "`and` or `or` is missing before this"
            raise token.error(what)
        return condition

    def _any(self, depth: int) -> Condition:
        parts = [self._all(depth)]
        while self._took("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else conditions.some(parts)

    def _all(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._took("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else conditions.every(parts)

    def _one(self, depth: int) -> Condition:
        token = self._next
        try:
            self._size.spend(depth)
        except ValueError as error:
            raise token.error(str(error)) from None
        if self._took("not"):
            return conditions.opposite(self._one(depth + 1))
        if self._took("("):
            condition = self._any(depth + 1)
            if not self._took(")"):
                raise self._next.error("`)` is missing")
            return condition
        return self._comparison()

    def _comparison(self) -> Condition:
        token = self._take()
        if token.kind not in ("name", "quoted") or token.word is not None:
            raise token.error(_no_name(token))
        if token.kind == "name" and token.value in ("config.", "summary.", "environment."):
            raise token.error(f"a key must follow {token.value} (for the empty key write `{token.value}` in backticks)")
        try:
            what = resolve_name(token.value, bare=True)
        except ValueError as error:
            raise token.error(str(error)) from None
        test = self._test(what)
        return conditions.on_column(token.value, what, test)

    def _test(self, what: Name) -> Test:
        token = self._next
        if self._took("is"):
            negative = self._took("not")
            if not self._took("null"):
                raise self._next.error("`is` must be followed by null: `is null` or `is not null`")
            return conditions.exists(negative)
        if self._took("not"):
            if not self._took("in"):
                raise self._next.error("`not` after a name must be followed by `in`: `not in [1, 2]`")
            return conditions.negated(self._within(what))
        if self._took("in"):
            return self._within(what)
        if self._took("==", "="):
            return self._equal(what)
        if self._took("!="):
            return conditions.negated(self._equal(what))
        for sign, order in _ORDERS.items():
            if self._took(sign):
                return self._made(conditions.ordered(order), self._value(what, sign))
        if self._took("has"):
            return self._made(conditions.contains, self._value(what, "has"))
        if self._took("~"):
            value = self._next
            if value.kind != "text":
                raise value.error('`~` needs a pattern in quotes: ~ "^ref-"')
            return self._made(conditions.matches, (self._take().value, value))
        raise token.error(f"an operator is missing here: {_OPERATORS}")

    def _made(self, make: Callable[[Any], Test], operand: tuple[Any, Token]) -> Test:
        value, token = operand
        try:
            return make(value)
        except ValueError as error:
            raise token.error(str(error).replace("$", "")) from None

    def _equal(self, what: Name) -> Test:
        if self._next.value == "[" and self._next.kind == "sign":
            return conditions.equal(self._list(what))
        token = self._next
        value, _ = self._value(what, "==")
        if what.time and token.kind == "text" and len(token.value.strip()) == 10:  # a day
            after, before = conditions.ordered("gte")(value), conditions.ordered("lt")(value + _DAY)
            return conditions.all_of([after, before])
        return conditions.equal(value)

    def _within(self, what: Name) -> Test:
        token = self._next
        if token.value != "[" or token.kind != "sign":
            raise token.error("`in` needs a list: in [1, 2]")
        return self._made(conditions.within, (self._list(what), token))

    def _list(self, what: Name) -> list[Any]:
        opening = self._take()
        values: list[Any] = []
        while not self._took("]"):
            if values and not self._took(","):
                raise self._next.error("`,` or `]` is missing here")
            values.append(self._value(what, "in")[0])
            if len(values) > conditions.MAX_LIST:
                raise opening.error(f"a list in a filter can have at most {conditions.MAX_LIST:,} entries")
        return values

    def _value(self, what: Name, operator: str) -> tuple[Any, Token]:
        token = self._take()
        if token.kind == "number":
            return token.value, token
        if token.kind == "span":
            if not what.time:
                return token.value, token
            if token.value > 0:
                raise token.error("times in the past need a minus sign: -2h")
            return self._now + token.value, token
        if token.kind == "text":
            return (_time(token) if what.time and operator not in ("has", "~") else token.value), token
        if token.word in ("true", "false"):
            return token.word == "true", token
        if token.word == "null":
            if operator in ("==", "in"):
                return None, token
            raise token.error(f"`{operator}` does not work with null: write `is null` or `is not null`")
        if token.kind == "name" and token.value.lower() == "inf":
            return float("inf"), token
        if token.kind in ("name", "quoted") and token.word is None:
            raise token.error(f'a value is missing here; text needs quotes: "{token.value[:80]}"')
        raise token.error("a value is missing here: a number, a text in quotes, true, false or null")


def _no_name(token: Token) -> str:
    if token.kind == "end":
        return "a comparison is missing at the end of the filter"
    return "a comparison is missing here; it begins with a name such as config.lr"


def _time(token: Token) -> float:
    text = token.value.strip()
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        raise token.error('this is not a time: write "2026-11-01", "2026-11-01 14:30" (UTC) or -1d') from None
