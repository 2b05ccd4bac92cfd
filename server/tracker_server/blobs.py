"""Store files by digest in a local directory, through obstore, so that an object store can take its place."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from tracker.runlog.records import DIGEST

from .partials import Limits, Partials, is_full
from .storage.interface import StorageFull

VERIFYING = 5.0
"""Seconds for which a request waits until a finished upload is verified; after that the client asks again."""
_DEFAULT_LIMITS = Limits()
_PIECE_SIZE = 1024 * 1024
_PIECES_AT_ONCE = 64
"""Pieces that are hashed before the server looks whether it should stop."""
_MAX_CONCURRENT = 64
"""Concurrent requests to the store."""


class ObjectBlobs:
    """The `Blobs` of `storage.interface` in any store that obstore supports.

    With `root`, the local directory of the store, content is on disk (fsync) before `put` returns. An object becomes
    visible only whole: content is hashed as it arrives, and a digest that does not match aborts the write.

    Content that arrives in parts is collected in a local directory (`partials`) for every kind of store, so unverified
    bytes never reach the store. (Passing each part on to S3 would need the ids of multipart uploads and their parts
    after a restart, and obstore does not expose them.)
    """

    def __init__(self, store: ObjectStore, partials: Partials, root: Path | None = None) -> None:
        self._store, self._partials, self._root = store, partials, root
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._verifying: dict[str, asyncio.Task[None]] = {}

    async def put(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Store content and return its size.

        Raises ValueError if its sha256 is not `digest`, `StorageFull` if there is no space.
        """
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

        # A remote store shows an object only when its upload is complete, so it is written in place. A local file must
        # not be visible before a power cut can no longer damage it, so it is written elsewhere, synced, and moved.
        staged = target if self._root is None else f"incoming/{uuid.uuid4().hex}"
        try:
            await obstore.put_async(self._store, staged, verified(), max_concurrency=2)
            if self._root is not None:
                await asyncio.to_thread(_sync, self._root / staged)
                await obstore.rename_async(self._store, staged, target)
                await asyncio.to_thread(_sync, (self._root / target).parent)
        except (OSError, BaseError) as error:
            await self._remove(staged)
            if is_full(error):
                raise StorageFull("no space left for files") from error
            raise
        return size

    async def reached(self, digest: str, size: int, account: int | None = None) -> tuple[int, bool]:
        """Return how many bytes of an upload in parts have arrived, and whether the content is stored whole.

        What others have sent is not there for an account: see `storage.interface.Blobs`.
        """
        if account is None and (stored := (await self.sizes([digest])).get(digest)) is not None:
            return stored, True
        name = _upload(digest, account)
        have = await asyncio.to_thread(self._partials.size, name)
        if have > size:  # a client gave a wrong size, so this upload could never complete
            await asyncio.to_thread(self._partials.discard, name)
            return 0, False
        return have, False

    async def extend(
        self,
        digest: str,
        offset: int,
        size: int,
        part: bytes,
        account: int | None = None,
        verified: Callable[[], Awaitable[None]] | None = None,
    ) -> tuple[int, bool]:
        """Add a part to an upload; see `storage.interface.Blobs`."""
        name = _upload(digest, account)
        async with self._locks.setdefault(name, asyncio.Lock()):
            verification = self._verifying.get(name)
            if verification is None:
                have, complete = await self.reached(digest, size, account)
                if complete:
                    return have, True
                have = await asyncio.to_thread(self._partials.extend, name, offset, part)
                if have < size:
                    return have, False
                verification = self._verifying[name] = asyncio.create_task(self._complete(name, digest, verified))
                verification.add_done_callback(lambda task: self._verified(name, task))
        await asyncio.wait([verification], timeout=VERIFYING)
        if verification.done():
            verification.result()
        return size, verification.done()

    def _verified(self, name: str, verification: asyncio.Task[None]) -> None:
        del self._verifying[name]
        if not verification.cancelled():
            verification.exception()  # retrieved here, or asyncio would log it when no client waits any more

    async def _complete(self, name: str, digest: str, verified: Callable[[], Awaitable[None]] | None) -> None:
        """Verify the collected parts and move them into the store."""
        collected = self._partials.path(name)
        sha = hashlib.sha256()
        with collected.open("rb") as file:
            while await asyncio.to_thread(_hash_some, file, sha):
                pass
        if sha.hexdigest() != digest:
            await asyncio.to_thread(self._partials.discard, name)
            raise ValueError(f"the content's sha256 is {sha.hexdigest()}, not {digest}")
        if verified is not None:
            await verified()  # before the parts are gone, or all of them would be asked for again after a crash
        if self._root is None:
            await obstore.put_async(self._store, _path(digest), collected, max_concurrency=2)
            await asyncio.to_thread(self._partials.discard, name)
        else:
            await asyncio.to_thread(_place, collected, self._root / _path(digest))

    async def sizes(self, digests: list[str]) -> dict[str, int]:
        """Return the sizes of those digests whose content is stored."""
        if self._root is not None:
            return await asyncio.to_thread(_sizes, self._root, digests)
        found: dict[str, int] = {}
        for start in range(0, len(digests), _MAX_CONCURRENT):
            some = digests[start : start + _MAX_CONCURRENT]
            sizes = zip(some, await asyncio.gather(*map(self._size, some)), strict=True)
            found.update({digest: size for digest, size in sizes if size is not None})
        return found

    async def _size(self, digest: str) -> int | None:
        if not DIGEST.fullmatch(digest):
            return None
        try:
            return (await obstore.head_async(self._store, _path(digest)))["size"]
        except FileNotFoundError:
            return None

    async def has(self, digests: list[str]) -> set[str]:
        """Return those digests whose content is stored."""
        return set(await self.sizes(digests))

    async def get(self, digest: str, start: int = 0, end: int | None = None) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size of the whole, and the content from `start` up to but without `end`.

        Raises LookupError if the digest is not stored, ValueError if `start` is past the end.
        """
        part: Any = {"offset": start} if end is None else (start, end)
        options: Any = {"range": part} if start or end is not None else None
        try:
            if options and start >= (size := (await obstore.head_async(self._store, _path(digest)))["size"]):
                raise ValueError(f"this file has only {size:,} bytes")
            found = await obstore.get_async(self._store, _path(digest), options=options)
        except FileNotFoundError:
            raise LookupError(digest) from None

        async def content() -> AsyncIterator[bytes]:
            async for piece in found.stream(min_chunk_size=_PIECE_SIZE):
                yield bytes(piece)

        return found.meta["size"], content()

    async def delete(self, digests: list[str]) -> None:
        """Delete the content of these digests; missing ones are ignored."""
        for digest in digests:
            if DIGEST.fullmatch(digest):
                await self._remove(_path(digest))

    async def older(self, before: float) -> list[str]:
        """Return the digests of content that was stored before a Unix time."""

        def listed() -> list[str]:
            found = []
            for some in obstore.list(self._store):
                for one in some:
                    digest = one["path"].replace("/", "", 1)
                    if DIGEST.fullmatch(digest) and one["last_modified"].timestamp() < before:
                        found.append(digest)
            return found

        return await asyncio.to_thread(listed)

    async def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)


def open_blobs(directory: Path, limits: Limits = _DEFAULT_LIMITS) -> ObjectBlobs:
    """Open the blobs under `directory`, which is created if needed.

    Unfinished files of an earlier process are removed, except uploads in parts, which can continue.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(PermissionError):
        directory.chmod(0o700)
    shutil.rmtree(directory / "incoming", ignore_errors=True)
    partials = Partials(directory / "partial", limits)
    return ObjectBlobs(LocalStore(prefix=directory, mkdir=True), partials, root=directory)


def _upload(digest: str, account: int | None) -> str:
    """Return the name of an upload in parts."""
    if not DIGEST.fullmatch(digest):
        raise LookupError(digest)
    return digest if account is None else f"{account}/{digest}"


def _path(digest: str) -> str:
    # 256 folders, because directories with very many entries are slow to list and to back up.
    if not DIGEST.fullmatch(digest):
        raise LookupError(digest)
    return f"{digest[:2]}/{digest[2:]}"


def _sizes(root: Path, digests: list[str]) -> dict[str, int]:
    found = {}
    for digest in digests:
        with contextlib.suppress(FileNotFoundError):
            if DIGEST.fullmatch(digest):
                found[digest] = os.stat(f"{root}/{_path(digest)}").st_size
    return found


def _hash_some(file: BinaryIO, sha: Any) -> bool:
    """Hash the next pieces of a file; return whether there were more."""
    for _ in range(_PIECES_AT_ONCE):
        piece = file.read(_PIECE_SIZE)
        if not piece:
            return False
        sha.update(piece)
    return True


def _place(source: Path, target: Path) -> None:
    _sync(source)
    target.parent.mkdir(exist_ok=True)
    source.replace(target)
    _sync(target.parent)
    _sync(target.parent.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
