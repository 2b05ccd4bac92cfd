"""Put the ASGI application together: routes, error answers, background work, and the guard in front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from .access.access import Access
from .access.database import AccessDatabase
from .access.gate import Gate
from .access.guard import Guard
from .access.providers import Providers
from .access.sessions import Sessions
from .access.sign_in import SignIn
from .background import accounts as accounts_watch
from .background import audit_log, maintenance
from .background import trash as trash_bin
from .deletion import deleting_unnamed
from .errors import add_error_handlers
from .openapi import document
from .routes import (
    account,
    accounts,
    api_keys,
    audit,
    charts,
    comments,
    console,
    device_login,
    edits,
    files,
    first_run,
    identities,
    ingest,
    live,
    media,
    processes,
    project_changes,
    projects,
    report_export,
    reports,
    runs,
    share_links,
    sign_in,
    table,
    teams,
    trash,
    usage,
    web,
    whoami,
)
from .routes.request_bodies import Capped, StrictRoute
from .services import Services
from .settings import Settings
from .storage.interface import Blobs, Storage
from .webhook import Webhook
from .workers import Workers

MAX_QUERY = 1024 * 1024
"""Largest request body in bytes, except uploads."""


def create_app(
    storage: Storage,
    blobs: Blobs,
    settings: Settings,
    database: AccessDatabase,
    providers: Providers | None = None,
) -> Guard:
    """Return the ASGI application. The caller owns `storage` and closes it after the application has ended."""
    webhook = None if settings.webhook is None else Webhook(settings.webhook, settings.url)
    sessions = Sessions(settings.sessions, settings.token)
    workers = Workers()
    access = Access(database, workers)
    gate = Gate(access, storage, blobs, workers)
    services = Services(access, settings, workers, deleting_unnamed(storage, blobs, workers), webhook=webhook)
    access.on_change(services.live.judge_again)
    access.on_change(storage.names_changed)  # entities are renamed and removed together with their projects

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with (
            trash_bin.emptying(services, storage, blobs),
            maintenance.maintaining(services, storage),
            accounts_watch.watching(access, gate),
            audit_log.shortening(access),
        ):
            yield
        services.workers.close()
        flow.close()
        if webhook is not None:
            webhook.close()

    flow = SignIn(access, settings.token.encode(), providers or Providers())
    api = FastAPI(
        title="tracker", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    api.router.route_class = StrictRoute
    runs.add_routes(api, services)
    charts.add_routes(api, services)
    console.add_routes(api, services)
    first_run.add_routes(api, services)
    processes.add_routes(api, services)
    for routes_of in (projects, project_changes, reports, report_export, comments, table, edits, trash):
        routes_of.add_routes(api, services)
    for routes_of in (whoami, device_login, teams, api_keys, share_links, audit):
        routes_of.add_routes(api, services)
    usage.add_routes(api, gate.quotas)
    accounts.add_routes(api, services, providers is None or providers.passwords)
    account.add_routes(api, services, sessions)
    identities.add_routes(api, services, flow)
    api.openapi = document(api, {**ingest.OPERATIONS, **files.OPERATIONS, **live.OPERATIONS, **media.OPERATIONS})  # type: ignore[method-assign]
    # Ingest first: routes are tried in order, and most requests are uploads.
    routes = [
        *ingest.routes(services),
        *files.routes(services),
        *live.routes(services.live),
        *media.routes(services),
        *sign_in.routes(services, flow),
        *web.routes(settings.root_path),
        Mount("/", Capped(api, MAX_QUERY)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    for part in (app, api):
        part.state.root_path = settings.root_path
        add_error_handlers(part)

    def stop() -> None:
        services.live.close()
        services.workers.stop()

    return Guard(app, settings, sessions, access, gate, stop)
