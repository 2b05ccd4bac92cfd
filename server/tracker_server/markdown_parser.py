"""Parse users' Markdown in time that is proportional to its length.

HTML in it is text. What makes parsers slow is cut: absurdly deep quotes and lists, and paragraphs full of brackets.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # most servers never need it
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

MAX_NESTING = 20
"""Deepest nesting of quotes and lists."""

MAX_BRACKETS = 40
"""With more `[` in one paragraph, it has no links: for each one, the parser may read the whole paragraph."""

_MARK = r"(?:[-*+]|\d{1,9}[.)])[ \t]+"
_QUOTES = re.compile(rf"^((?:[ \t]{{0,3}}>){{{MAX_NESTING}}})[ \t>]*", re.MULTILINE)
_LISTS = re.compile(rf"^([ \t]*(?:{_MARK}){{{MAX_NESTING}}})(?:{_MARK})*", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]{100,}", re.MULTILINE)


def parse(text: str) -> list[Token]:
    """Return the tokens of the text."""
    text = _INDENT.sub(" " * 100, _LISTS.sub(r"\1", _QUOTES.sub(r"\1 ", text)))
    return parser().parse(text)


@cache
def parser() -> MarkdownIt:
    """Return the parser, for rendering tokens."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 4 * MAX_NESTING}).enable(["table", "strikethrough"])
    without_links = MarkdownIt("commonmark", {"html": False}).disable(["link", "image"])

    def inline(state: StateCore) -> None:
        for token in state.tokens:
            if token.type == "inline":
                chosen = made if token.content.count("[") <= MAX_BRACKETS else without_links
                token.children = token.children or []
                chosen.inline.parse(token.content, chosen, state.env, token.children)

    made.core.ruler.at("inline", inline)
    return made
