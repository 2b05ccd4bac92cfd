"""Requests that are generated from the OpenAPI document, valid and not: no answer is an internal error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase

from tests.server.access import route_walk
from tests.server.access.route_walk import Asker, World

ENDLESS = "/api/live"
ERROR = {"error"}

EXAMPLES = 10
"""Requests of each kind, valid and not, to each route."""


schemathesis.serializer.alias("application/x-ndjson", "application/octet-stream")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with route_walk.world(tmp_path_factory.mktemp("odd")) as made:
        yield made


@pytest.mark.slow  # making the requests takes a minute
@pytest.mark.parametrize("name", ["member's key: all", "nobody"])
def test_generated_requests_never_cause_an_internal_error(world: World, name: str) -> None:
    asker = {one.name: one for one in world.askers}[name]
    document = world.ask(next(one for one in world.askers if one.name == "admin"), "GET", "/api/openapi.json").json()
    schema: Any = schemathesis.openapi.from_dict(document)
    settings = hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == ENDLESS:
            continue
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            try:
                _try_all(settings, operation.as_strategy(generation_mode=mode), lambda case: _try(world, asker, case))
            except hypothesis.errors.Unsatisfiable:  # nothing about this operation can be wrong
                continue
            tried += 1
    assert tried > 100


def _try_all(settings: hypothesis.settings, cases: Any, attempt: Callable[[Any], None]) -> None:
    given: Any = hypothesis.given
    given(cases)(settings(attempt))()


def _try(world: World, asker: Asker, case: Any) -> None:
    answer = case.call(base_url=world.url, headers=asker.headers, session=world.session, timeout=60)
    assert answer.status_code < 500, (case.as_curl_command(), answer.status_code, answer.text[:500])
    if answer.status_code >= 400 and case.method != "HEAD":
        assert set(answer.json()) >= ERROR, (case.as_curl_command(), answer.text[:500])
    if not asker.headers and case.operation.path not in _public():
        assert answer.status_code in (401, 403, 404, 405), (case.as_curl_command(), answer.status_code)


def _public() -> set[str]:
    """Return the paths that nobody in particular may use."""
    return {route for (_, route), rule in route_walk.RULES.items() if rule.action == "public"}
