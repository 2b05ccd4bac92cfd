"""Hand out a report as one file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from tracker import wire
from tracker_server.access import audit_log
from tracker_server.access.guarded_blobs import GuardedBlobs
from tracker_server.services import Services

from .asker import Asker
from .dependencies import BlobsOf, StorageOf
from .files import disposition
from .media import media_type
from .parameters import run_key
from .reports import REPORT, ReportId

if TYPE_CHECKING:  # imported when the first report is exported, which most servers never do
    from tracker_server.access.guarded_storage import GuardedStorage
    from tracker_server.report_export.content import Blob, Content

MAX_IMAGE = 8 * 1024 * 1024
"""Largest image in a file, in bytes; larger ones are left out."""

MAX_IMAGES = 32 * 1024 * 1024
"""Bytes of all images in a file; further ones are left out."""

_AT_ONCE = 2
"""Files that are made at the same time, since each is in memory."""

_TYPES = {"html": "text/html; charset=utf-8", "markdown": "text/markdown; charset=utf-8"}
_ENDINGS = {"html": "html", "markdown": "md"}
_FILE = {"schema": {"type": "string"}}


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the route of exports."""
    turn = asyncio.Semaphore(_AT_ONCE)
    contents = {"text/html": _FILE, "text/markdown": _FILE}

    @api.get(
        REPORT + "/export",
        summary="Export a report to one file",
        response_class=Response,
        responses={200: {"description": "The file, as an attachment", "content": contents}},
    )
    async def export(
        request: Request,
        storage: StorageOf,
        blobs: BlobsOf,
        entity: str,
        project: str,
        id: ReportId,
        format: Annotated[
            Literal["html", "markdown"], Query(description="A page that needs neither scripts nor a network, or text")
        ] = "html",
    ) -> Response:
        run_key(entity, project, "any")
        asker = Asker(services, request)
        # A file is passed on: it must not hold the address of a share link.
        server = "" if asker.principal.kind == "link" else asker.url("")
        address = server and f"{server}/reports/{id}"
        async with turn:
            report = await services.read(lambda: storage.report(entity, project, id))
            content = await services.read(lambda: _collected(storage, report, address))
            if format == "html":
                await _read_images(content, blobs)
            body = await services.read(lambda: _written(content, format, server))
        if services.access.snapshot.is_team:
            subject = f"{report['entity']}/{report['project']}: {report['title']} ({format})"
            await services.access.note(audit_log.write, asker.actor, "report exported", report["entity"], subject)
        # The policy is for a browser that shows the file in spite of its being an attachment.
        headers = {
            "content-disposition": disposition(f"{report['title'].replace('/', '-')}.{_ENDINGS[format]}"),
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        }
        return Response(body, headers=headers, media_type=_TYPES[format])


def _collected(storage: GuardedStorage, report: wire.Report, address: str) -> Content:
    from tracker_server.report_export.collect import collect

    return collect(storage, report, address)


def _written(content: Content, format: str, server: str) -> bytes:
    from tracker_server.report_export.markdown import markdown
    from tracker_server.report_export.page import page

    text = page(content) if format == "html" else markdown(content, server)
    return text.encode("utf-8", "replace")


async def _read_images(content: Content, blobs: GuardedBlobs) -> None:
    """Read the images that the file holds, as the asker may read them, up to the limits."""
    from tracker_server.report_export.content import blobs_of

    left = MAX_IMAGES
    for blob in blobs_of(content):
        data = await _read_image(blob, blobs, min(left, MAX_IMAGE))
        if data is not None:
            left -= len(data)


async def _read_image(blob: Blob, blobs: GuardedBlobs, limit: int) -> bytes | None:
    try:
        size, pieces = await blobs.get(blob.run, blob.digest)
        if size > limit:
            blob.problem = "This image is too large for the file."
            return None
        data = b"".join([piece async for piece in pieces])
    except (LookupError, ValueError):
        return None
    found = media_type(data[:512], "image")
    if found is None:
        blob.problem = "The format of this image cannot be shown."
        return None
    blob.data, blob.media_type = data, found
    return data
