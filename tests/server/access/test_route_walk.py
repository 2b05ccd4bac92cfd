"""Every route answers every principal as the table of rights says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.access import route_walk
from tests.server.access.test_guard import routes_of


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[route_walk.World]:
    with route_walk.world(tmp_path_factory.mktemp("walk")) as made:
        yield made


def test_the_walk_has_a_rule_for_each_route(tmp_path: Path) -> None:
    there = {(method, route.path) for route in routes_of(tmp_path) for method in route.methods - {"HEAD"}}
    assert there == set(route_walk.RULES)


@pytest.mark.parametrize("part", range(4))
def test_every_route_answers_every_principal_as_the_table_says(world: route_walk.World, part: int) -> None:
    rules = {
        (method, route): rule
        for (method, route), rule in route_walk.RULES.items()
        if hashlib.sha256(f"{method} {route}".encode()).digest()[0] % 4 == part
    }
    cells = list(route_walk.walk(world, rules))
    assert len(cells) > 200
    assert [cell for cell in cells if not cell.is_right] == []
