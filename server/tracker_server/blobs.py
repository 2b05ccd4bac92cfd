"""Content-addressed files through obstore: a local directory now, an object store with the same code."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from .storage.interface import StorageFull

DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE = 1024 * 1024
_TOGETHER = 64
"""Requests to the store at a time."""


class ObjectBlobs:
    """The `Blobs` of `storage.interface` in any store that obstore knows.

    With `root`, the local directory that is the store, content is on disk (fsync) before `put` returns. Every object
    appears whole: content is hashed on its way, and a digest that does not match aborts the write.
    """

    def __init__(self, store: ObjectStore, root: Path | None = None) -> None:
        self._store, self._root = store, root

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Store; returns the size. Raises ValueError if the sha256 is not `digest`, `StorageFull` without space."""
        target = _path(digest)
        size = 0
        sha = hashlib.sha256()

        async def verified() -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in content:
                size += len(piece)
                sha.update(piece)
                yield piece
            if sha.hexdigest() != digest:
                raise ValueError(f"the content's sha256 is {sha.hexdigest()}, not {digest}")

        # A remote store shows an object when its upload is complete, so there it is written in place. A local one must
        # not show a file whose bytes a power cut could still take, so it is written beside, synced, and moved.
        staged = target if self._root is None else f"incoming/{uuid.uuid4().hex}"
        try:
            await obstore.put_async(self._store, staged, verified(), max_concurrency=2)
            if self._root is not None:
                await asyncio.to_thread(_sync, self._root / staged)
                await obstore.rename_async(self._store, staged, target)
                await asyncio.to_thread(_sync, (self._root / target).parent)
        except (OSError, BaseError) as error:
            await self._remove(staged)
            if "no space left" in str(error).lower() or "quota exceeded" in str(error).lower():
                raise StorageFull("no space left for files") from error
            raise
        return size

    async def has(self, digests: list[str]) -> set[str]:
        """Return those that are stored."""
        found: set[str] = set()
        for start in range(0, len(digests), _TOGETHER):
            some = digests[start : start + _TOGETHER]
            for digest, there in zip(some, await asyncio.gather(*map(self._has, some)), strict=True):
                if there:
                    found.add(digest)
        return found

    async def _has(self, digest: str) -> bool:
        if not DIGEST.fullmatch(digest):
            return False
        try:
            await obstore.head_async(self._store, _path(digest))
        except FileNotFoundError:
            return False
        return True

    async def get(self, digest: str) -> tuple[int, AsyncIterator[bytes]]:
        """Size and content. Raises LookupError."""
        try:
            found = await obstore.get_async(self._store, _path(digest))
        except FileNotFoundError:
            raise LookupError(digest) from None

        async def content() -> AsyncIterator[bytes]:
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)

        return found.meta["size"], content()

    async def delete(self, digests: list[str]) -> None:
        """Forget them; those that are not there are none of its concern."""
        for digest in digests:
            if DIGEST.fullmatch(digest):
                await self._remove(_path(digest))

    async def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)


def open_blobs(directory: Path) -> ObjectBlobs:
    """Return the blobs kept under `directory`, made if need be; what an earlier process left unfinished is removed."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.rmtree(directory / "incoming", ignore_errors=True)
    return ObjectBlobs(LocalStore(prefix=directory, mkdir=True), root=directory)


def _path(digest: str) -> str:
    # A fan-out of 256, because directories with very many entries are slow to list and to back up.
    if not DIGEST.fullmatch(digest):
        raise LookupError(digest)
    return f"{digest[:2]}/{digest[2:]}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
