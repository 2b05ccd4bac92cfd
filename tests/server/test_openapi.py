from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount

from tracker_server.access.database import AccessDatabase
from tracker_server.app import create_app
from tracker_server.blobs import open_blobs
from tracker_server.routes import sign_in, web
from tracker_server.settings import Settings
from tracker_server.storage.sql import open_storage

NOT_API = {*web.PAGES, *sign_in.PAGES, web.ASSET, "/api/openapi.json"}


@pytest.fixture(scope="module")
def document(client: Any) -> Any:
    return client.json("/api/openapi.json")


def _leaves(routes: list[BaseRoute]) -> list[Any]:
    return [
        leaf
        for route in routes
        for leaf in (_leaves(route.app.app.routes) if isinstance(route, Mount) else [route])  # type: ignore[attr-defined]
    ]


def test_every_route_is_documented_or_a_page(document: Any, tmp_path: Any) -> None:
    storage = open_storage(tmp_path)
    guard = create_app(
        storage, open_blobs(tmp_path / "blobs"), Settings(token="unused-token"), AccessDatabase(storage.engine)
    )
    storage.close()
    seen = set()
    for route in _leaves(guard.app.routes):  # type: ignore[attr-defined]
        path = re.sub(r":\w+}", "}", route.path)
        if path not in NOT_API:
            seen |= {(path, method.lower()) for method in route.methods - {"HEAD"}}
    documented = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert seen == documented


def test_every_reference_resolves_within_the_document(document: Any) -> None:
    references = set(re.findall(r"'\$ref': '([^']+)'", str(document)))
    assert references
    assert {ref.removeprefix("#/components/schemas/") for ref in references} <= set(document["components"]["schemas"])
    assert "http" not in str(document).replace("'type': 'http'", "")


def test_schemas_match_the_types_of_wire(document: Any) -> None:
    from tracker import wire

    shapes = document["components"]["schemas"]
    for shape in (wire.RunInfo, wire.Series, wire.RowPage, wire.KeyInfo, wire.ProjectInfo, wire.Accepted):
        assert set(shapes[shape.__name__]["properties"]) == set(shape.__annotations__)
        assert shapes[shape.__name__]["description"]


def test_every_operation_says_what_it_is_for_and_how_it_fails(document: Any) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert {"400", "401", "403", "500"} <= set(operation["responses"])
