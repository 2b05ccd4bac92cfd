"""The server reads filters as tests/vectors/filters.json says; the dashboard's vitest reads the same file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracker_server.storage.interface import ExpressionError
from tracker_server.storage.table.expression import parse
from tracker_server.storage.table.tokens import tokens, written_name

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "vectors" / "filters.json").read_text("utf-8"))
EXPRESSIONS: list[dict[str, Any]] = VECTORS["expressions"]
VALID = [one for one in EXPRESSIONS if "error" not in one]
INVALID = [one for one in EXPRESSIONS if "error" in one]
SPLIT = [one for one in EXPRESSIONS if "tokens" in one]


def shown(vector: dict[str, Any]) -> str:
    """Name a test by its filter."""
    return repr(vector["text"])


def read(text: str) -> list[list[Any]]:
    """Return kind, value, start and end of each token; of numbers and spans what is written."""
    found = []
    for token in tokens(text)[:-1]:
        end = token.position + token.length
        value = text[token.position : end] if token.kind in ("number", "span") else token.value
        found.append([token.kind, value, token.position, end])
    return found


@pytest.mark.parametrize("vector", SPLIT, ids=shown)
def test_text_is_split_into_these_tokens(vector: dict[str, Any]) -> None:
    assert read(vector["text"]) == vector["tokens"]


@pytest.mark.parametrize("vector", INVALID, ids=shown)
def test_an_error_is_at_this_position(vector: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(vector["text"])
    assert {"position": caught.value.position, "length": caught.value.length} == vector["error"]


@pytest.mark.parametrize("vector", VALID, ids=shown)
def test_a_valid_filter_and_each_of_its_conditions_is_read(vector: dict[str, Any]) -> None:
    for text in (vector["text"], *vector["conditions"], " and ".join(f"({one})" for one in vector["conditions"])):
        parse(text)


@pytest.mark.parametrize(("name", "written"), VECTORS["names"])
def test_a_name_is_written_as_given_and_read_back(name: str, written: str) -> None:
    assert written_name(name) == written
    assert [(token.kind in ("name", "quoted"), token.value) for token in tokens(written)[:-1]] == [(True, name)]
    assert tokens(written)[0].word is None


def test_there_are_enough_vectors_of_each_kind() -> None:
    assert len(EXPRESSIONS) >= 100
    assert len(INVALID) >= 40
