"""Decide what a principal may do. This is the only place that does; `docs/security.md` has the same table."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from .principal import Principal

Action = Literal[
    "read",
    "log",
    "edit",
    "delete_own",
    "delete",
    "share",
    "manage_project",
    "manage_members",
    "audit",
    "manage_server",
]
"""What one can do:

- `read`: read runs, reports and everything else of a project.
- `log`: create a project, create runs and append to them, and read what resuming needs. Ask a run to stop.
- `edit`: change names, notes and tags of runs, views, reports and comments.
- `delete_own`, `delete`: delete one's own runs, any runs.
- `share`: make and revoke share links.
- `manage_project`: change the visibility of a project; rename, move, copy or delete it.
- `manage_members`: change members and service keys of a team.
- `audit`: read the audit log of an entity, or with no entity of the whole server.
- `manage_server`: add, change and remove accounts and teams.
"""

ACTIONS: tuple[Action, ...] = get_args(Action)


class Project(NamedTuple):
    """A project, as far as rights depend on it. A project that does not exist is like a private one."""

    name: str
    internal: bool = False
    """Whether every account may read it."""


ROLES: dict[str, frozenset[Action]] = {
    "viewer": frozenset({"read"}),
    "member": frozenset({"read", "log", "edit", "delete_own"}),
    "admin": frozenset(
        {"read", "log", "edit", "delete_own", "delete", "share", "manage_project", "manage_members", "audit"}
    ),
}
"""What a role in an entity allows there."""

SERVER_ADMIN: frozenset[Action] = frozenset({"read", "manage_members", "audit", "manage_server"})
"""What server admins may do in every entity, besides what their roles allow. Their reading is in the audit log."""

INTERNAL: frozenset[Action] = frozenset({"read"})
"""What every account may do in an internal project."""

SCOPES: dict[str, frozenset[Action]] = {
    "read": frozenset({"read"}),
    "log": frozenset({"log"}),
    "all": frozenset(ACTIONS),
}
"""What a key of a scope allows at most."""


def may(
    principal: Principal, action: Action, entity: str | None, project: Project | None, run: str | None = None
) -> bool:
    """Return whether the principal may do this. It depends on the arguments alone.

    Args:
        principal: Who asks.
        action: What they want to do.
        entity: The account or team that it concerns; None for the server as a whole.
        project: The project that it concerns; None for the entity as a whole.
        run: The id of the run that it concerns; None for the project as a whole.
    """
    kind = principal.kind
    if kind == "owner":
        return True
    if kind == "nobody":
        return False
    if kind == "link":
        return action == "read" and _is_shared(principal, entity, project, run)
    if action not in SCOPES[principal.scope]:
        return False
    if entity is not None:
        role = principal.roles.get(entity)
        if role is not None and action in ROLES[role]:
            return True
    if principal.is_admin and action in SERVER_ADMIN:
        return True
    return project is not None and project.internal and principal.is_account and action in INTERNAL


def _is_shared(principal: Principal, entity: str | None, project: Project | None, run: str | None) -> bool:
    shared = principal.shared
    if shared is None or project is None or (shared.entity, shared.project) != (entity, project.name):
        return False
    if shared.kind == "project":
        return True
    return run is not None and (run == shared.target if shared.kind == "run" else run in principal.shown)
