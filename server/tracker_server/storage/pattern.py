r"""Regular expressions from strangers, matched in time linear in the text.

Python's `re` backtracks, so a short pattern can keep it busy for years. Here a pattern becomes a nondeterministic
automaton (Thompson 1968), which is run as a deterministic one whose states are made on first use and forgotten when
they are many.

Supported: literals, `.`, `[…]`, `[^…]`, `\d \w \s \D \W \S`, `\n \t \r`, other escaped punctuation, `( )`, `(?: )`,
`|`, `* + ?`, `{m}`, `{m,}`, `{m,n}`, lazy forms (which match the same texts), `^`, `$`, and `(?i)` at the start.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_PATTERN = 500
MAX_TEXT = 10_000
"""Characters of a text that are looked at."""

_MAX_NODES = 5_000
_MAX_STATES = 1_000
_MAX_REPEAT = 200
_MAX_DEPTH = 50

_Test = Callable[[str], bool]

_CLASSES: dict[str, _Test] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
    "D": lambda c: not c.isdecimal(),
    "W": lambda c: not (c.isalnum() or c == "_"),
    "S": lambda c: not c.isspace(),
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
_START, _END, _ACCEPT = "start", "end", "accept"


class _Node:
    """A state of the automaton: a test of the next character, an assertion, or (both None) free moves to `to`."""

    __slots__ = ("assertion", "test", "to")

    def __init__(self, test: _Test | None = None, assertion: str | None = None) -> None:
        self.test, self.assertion = test, assertion
        self.to: list[int] = []


class Pattern:
    """A compiled pattern. Raises ValueError, saying what is wrong, for one that is not supported or too large."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise ValueError(f"the pattern has {len(text)} characters; at most {MAX_PATTERN} are allowed")
        parser = _Parser(text)
        self._nodes, self._first, self._fold = parser.nodes, parser.first, parser.fold
        self._states: dict[frozenset[int], dict[str, frozenset[int]]] = {}

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text."""
        text = text[:MAX_TEXT]
        if self._fold:
            text = text.lower()
        state = self._closure([self._first], start=True)
        again = self._closure([self._first], start=False)
        for char in text:
            if -1 in state:
                return True
            moves = self._states.get(state)
            if moves is None:
                if len(self._states) >= _MAX_STATES:
                    self._states.clear()
                moves = self._states[state] = {}
            following = moves.get(char)
            if following is None:
                if len(moves) >= _MAX_STATES:
                    moves.clear()
                hit = [
                    n
                    for i in state
                    if i >= 0 and (test := self._nodes[i].test) and test(char)
                    for n in self._nodes[i].to
                ]
                following = moves[char] = self._closure(hit, start=False) | again
            state = following
        return -1 in self._at_end(state)

    def _closure(self, begin: list[int], start: bool, end: bool = False) -> frozenset[int]:
        """All states that are reached without reading a character; -1 stands for a match."""
        found, todo = set(begin), list(begin)
        while todo:
            node = self._nodes[todo.pop()]
            if node.test is not None:
                continue
            if node.assertion == _ACCEPT:
                found.add(-1)
            passes = node.assertion is None or (node.assertion == _START and start) or (node.assertion == _END and end)
            for to in node.to if passes else ():
                if to not in found:
                    found.add(to)
                    todo.append(to)
        return frozenset(found)

    def _at_end(self, state: frozenset[int]) -> frozenset[int]:
        # Start assertions that held are already followed in `state`; those that did not must not be followed now.
        return self._closure([i for i in state if i >= 0], start=False, end=True) | state


class _Parser:
    """Recursive descent over the pattern; each part becomes a (first, last) pair of nodes."""

    def __init__(self, text: str) -> None:
        self.nodes: list[_Node] = []
        self.fold = text.startswith("(?i)")
        self._text, self._at, self._depth = text[4:] if self.fold else text, 0, 0
        self.first, last = self._either()
        if self._at < len(self._text):
            raise ValueError("the pattern has a ) without a (")
        self._link(last, self._node(assertion=_ACCEPT))

    def _node(self, test: _Test | None = None, assertion: str | None = None) -> int:
        if len(self.nodes) >= _MAX_NODES:
            raise ValueError("the pattern is too large; use smaller repeat counts")
        self.nodes.append(_Node(test, assertion))
        return len(self.nodes) - 1

    def _link(self, source: int, to: int) -> None:
        self.nodes[source].to.append(to)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self, what: str) -> str:
        if self._at >= len(self._text):
            raise ValueError(f"the pattern ends where {what} should follow")
        self._at += 1
        return self._text[self._at - 1]

    def _either(self) -> tuple[int, int]:
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        first, last = self._node(), self._node()
        for begin, end in branches:
            self._link(first, begin)
            self._link(end, last)
        return first, last

    def _sequence(self) -> tuple[int, int]:
        first = last = self._node()
        while self._peek() not in ("", "|", ")"):
            begin, end = self._repeated()
            self._link(last, begin)
            last = end
        return first, last

    def _repeated(self) -> tuple[int, int]:
        start = self._at
        part = self._one()
        end = self._at
        low, high = self._count()
        if (low, high) == (1, 1):
            return part
        if self._peek() == "?":
            self._at += 1
        after = self._at
        if self._peek() in ("*", "+", "?"):
            raise ValueError("the pattern repeats a repeat; put parentheses around the inner one")
        first = last = self._node()
        for i in range(max(low, 1) if high is None else high):
            if i:  # each round needs nodes of its own
                self._at = start
                part = self._one()
            if i >= low:
                skip = self._node()
                self._link(last, skip)
                self._link(last, part[0])
                self._link(part[1], skip)
                last = skip
            else:
                self._link(last, part[0])
                last = part[1]
        if high is None:
            loop = self._node()
            self._link(part[1], part[0])
            self._link(last, loop)
            last = loop
        assert end <= after
        self._at = after
        return first, last

    def _count(self) -> tuple[int, int | None]:
        char = self._peek()
        if char and char in "*+?":
            self._at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
        if char != "{":
            return 1, 1
        close = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : max(close, 0)].partition(",")
        if close < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            raise ValueError("a { in the pattern must read {2}, {2,} or {2,5}; write \\{ for the character")
        self._at = close + 1
        least = int(low)
        most = int(high) if high else None if comma else least
        if least > _MAX_REPEAT or (most or 0) > _MAX_REPEAT or (most is not None and most < least):
            raise ValueError(f"repeat counts in the pattern go up to {_MAX_REPEAT}, the smaller one first")
        return least, most

    def _one(self) -> tuple[int, int]:
        char = self._next("something to match")
        if char == "(":
            return self._group()
        if char in "*+?":
            raise ValueError(f"the {char} in the pattern has nothing to repeat; write \\{char} for the character")
        if char == "^":
            return self._single(assertion=_START)
        if char == "$":
            return self._single(assertion=_END)
        return self._single(test=self._test(char))

    def _single(self, test: _Test | None = None, assertion: str | None = None) -> tuple[int, int]:
        first, last = self._node(test, assertion), self._node()
        self._link(first, last)
        return first, last

    def _group(self) -> tuple[int, int]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"the pattern nests more than {_MAX_DEPTH} parentheses")
        if self._peek() == "?":
            if self._text[self._at : self._at + 2] != "?:":
                raise ValueError("of the (?…) forms only (?:…), and (?i) at the start, are supported in patterns")
            self._at += 2
        part = self._either()
        if self._next("a )") != ")":
            raise ValueError("the pattern has a ( without a )")
        self._depth -= 1
        return part

    def _test(self, char: str) -> _Test:
        if char == ".":
            return lambda c: c != "\n"
        if char == "[":
            return self._set()
        if char == "\\":
            found = self._escape()
            return found if callable(found) else self._same(found)
        return self._same(char)

    def _same(self, char: str) -> _Test:
        return (char.lower() if self.fold else char).__eq__

    def _escape(self) -> str | _Test:
        char = self._next("the escaped character")
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char.isalnum():
            raise ValueError(f"\\{char} is not supported in patterns")
        return char

    def _set(self) -> _Test:
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[str, str]] = []
        classes: list[_Test] = []
        first = True
        while (char := self._next("a ]")) != "]" or first:
            first = False
            low = self._escape() if char == "\\" else char
            if callable(low):
                classes.append(low)
                continue
            high: str | _Test = low
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                char = self._next("the end of the range")
                high = self._escape() if char == "\\" else char
            if callable(high) or high < low:
                raise ValueError("a range in the pattern's [ ] runs backwards")
            ranges.append((low, high))

        def test(c: str) -> bool:
            forms = (c, c.upper()) if self.fold else (c,)
            return negated != any(
                any(low <= form <= high for low, high in ranges) or any(t(form) for t in classes) for form in forms
            )

        return test
