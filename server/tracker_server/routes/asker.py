"""Whoever makes a request about accounts, teams, keys or links: ask for its rights, and change with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import rights_now
from tracker_server.access.audit_log import Actor, actor_of, write
from tracker_server.access.errors import Forbidden, Missing
from tracker_server.access.paging import Page
from tracker_server.access.roles import Action, Project, may
from tracker_server.responses import json_response
from tracker_server.services import Services

from .dependencies import principal_of

P = ParamSpec("P")
T = TypeVar("T")

_WHO_MAY: dict[Action, str] = {
    "manage_server": "only server admins may do this",
    "manage_members": "only admins of the team and server admins may do this",
    "share": "only admins of the account or team that has the project may do this",
    "audit": "only admins of the account or team, and server admins, may read this log",
}


@dataclass(frozen=True)
class Right:
    """What a request needs: an action in an entity and a project, by their present names; see `roles.may`."""

    action: Action
    entity: str | None = None
    project: Project | None = None


class Asker:
    """The principal of a request, who it is for the audit log, and what it may do."""

    def __init__(self, services: Services, request: Request) -> None:
        self._access = services.access
        self._base = services.settings.url or f"{request.url.scheme}://{request.headers.get('host', '')}"
        if not services.settings.url:
            self._base += services.settings.root_path
        self.principal = principal_of(request)
        self.actor: Actor = actor_of(self.principal, None if request.client is None else request.client.host)

    def may(self, right: Right) -> bool:
        """Return whether the principal has a right."""
        return may(self.principal, right.action, right.entity, right.project)

    def require(self, right: Right) -> None:
        """Raise `Forbidden` without the right. The text does not depend on what exists."""
        if not self.may(right):
            raise Forbidden(_WHO_MAY.get(right.action, "you may not do this"))

    def team(self, name: str) -> str:
        """Return the present name of a team. Raises `Missing` if there is none that the principal may know of."""
        found = self._access.snapshot.find(name)
        if found is None or found.kind != "team" or not self.may(Right("read", found.name)):
            raise Missing(f"there is no team {name[:140]!r}")
        return found.name

    def url(self, path: str) -> str:
        """Return the address of a page of this server, as the asker reaches it."""
        return self._base.rstrip("/") + path

    async def read(self, function: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        """Return what `function` reads."""
        return await self._access.read(lambda connection: function(connection, *args, **options))

    async def change(
        self,
        right: Right,
        function: Callable[Concatenate[sa.Connection, Actor, P], T],
        *args: P.args,
        **options: P.kwargs,
    ) -> T:
        """Return what `function` changes, in one transaction in which the principal still has the right.

        Raises `Forbidden` without the right.
        """
        self.require(right)

        def within(connection: sa.Connection) -> T:
            rights_now.require(connection, self.principal, right.action, right.entity, right.project)
            return function(connection, self.actor, *args, **options)

        return await self._access.change(within)


async def note(services: Services, request: Request, action: str, entity: str, subject: str) -> None:
    """Write what the asker has changed of projects or runs to the audit log, on a server with accounts."""
    if services.access.snapshot.is_team:
        await services.access.note(write, Asker(services, request).actor, action, entity, subject)


def answer(value: Any, status: int = 200) -> Response:
    """Return a JSON response."""
    return json_response(orjson.dumps(value), status)


def answer_page(name: str, page: Page[T], shown: Callable[[T], Any]) -> Response:
    """Return a page of a list as a JSON response, its entries under `name`."""
    return answer({name: [shown(row) for row in page.rows], "cursor": page.cursor, "total": page.total})
