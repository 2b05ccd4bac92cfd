"""Who makes a request, and with what rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["owner", "account", "key", "link", "nobody"]
Role = Literal["viewer", "member", "admin"]
Scope = Literal["read", "log", "all"]
LinkKind = Literal["project", "run", "view", "report"]


class Shared(NamedTuple):
    """What a share link shows: a project, or a run, view or report in it (`target`: its id or name)."""

    entity: str
    project: str
    kind: LinkKind
    target: str | None = None


@dataclass(frozen=True)
class Principal:
    """Whoever makes a request.

    - `owner`: the holder of the server's token, in personal mode. They may do everything.
    - `account`: a person who signed in. `key`: an API key of an account or a team. Both have `roles` in entities.
    - `link`: a browser that opened a share link. It reads what `shared` names.
    - `nobody`: a request without anything valid.
    """

    kind: Kind
    name: str = ""
    """The account's name, or the team's for its service key: the user of runs that this principal creates."""
    id: int | None = None
    """The number of that account or team; None for the others."""
    roles: Mapping[str, Role] = field(default_factory=dict)
    """The roles in entities, by the entity's name. An account is `admin` of its own entity."""
    is_admin: bool = False
    """Whether this is a server admin."""
    is_account: bool = False
    """Whether a person stands behind it, who reads internal projects; False for service keys of teams."""
    scope: Scope = "all"
    """What an API key allows at most."""
    credential: str = ""
    """The id of the key, session or link, for the audit log and to notice that it was revoked."""
    shared: Shared | None = None
    """What a link shows."""
    shown: frozenset[str] = frozenset()
    """The ids of the runs that a link to a view or report shows."""

    @property
    def actor(self) -> str:
        """The name for the audit log."""
        if self.kind == "key":
            return f"{self.name} (key {self.credential})"
        return self.name or (f"link {self.credential}" if self.kind == "link" else self.kind)


OWNER = Principal("owner")
NOBODY = Principal("nobody")
