"""Ask every route as every principal, and compare the answer with the table of rights.

`python -m tests.server.access.route_walk` prints the table. A route that `RULES` does not name fails the walk.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import requests

from tests.server.conftest import TOKEN, running
from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker.wire import ReportContent
from tracker_server.access import account_sessions, accounts, api_keys, share_links, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.access.principal import NOBODY, Principal, Shared
from tracker_server.access.roles import Action, Project, may
from tracker_server.access.session_cookie import name_for
from tracker_server.storage.access_schema import account_sessions as session_table
from tracker_server.storage.interface import By, CommentPlace
from tracker_server.storage.schema import projects as project_table
from tracker_server.storage.sql import SqlStorage, open_storage

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Place(NamedTuple):
    """A project, and what is in it."""

    kind: str
    entity: str
    project: str
    internal: bool = False


OWN, FOREIGN, INTERNAL = (
    Place("own", "lab", "digits"),
    Place("foreign", "shop", "stock"),
    Place("internal", "shop", "open", internal=True),
)
PLACES = (OWN, FOREIGN, INTERNAL)
ATTIC, OTHER_ATTIC = Place("own", "lab", "attic"), Place("foreign", "shop", "attic")
"""Projects of the same teams, to move runs to."""


@dataclass
class Asker:
    """A way to ask: what the request carries, and what rights the principal has."""

    name: str
    principal: Principal
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    page: str = ""
    refused: int = 0
    """The status for credentials that give no access."""


class World:
    """A running server with two teams and three projects."""

    def __init__(self, url: str, storage: SqlStorage) -> None:
        self.url, self.storage = url, storage
        self.database = AccessDatabase(storage.engine)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.askers: list[Asker] = []
        self._numbers = itertools.count()
        self.ids: dict[str, int] = {}
        self.reports: dict[Place, str] = {}

    def run(self, place: Place, user: str = "bob", id: str | None = None) -> str:
        """Write a new run of a user; return its id."""
        id = id or f"run{next(self._numbers)}"
        head = {"version": 1, "id": id, "entity": place.entity, "project": place.project}
        lines = [
            encode("run", head, 1000.0),
            encode("log", {"loss": 1.0}, 1001.0, 0),
            encode("file", {"name": "model.bin", "digest": DIGEST, "size": len(CONTENT), "path": "model.bin"}, 1002.0),
        ]
        key = RunKey(place.entity, place.project, id)
        self.storage.append(key, "history-a.jsonl", 0, b"".join(lines), By(self.ids.get(user)))
        return id

    def report(self, place: Place) -> str:
        """Write a new published report."""
        content = ReportContent(title="About", state="published", blocks=[], message=None)
        return self.storage.create_report(place.entity, place.project, content)["id"]

    def comment(self, place: Place, author: str = "bob") -> int:
        """Write a new comment on the run `r` of a place."""
        on = CommentPlace(place.entity, place.project, "r")
        return int(self.storage.add_comment(on, "text", [], By(self.ids[author]))["id"])

    def ask(self, asker: Asker, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request as this asker."""
        headers = {**asker.headers, **options.pop("headers", {})}
        if asker.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in asker.cookies.items())
            headers["Origin"] = self.url
            headers["X-Tracker-Page"] = asker.page
        return self.session.request(
            method,
            self.url + asker.prefix + path,
            headers=headers,
            timeout=60,
            allow_redirects=False,
            **options,
        )


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """Run the server, and make its people, projects, keys, sessions and links."""
    storage = open_storage(directory)
    made = World("", storage)
    with made.database.changing() as connection:
        for name in ("ada", "bob", "eve", "vic", "mallory", "pat", "dan"):
            account = accounts.add(connection, COMMAND_LINE, name, admin=name == "ada", password="none")
            made.ids[name] = account.id
        for team, members in (
            ("lab", {"bob": "admin", "eve": "member", "vic": "viewer", "dan": "admin"}),
            ("shop", {"mallory": "admin", "pat": "member"}),
        ):
            made.ids[team] = teams.add(connection, COMMAND_LINE, team).id
            for name, role in members.items():
                teams.set_member(connection, COMMAND_LINE, team, name, role)
    for place in (ATTIC, OTHER_ATTIC):
        made.run(place, id="kept")
    for place in PLACES:
        made.run(place, id="r")
        made.storage.put_view(place.entity, place.project, "main", {"filter": ""})
        made.reports[place] = made.report(place)
    with made.database.changing() as connection:
        internal = project_table.update().where(project_table.c.name == INTERNAL.project)
        connection.execute(internal.values(visibility="internal"))
        made.askers = list(_askers(connection, made.ids))
        accounts.disable(connection, COMMAND_LINE, "dan")
    storage.close()
    opened: list[SqlStorage] = []
    with running(directory, opened.append) as client:
        made.url, made.storage = client.url, opened[0]
        made.database = AccessDatabase(opened[0].engine)
        by_name = {asker.name: asker for asker in made.askers}
        for place in PLACES:
            sender = by_name["admin" if place is OWN else "admin of another team"]
            path = f"/api/runs/{place.entity}/{place.project}/r/blobs/{DIGEST}"
            assert made.ask(sender, "PUT", path, data=CONTENT).status_code == 204
        yield made


