"""How much of something a test does: briefly in `nox`, at length in `nox -s slow`."""

from __future__ import annotations

import pytest


def depth(name: str, brief: float, slow: float) -> pytest.MarkDecorator:
    """Run a test twice: with `name=brief`, and, marked `slow`, with `name=slow`."""
    return pytest.mark.parametrize(name, [brief, pytest.param(slow, marks=pytest.mark.slow)])
