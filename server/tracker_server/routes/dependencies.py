"""What a request may use: the storage and the files as its principal may use them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from tracker_server.access.guarded_blobs import GuardedBlobs
from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.access.principal import Principal


def storage_for(request: Request) -> GuardedStorage:
    """Return the storage as the request's principal may use it. The guard has put it there."""
    storage: GuardedStorage = request.scope["tracker.storage"]
    return storage


def blobs_for(request: Request) -> GuardedBlobs:
    """Return the content of files as the request's principal may use it."""
    blobs: GuardedBlobs = request.scope["tracker.blobs"]
    return blobs


def principal_of(request: Request) -> Principal:
    """Return who makes the request."""
    principal: Principal = request.scope["tracker.principal"]
    return principal


# Coroutines, because FastAPI runs other functions in a thread.
async def _storage(request: Request) -> GuardedStorage:
    return storage_for(request)


async def _blobs(request: Request) -> GuardedBlobs:
    return blobs_for(request)


async def _principal(request: Request) -> Principal:
    return principal_of(request)


StorageOf = Annotated[GuardedStorage, Depends(_storage)]
BlobsOf = Annotated[GuardedBlobs, Depends(_blobs)]
PrincipalOf = Annotated[Principal, Depends(_principal)]
