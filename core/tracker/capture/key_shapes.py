"""Find keys of many issuers by their shapes, with the rules of gitleaks (see `tools/key_shapes.py`)."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson


class _Rule(NamedTuple):
    keywords: list[bytes]
    pattern: str
    entropy: float


def holds_key(content: bytes) -> bool:
    """Tell whether a file's content contains something with the shape of a key."""
    small = content.lower()
    text: str | None = None
    for rule in _rules():
        if any(word in small for word in rule.keywords):
            text = content.decode("utf-8", "replace") if text is None else text
            if any(_entropy(_secret(found)) >= rule.entropy for found in _compiled(rule.pattern).finditer(text)):
                return True
    return False


@cache
def _rules() -> list[_Rule]:
    about = orjson.loads(Path(__file__).with_suffix(".json").read_bytes())
    return [_Rule([w.encode() for w in r["keywords"]], r["pattern"], r["entropy"]) for r in about["rules"]]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _secret(found: re.Match[str]) -> str:
    return next((group for group in found.groups() if group), found[0])


def _entropy(text: str) -> float:
    """Return the bits per character of a text; a placeholder, such as `xxxx`, has few."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