def _askers(connection: Any, ids: dict[str, int]) -> Iterator[Asker]:
    def person(name: str, **changes: Any) -> Principal:
        roles: dict[str, Any] = {name: "admin"}
        roles |= {"bob": {"lab": "admin"}, "eve": {"lab": "member"}, "vic": {"lab": "viewer"}}.get(name, {})
        roles |= {"mallory": {"shop": "admin"}, "pat": {"shop": "member"}}.get(name, {})
        return Principal(
            "account", name=name, id=ids[name], roles=roles, is_admin=name == "ada", is_account=True, **changes
        )

    def key(owner: str, scope: str = "all", **options: Any) -> str:
        return api_keys.add(connection, COMMAND_LINE, owner, "walk", scope, **options).key

    def bearer(text: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {text}"}

    yield Asker("nobody", NOBODY, refused=401)
    yield Asker("wrong key", NOBODY, bearer("trk_00000000_" + "A" * 40), refused=401)
    yield Asker("owner's token", NOBODY, bearer(TOKEN), refused=401)
    for scope in ("read", "log", "all"):
        yield Asker(f"member's key: {scope}", person("eve", scope=scope), bearer(key("eve", scope)))
    service = Principal("key", name="lab", id=ids["lab"], roles={"lab": "member"}, scope="log")
    yield Asker("team's service key: log", service, bearer(key("lab", "log")))
    for name, title in (("vic", "viewer"), ("eve", "member"), ("bob", "admin")):
        cookie, page = account_sessions.begin(connection, ids[name], "127.0.0.1", "walk")
        yield Asker(title, person(name), cookies={name_for(TOKEN.encode()): cookie}, page=page)
    yield Asker("member of another team", person("pat"), bearer(key("pat")))
    yield Asker("admin of another team", person("mallory"), bearer(key("mallory")))
    yield Asker("disabled account", NOBODY, bearer(key("dan")), refused=401)
    revoked = key("bob")
    api_keys.revoke(connection, COMMAND_LINE, str(api_keys.id_of(revoked)))
    yield Asker("revoked key", NOBODY, bearer(revoked), refused=401)
    cookie, page = account_sessions.begin(connection, ids["bob"], "127.0.0.1", "walk")
    expired = session_table.update().where(session_table.c.cookie == hashlib.sha256(cookie.encode()).hexdigest())
    connection.execute(expired.values(seen=time.time() - 31 * 86400))
    yield Asker("expired session", NOBODY, cookies={name_for(TOKEN.encode()): cookie}, page=page, refused=401)
    for title, place, target in (
        ("link to this project", OWN, None),
        ("link to another project", FOREIGN, None),
        ("link to a run", OWN, "r"),
    ):
        kind: Any = "project" if target is None else "run"
        made = share_links.add(connection, COMMAND_LINE, place.entity, place.project, kind, target)
        shared = Shared(place.entity, place.project, kind, target)
        yield Asker(title, Principal("link", credential=made.id, shared=shared), prefix=f"/s/{made.token}")
    gone = share_links.add(connection, COMMAND_LINE, OWN.entity, OWN.project)
    share_links.revoke(connection, COMMAND_LINE, gone.id)
    yield Asker("revoked link", NOBODY, prefix=f"/s/{gone.token}", refused=404)
    yield Asker("server admin", person("ada"), bearer(key("ada")))


class Request(NamedTuple):
    """How to ask a route for one place."""

    path: str
    options: Mapping[str, Any] = MappingProxyType({})
    user: str = ""
    """Whose run or comment it concerns, where rights depend on it."""


@dataclass(frozen=True)
class Rule:
    """What a route needs.

    `action` is one of `roles.Action` on the project, or
    - `public`: anybody; `any`: whoever has a valid credential; `person`: an account with all of its rights;
    - `session`: an account in a browser; `server`: `manage_server`; `own`: `edit`, and only what one has written.
    """

    action: str
    request: Callable[[World, Place], Request]
    ok: tuple[int, ...] = (200,)
    hidden: int | str = 404
    """The status where the principal may not even read; `empty` if the answer is that of a project without runs."""
    denied: int = 403
    """The status where the principal may read, but not do this."""
    of_run: bool = False
    """Whether it concerns the run `r`, so that a link to it is enough."""
    delete: bool = False
    """Whether `delete_own` is enough for the user whose run or comment it is."""
    resumes: bool = False
    """Whether `log` is enough too."""
    not_of_links: bool = False
    """Whether it concerns a comment or another project, which links do not show."""
    places: tuple[Place, ...] = PLACES
    of_entity: bool = False
    """Whether it concerns the team as a whole, and no project."""
    by_keys: bool = True
    """Whether API keys may do it, if their account may."""


def expected(rule: Rule, asker: Asker, place: Place, asked: Request) -> tuple[int | str, ...]:
    """Return the statuses that the table of rights allows; `empty` for an answer without content."""
    if asker.refused and rule.action != "public":
        return (asker.refused,)
    if asker.refused == 404:
        return (404,)
    if rule.action == "public" and asker.refused and asker.headers:
        return (*rule.ok, 401)  # whoever shows a key that was revoked is told so
    if rule.action in ("public", "any"):
        return rule.ok
    principal = asker.principal
    if rule.action == "person":
        return rule.ok if principal.is_account and principal.scope == "all" else (403, 404)
    if rule.action == "session":
        return rule.ok if asker.cookies else (403,)
    if rule.action == "server":
        return rule.ok if may(principal, "manage_server", None, None) else (403, 404)
    project = None if rule.of_entity else Project(place.project, place.internal)
    run = "r" if rule.of_run else None
    action: Any = "edit" if rule.action == "own" else rule.action
    if rule.delete and asked.user == principal.name and principal.kind != "link":
        action = "delete_own"

    def has(one: Action) -> bool:
        return may(principal, one, place.entity, project, run)

    if has(action) and not rule.by_keys and not asker.cookies:
        return (403,)
    if has(action) or (rule.resumes and has("log")):
        return (403,) if rule.action == "own" and asked.user != principal.name else rule.ok
    if action == "log" or rule.resumes:
        return (403,)
    if principal.kind == "link" and rule.not_of_links:
        return (404,)
    return (rule.denied,) if has("read") else (rule.hidden,)


def _here(path: str, **options: Any) -> Callable[[World, Place], Request]:
    """Ask for what every place has: the run `r`, the view `main`, a report, a file."""

    def request(world: World, place: Place) -> Request:
        names = {
            "entity": place.entity,
            "project": place.project,
            "report": world.reports[place],
            "digest": DIGEST,
            "size": len(CONTENT),
        }
        return Request(path.format(**names), _filled(options, names))

    return request


def _filled(options: Any, names: dict[str, Any]) -> Any:
    if isinstance(options, str):
        return options.replace("ENTITY", names["entity"]).replace("PROJECT", names["project"])
    if isinstance(options, dict):
        return {key: _filled(value, names) for key, value in options.items()}
    if isinstance(options, list):
        return [_filled(value, names) for value in options]
    return options


def _new_run(path: str = "", **options: Any) -> Callable[[World, Place], Request]:
    """Ask for a run that was made for this request."""

    def request(world: World, place: Place) -> Request:
        id = world.run(place)
        names = {"entity": place.entity, "project": place.project}
        filled = {key: _filled(value, names) for key, value in options.items()}
        if "json" in filled:
            filled["json"] = {**filled["json"], "runs": [f"{place.entity}/{place.project}/{id}"]}
        return Request(path.format(**names, id=id), filled, user="bob")

    return request


def _new_report(world: World, place: Place) -> Request:
    return Request(f"/api/projects/{place.entity}/{place.project}/reports/{world.report(place)}")


def _new_comment(world: World, place: Place, author: str = "bob") -> Request:
    return Request(f"/api/comments/{world.comment(place, author)}", {}, user=author)


def _new_comment_text(world: World, place: Place) -> Request:
    return _new_comment(world, place)._replace(options={"json": {"text": "other"}})


def _new_link(world: World, place: Place) -> Request:
    with world.database.changing() as connection:
        made = share_links.add(connection, COMMAND_LINE, place.entity, place.project)
    return Request(f"/api/projects/{place.entity}/{place.project}/links/{made.id}")


def _new_append(world: World, place: Place) -> Request:
    line = encode("log", {"loss": 1.0}, 1001.0, 0)
    stream = f"history-x{next(world._numbers)}.jsonl"
    path = f"/api/runs/{place.entity}/{place.project}/r/streams/{stream}?offset=0"
    return Request(path, {"data": line})


def _save_report(world: World, place: Place) -> Request:
    report = world.report(place)
    body = {"title": "About", "state": "published", "blocks": [], "version": 1}
    return Request(f"/api/projects/{place.entity}/{place.project}/reports/{report}", {"json": body})


def _delete_project(world: World, place: Place) -> Request:
    new = place._replace(project=f"project{next(world._numbers)}")
    world.run(new)
    return Request(f"/api/projects/{new.entity}/{new.project}")


def _copy_project(world: World, place: Place) -> Request:
    body = {"entity": place.entity, "name": f"copy{next(world._numbers)}"}
    return Request(f"/api/projects/{place.entity}/{place.project}/copy", {"json": body})


def _move_run(world: World, place: Place) -> Request:
    run = f"{place.entity}/{place.project}/{world.run(place)}"
    return Request("/api/runs/move", {"json": {"runs": [run], "entity": place.entity, "project": "attic"}})


def _change_project(world: World, place: Place) -> Request:
    body = {"visibility": "internal" if place.internal else "private"}
    return Request(f"/api/projects/{place.entity}/{place.project}", {"json": body})


PROJECT = "/api/projects/{entity}/{project}"
RUN = "/api/runs/{entity}/{project}/r"

RULES: dict[tuple[str, str], Rule] = {}
"""The rule of each route, by method and path."""


def _rule(method: str, route: str, rule: Rule) -> None:
    RULES[method, route] = rule


def _reads(route: str, path: str | None = None, of_run: bool = False, **more: Any) -> None:
    path = path or route.replace("{id}", "r").replace("{name}", "main")
    _rule("GET", route, Rule("read", _here(path), of_run=of_run, **more))


_RUN = "/api/runs/{entity}/{project}/{id}"
_reads(PROJECT, of_run=True)  # of a link to a run, only the project's name
_reads(PROJECT + "/views/{name}")
_reads("/api/runs/{entity}/{project}", hidden="empty")
for _end in ("", "/alerts", "/console", "/edits", "/files", "/fold", "/history", "/keys"):
    _reads(_RUN + _end, of_run=True)
_reads(_RUN + "/console/search", RUN + "/console/search?q=x", of_run=True)
_reads(_RUN + "/blobs/{digest}", of_run=True)
_reads(_RUN + "/files/{name:filename}", RUN + "/files/model.bin", of_run=True)
_reads(_RUN + "/media/{digest}", RUN + "/media/{digest}?type=image", of_run=True)
_reads(_RUN + "/render/{digest}", of_run=True)
for _end in ("/streams", "/resumption", "/stop"):
    _reads(_RUN + _end, of_run=True, resumes=True)
_reads(PROJECT + "/reports")
_reads(PROJECT + "/reports/{id}", PROJECT + "/reports/{report}")
_reads(PROJECT + "/reports/{id}/export", PROJECT + "/reports/{report}/export")
_reads("/api/reports/{id}", "/api/reports/{report}")
_rule(
    "POST",
    "/api/charts",
    Rule(
        "read", _here("/api/charts", json={"runs": ["ENTITY/PROJECT/r"], "keys": ["loss"]}), hidden="empty", of_run=True
    ),
)
_rule(
    "POST",
    "/api/keys",
    Rule("read", _here("/api/keys", json={"runs": ["ENTITY/PROJECT/r"]}), hidden="empty", of_run=True),
)
_rule(
    "GET",
    "/api/columns/{entity}/{project}",
    Rule("read", _here("/api/columns/{entity}/{project}"), hidden="empty", of_run=True),
)
for _name, _body in (("table", {"columns": ["id"]}), ("columns", {"search": "loss"}), ("groups", {"by": ["id"]})):
    _path = f"/api/{_name}/{{entity}}/{{project}}"
    _rule("POST", _path, Rule("read", _here(_path, json=_body), hidden="empty", of_run=True))
_rule("GET", "/api/comments", Rule("read", _here("/api/comments?run={entity}/{project}/r"), of_run=True))

_mentions = _here("/api/mentions?entity={entity}&project={project}&q=e")
_rule("GET", "/api/mentions", Rule("edit", _mentions))
_rule("POST", _RUN + "/streams/{name}", Rule("log", _new_append))
_rule("PUT", _RUN + "/blobs/{digest}", Rule("log", _here(RUN + "/blobs/{digest}", data=CONTENT), (204,)))
_rule("GET", _RUN + "/uploads/{digest}", Rule("log", _here(RUN + "/uploads/{digest}?size={size}")))
_rule(
    "POST", _RUN + "/uploads/{digest}", Rule("log", _here(RUN + "/uploads/{digest}?size={size}&offset=0", data=CONTENT))
)

_rule("PUT", PROJECT + "/views/{name}", Rule("edit", _here(PROJECT + "/views/main", json={"view": {}}), (204,)))
_rule("DELETE", PROJECT + "/views/{name}", Rule("edit", _here(PROJECT + "/views/none"), (404,)))
_rule("POST", "/api/edits", Rule("edit", _new_run("/api/edits", json={"set": {"notes": "x"}})))
_rule(
    "POST",
    PROJECT + "/reports",
    Rule("edit", _here(PROJECT + "/reports", json={"title": "New", "blocks": []})),
)
_rule("PUT", PROJECT + "/reports/{id}", Rule("edit", _save_report))
_rule("DELETE", PROJECT + "/reports/{id}", Rule("delete", _new_report, (204,), delete=True))
_reads(PROJECT + "/reports/{id}/versions/{version}", PROJECT + "/reports/{report}/versions/1")
_versions = _here(PROJECT + "/reports/{report}/versions")
_rule("GET", PROJECT + "/reports/{id}/versions", Rule("edit", _versions, denied=404))
_rule(
    "POST",
    "/api/comments",
    Rule("edit", _here("/api/comments?run={entity}/{project}/r", json={"text": "x"}), of_run=True),
)
_rule("PATCH", "/api/comments/{id}", Rule("own", _new_comment_text, not_of_links=True))
_rule("DELETE", "/api/comments/{id}", Rule("delete", _new_comment, (204,), delete=True, not_of_links=True))

_rule("DELETE", _RUN, Rule("delete", _new_run("/api/runs/{entity}/{project}/{id}"), (204,), delete=True))
_rule("POST", "/api/trash", Rule("delete", _new_run("/api/trash", json={}), hidden="none", delete=True))
_rule("POST", "/api/trash/restore", Rule("delete", _new_run("/api/trash/restore", json={}), hidden="none", delete=True))

_rule("PATCH", PROJECT, Rule("manage_project", _change_project))
_two = (OWN, FOREIGN)
_rule("DELETE", PROJECT, Rule("manage_project", _delete_project, (204,), places=_two, not_of_links=True))
_rule("POST", PROJECT + "/copy", Rule("manage_project", _copy_project, (201,), places=_two))
_rule("POST", "/api/runs/move", Rule("manage_project", _move_run, places=_two, not_of_links=True))

_links = PROJECT + "/links"
_rule("GET", _links, Rule("share", _here(_links)))
_rule("POST", _links, Rule("share", _here(_links, json={"kind": "project"}), (201,)))
_rule("DELETE", _links + "/{id}", Rule("share", _new_link, (204,)))

_team = "/api/teams/{team}"
_rule("GET", _team + "/members", Rule("read", _here("/api/teams/{entity}/members"), of_entity=True))
_rule("PATCH", _team, Rule("manage_members", _here("/api/teams/{entity}", json={}), of_entity=True))
_rule("DELETE", _team, Rule("manage_members", _here("/api/teams/{entity}"), (409,), of_entity=True))
_rule(
    "PUT",
    _team + "/members/{account}",
    Rule("manage_members", _here("/api/teams/{entity}/members/dan", json={"role": "viewer"}), of_entity=True),
)
_rule(
    "DELETE",
    _team + "/members/{account}",
    Rule("manage_members", _here("/api/teams/{entity}/members/ada"), (404,), of_entity=True),
)
_rule("GET", _team + "/keys", Rule("manage_members", _here("/api/teams/{entity}/keys"), of_entity=True))
_new_key = {"name": "k", "scope": "read"}
_rule(
    "POST",
    _team + "/keys",
    Rule("manage_members", _here("/api/teams/{entity}/keys", json=_new_key), (201,), of_entity=True, by_keys=False),
)
_rule(
    "DELETE",
    _team + "/keys/{id}",
    Rule("manage_members", _here("/api/teams/{entity}/keys/none"), (404,), of_entity=True),
)
_rule("GET", "/api/audit", Rule("audit", _here("/api/audit?entity={entity}"), hidden=403, of_entity=True))

_rule("GET", "/api/usage/{entity}", Rule("read", _here("/api/usage/{entity}"), of_entity=True))
_identity = "/api/account/identities"
_rule("GET", _identity, Rule("session", _here(_identity)))
_rule("POST", _identity + "/{provider}", Rule("session", _here(_identity + "/none", json={"next": "/"}), (404, 502)))
_rule("DELETE", _identity + "/{provider}", Rule("session", _here(_identity + "/none"), (404,)))

_rule("GET", "/api/accounts", Rule("any", _here("/api/accounts")))
_rule("POST", "/api/accounts", Rule("server", _here("/api/accounts", json={"name": "x" * 200}), (400,)))
_rule("PATCH", "/api/accounts/{name}", Rule("server", _here("/api/accounts/vic", json={})))
_rule("DELETE", "/api/accounts/{name}", Rule("server", _here("/api/accounts/none"), (404,)))
_rule("POST", "/api/accounts/{name}/reset", Rule("server", _here("/api/accounts/vic/reset")))
_rule("POST", "/api/teams", Rule("server", _here("/api/teams", json={"name": "x" * 200}), (400,)))
_rule("GET", "/api/teams", Rule("any", _here("/api/teams")))
_rule(
    "PUT",
    "/api/account/password",
    Rule("session", _here("/api/account/password", json={"old": "", "new": ""}), (400, 403)),
)
_rule("POST", "/api/login/device", Rule("public", _here("/api/login/device", json={"user": "u", "host": "h"})))
_rule(
    "POST",
    "/api/login/device/token",
    Rule("public", _here("/api/login/device/token", json={"device_code": "none"}), (410,)),
)
_rule("DELETE", "/api/login/{id}", Rule("any", _here("/api/login/none"), (404,)))
_code = "/api/login/device/{code}"
_no_code = "/api/login/device/BCDF-GHJK"
_rule("GET", _code, Rule("session", _here(_no_code), (404, 429)))
_rule("POST", _code, Rule("session", _here(_no_code, json={"scope": "log"}), (404, 429)))
_rule("DELETE", _code, Rule("session", _here(_no_code), (404, 429)))
_rule("GET", "/api/account/keys", Rule("person", _here("/api/account/keys")))
_rule("POST", "/api/account/keys", Rule("session", _here("/api/account/keys", json=_new_key), (201,)))
_rule("DELETE", "/api/account/keys/{id}", Rule("person", _here("/api/account/keys/none"), (404,)))
_rule("DELETE", "/api/sessions/{id}", Rule("any", _here("/api/sessions/none"), (404,)))
for _path in ("/api/projects", "/api/whoami", "/api/sessions", "/api/key", "/api/openapi.json"):
    _rule("GET", _path, Rule("any", _here(_path)))
_rule("GET", "/api/live", Rule("any", _here("/api/live")))
_pages = ("", "/compare", "/notes", "/reports", "/reports/{id}", "/settings")
for _path in (
    *("/", "/account", "/accounts", "/audit", "/teams", "/teams/{team}", "/login/device", "/reports/{id}"),
    "/runs/{entity}/{project}/{id}",
    *(f"/projects/{{entity}}/{{project}}{end}" for end in _pages),
):
    _rule("GET", _path, Rule("any", _here(re.sub("{(id|team)}", "r", _path))))
_rule("GET", "/assets/{name}", Rule("any", _here("/assets/none.js"), (404,)))
_device = "/api/login/device"
_rule("POST", _device, Rule("public", _here(_device, json={"user": "u", "host": "h"}), (200, 403, 429)))
_rule("POST", _device + "/token", Rule("public", _here(_device + "/token", json={"device_code": "x"}), (403, 410)))
for _method in ("GET", "POST", "DELETE"):
    _asked = _here(_device + "/NONENONE", **({"json": {"scope": "log"}} if _method == "POST" else {}))
    _rule(_method, _device + "/{code}", Rule("session", _asked, (404,)))
_rule("DELETE", "/api/login/{id}", Rule("any", _here("/api/login/none"), (404,)))
_rule("GET", "/sign-in", Rule("public", _here("/sign-in")))
_rule("POST", "/sign-in", Rule("public", _here("/sign-in"), (400, 403)))
_rule("GET", "/sign-in/with/{provider}", Rule("public", _here("/sign-in/with/none"), (404,)))
_rule("GET", "/sign-in/callback/{provider}", Rule("public", _here("/sign-in/callback/none"), (403,)))
_rule("GET", "/welcome/{secret}", Rule("public", _here("/welcome/none"), (404, 410)))
_rule("POST", "/welcome/{secret}", Rule("public", _here("/welcome/none"), (403, 404, 410)))


class Cell(NamedTuple):
    """One request of the walk: what was expected, and what came."""

    method: str
    route: str
    asker: str
    place: str
    expected: tuple[int | str, ...]
    came: int | str
    problem: str

    @property
    def is_right(self) -> bool:
        return not self.problem and self.came in self.expected


NOTHING = "nothing"
"""The name of a project that does not exist."""


def walk(world: World, rules: dict[tuple[str, str], Rule] = RULES) -> Iterator[Cell]:
    """Ask each route as each principal for each place."""
    for (method, route), rule in rules.items():
        is_project = rule.action not in ("public", "any", "person", "session", "server")
        for place in rule.places if is_project else (OWN,):
            if rule.of_entity and place is INTERNAL:
                continue
            for asker in world.askers:
                asked = rule.request(world, place)
                wanted = expected(rule, asker, place, asked)
                answer = world.ask(asker, "HEAD" if route == "/api/live" else method, asked.path, **asked.options)
                came, problem = _judge(world, asker, method, place, rule, asked, answer, wanted)
                yield Cell(method, route, asker.name, place.kind, wanted, came, problem)


def _judge(
    world: World,
    asker: Asker,
    method: str,
    place: Place,
    rule: Rule,
    asked: Request,
    answer: requests.Response,
    wanted: tuple[int | str, ...],
) -> tuple[int | str, str]:
    came: int | str = answer.status_code
    if "none" in wanted:
        came = "none" if (answer.status_code, answer.text) == (200, '{"changed":0}') else came
    elif wanted == (rule.hidden,) and not _may_read(asker, place, rule) and _names(asked, place):
        there = (place.entity, place.project)
        absent = Request(*_renamed(asked, there[1]))
        other = world.ask(asker, method, absent.path, **absent.options)
        same = _plain(answer, place.project) == _plain(other, place.project)
        if "empty" in wanted:
            came = "empty" if same and answer.status_code == 200 else came
        elif not same and rule.action not in ("public", "any", "person", "session", "server"):
            return came, f"differs from what is not there: {answer.text[:120]!r}, {other.text[:120]!r}"
    return came, "" if came in wanted else answer.text[:200]


def _may_read(asker: Asker, place: Place, rule: Rule) -> bool:
    return may(
        asker.principal, "read", place.entity, Project(place.project, place.internal), "r" if rule.of_run else None
    )


def _names(asked: Request, place: Place) -> bool:
    """Return whether the request names the project, so that it can name one that is not there."""
    return place.project in asked.path + str(asked.options)


def _plain(answer: requests.Response, project: str) -> tuple[int, str]:
    """Return what must be equal, whether the project exists or not; the version of an empty table is the time."""
    return answer.status_code, re.sub(r'"version":\d+', "", answer.text.replace(project, NOTHING))


def _renamed(asked: Request, project: str) -> tuple[str, Any]:
    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(f"/{project}", f"/{NOTHING}")
        if isinstance(value, dict):
            return {key: renamed(one) for key, one in value.items()}
        return [renamed(one) for one in value] if isinstance(value, list) else value

    return renamed(asked.path), renamed(asked.options)


def table(cells: list[Cell]) -> str:
    """Return the walk as a table in Markdown: a line for each route and place, a column for each principal."""
    names = list(dict.fromkeys(cell.asker for cell in cells))
    lines = [f"| route | project | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in cells:
        rows.setdefault((f"{cell.method} {cell.route}", cell.place), {})[cell.asker] = cell
    for (route, place), found in rows.items():
        shown = [f"{found[name].came}{'' if found[name].is_right else ' WRONG'}" for name in names]
        lines.append(f"| `{route}` | {place} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table, and how many cells are right."""
    with tempfile.TemporaryDirectory() as directory, world(Path(directory)) as made:
        cells = list(walk(made))
    wrong = [cell for cell in cells if not cell.is_right]
    print(table(cells))
    print(f"\n{len(cells)} cells, {len(RULES)} routes; {len(wrong)} wrong")
    for cell in wrong:
        print("WRONG", *cell)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
