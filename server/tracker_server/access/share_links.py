"""Make, list and revoke share links, which show a project, run, view or report to whoever has the address.

The token in the address is shown once; only its hash is stored.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import sqlalchemy as sa

from tracker_server.storage.access_schema import entities, share_links
from tracker_server.storage.report_schema import reports
from tracker_server.storage.schema import projects, runs, views

from . import entities as all_entities
from .api_keys import expiry
from .audit_log import Actor, write
from .errors import Missing, Refused
from .paging import Page, Part, read_page
from .principal import LinkKind, Shared

KINDS: tuple[LinkKind, ...] = get_args(LinkKind)

MAX_LINKS = 1000
"""Valid links of one project."""


class NewLink(NamedTuple):
    """A link that was just made; nobody can show `token` again. Its address is `/s/<token>`."""

    id: str
    token: str


class ShareLink(NamedTuple):
    """A link without its token; times in Unix seconds."""

    id: str
    shared: Shared
    creator: str | None
    created: float
    expires: float | None
    revoked: float | None
    opened: int
    """How often a browser has opened it."""
    last_opened: float | None


def add(
    connection: sa.Connection,
    actor: Actor,
    entity: str,
    project: str,
    kind: str = "project",
    target: str | None = None,
    expires_days: float | None = None,
) -> NewLink:
    """Make a link.

    Args:
        connection: One that changes.
        actor: Who makes it.
        entity: The project's entity, by its present name.
        project: The project's present name.
        kind: What it shows: `project`, `run`, `view` or `report`.
        target: The run's id, the view's name or the report's id; None for a project.
        expires_days: Days after which it is not valid any more; None for never.

    Raises: `Missing` if there is no such project, run, view or report, `Conflict` on a server without accounts,
        `Refused` for anything else.
    """
    all_entities.require_accounts(connection)
    if kind not in KINDS:
        raise Refused(f"the kind {kind[:40]!r} is unknown: it is project, run, view or report")
    number = _project(connection, entity, project)
    if (target is None) != (kind == "project"):
        raise Refused("a link to a project has no target, and every other link has one")
    if target is not None:
        _check_target(connection, number, kind, target)
    now = time.time()
    c = share_links.c
    valid = (c.project == number) & c.revoked.is_(None) & (c.expires.is_(None) | (c.expires > now))
    if connection.execute(sa.select(sa.func.count()).where(valid)).scalar_one() >= MAX_LINKS:
        raise Refused(f"this project has {MAX_LINKS:,} links: revoke some first")
    id, token = secrets.token_hex(4), secrets.token_urlsafe(32)
    values = {
        "id": id,
        "digest": digest(token),
        "project": number,
        "kind": kind,
        "target": target,
        "creator": actor.id,
        "created": now,
        "expires": expiry(now, expires_days),
    }
    connection.execute(share_links.insert().values(values))
    what = Shared(entity, project, kind, target)
    write(connection, actor, "share link added", entity, f"link {id} to {described(what)}")
    return NewLink(id, token)


def listed(
    connection: sa.Connection, part: Part, entity: str | None = None, project: str | None = None
) -> Page[ShareLink]:
    """Return a part of the links, the newest first; only those of an entity or a project, if given."""
    query = _links()
    if entity is not None:
        query = query.where(projects.c.entity == entity)
    if project is not None:
        query = query.where(projects.c.name == project)
    if part.search:
        c = share_links.c
        texts = (c.id, c.kind, c.target, projects.c.entity, projects.c.name, entities.c.name)
        query = query.where(sa.or_(*(text.icontains(part.search, autoescape=True) for text in texts)))
    return read_page(connection, query, (share_links.c.created, share_links.c.id), part, _link, descending=True)


def revoke(
    connection: sa.Connection, actor: Actor, id: str, entity: str | None = None, project: str | None = None
) -> ShareLink:
    """Revoke a link, which ends at once. Raises `Missing` if there is none with this id, or the project has none."""
    row = connection.execute(_links().where(share_links.c.id == id)).one_or_none()
    link = None if row is None else _link(row)
    if link is None or (entity, project) not in ((None, None), link.shared[:2]):
        raise Missing(f"there is no share link {id[:80]!r}")
    if link.revoked is None:
        link = link._replace(revoked=time.time())
        connection.execute(share_links.update().where(share_links.c.id == id).values(revoked=link.revoked))
        write(connection, actor, "share link revoked", link.shared.entity, f"link {id} to {described(link.shared)}")
    return link


def note_opened(connection: sa.Connection, opened: Mapping[str, tuple[int, float]]) -> None:
    """Add to the counts of links: how often each was opened, and when last, by id. It changes no right."""
    c = share_links.c
    for id, (count, when) in opened.items():
        changed = {"opened": c.opened + count, "last_opened": when}
        connection.execute(share_links.update().where(c.id == id).values(changed))


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def described(shared: Shared) -> str:
    """Return what a link shows, as text."""
    where = f"{shared.entity}/{shared.project}"
    return where if shared.target is None else f"the {shared.kind} {shared.target!r} in {where}"


def _project(connection: sa.Connection, entity: str, project: str) -> int:
    where = (projects.c.entity == entity) & (projects.c.name == project)
    found = connection.execute(sa.select(projects.c.id).where(where)).scalar_one_or_none()
    if found is None:
        raise Missing(f"there is no project {entity}/{project} on this server")
    return int(found)


def _check_target(connection: sa.Connection, project: int, kind: str, target: str) -> None:
    if kind == "run":
        query = sa.select(runs.c.id).where((runs.c.project == project) & (runs.c.name == target))
        query = query.where(runs.c.trashed.is_(None))
    elif kind == "view":
        query = sa.select(views.c.name).where((views.c.project == project) & (views.c.name == target))
    else:
        query = sa.select(reports.c.id).where((reports.c.project == project) & (reports.c.id == target))
    if connection.execute(query).first() is None:
        raise Missing(f"this project has no {kind} {target[:100]!r}")


def _links() -> sa.Select[Any]:
    c = share_links.c
    joined = share_links.join(projects, projects.c.id == c.project).outerjoin(entities, entities.c.id == c.creator)
    return sa.select(
        share_links, projects.c.entity, projects.c.name.label("project_name"), entities.c.name.label("creator_name")
    ).select_from(joined)


def _link(row: Any) -> ShareLink:
    shared = Shared(row.entity, row.project_name, row.kind, row.target)
    return ShareLink(
        row.id, shared, row.creator_name, row.created, row.expires, row.revoked, row.opened, row.last_opened
    )
