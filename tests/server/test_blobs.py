from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tracker_server.blobs import open_blobs

CONTENT = b"0123456789" * 700_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


async def _pieces(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def _kept(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_content_is_read_as_it_was_stored(tmp_path: Path) -> None:
    async def use() -> None:
        blobs = open_blobs(tmp_path)
        assert await blobs.put(DIGEST, _pieces(CONTENT)) == len(CONTENT)
        size, content = await blobs.get(DIGEST)
        assert size == len(CONTENT)
        assert b"".join([piece async for piece in content]) == CONTENT

    asyncio.run(use())
    assert len(_kept(tmp_path)) == 1


def test_empty_content_can_be_stored(tmp_path: Path) -> None:
    async def use() -> None:
        blobs = open_blobs(tmp_path)
        digest = hashlib.sha256(b"").hexdigest()
        assert await blobs.put(digest, _pieces(b"")) == 0
        size, content = await blobs.get(digest)
        assert (size, [piece async for piece in content]) == (0, [])

    asyncio.run(use())


def test_content_with_a_wrong_digest_is_not_stored(tmp_path: Path) -> None:
    async def use() -> None:
        blobs = open_blobs(tmp_path)
        with pytest.raises(ValueError, match="sha256"):
            await blobs.put(DIGEST, _pieces(CONTENT + b"!"))
        assert await blobs.has([DIGEST]) == set()

    asyncio.run(use())
    assert _kept(tmp_path) == []


def test_interrupted_content_is_not_stored(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT
        raise ConnectionError("gone")

    async def use() -> None:
        blobs = open_blobs(tmp_path)
        with pytest.raises(ConnectionError):
            await blobs.put(DIGEST, broken())
        assert await blobs.has([DIGEST]) == set()

    asyncio.run(use())
    assert _kept(tmp_path) == []


def test_unfinished_files_of_a_killed_server_are_removed_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "half").write_bytes(b"x")
    open_blobs(tmp_path)
    assert _kept(tmp_path) == []


def test_deleting_removes_only_the_given_digests(tmp_path: Path) -> None:
    async def use() -> None:
        blobs = open_blobs(tmp_path)
        other = hashlib.sha256(b"other").hexdigest()
        await blobs.put(DIGEST, _pieces(CONTENT))
        await blobs.put(other, _pieces(b"other"))
        await blobs.delete([DIGEST, "0" * 64, "../token"])
        assert await blobs.has([DIGEST, other, "../token"]) == {other}
        with pytest.raises(LookupError):
            await blobs.get(DIGEST)

    asyncio.run(use())


def test_uploads_in_parts_work_in_other_stores_than_a_directory(tmp_path: Path) -> None:
    from obstore.store import MemoryStore

    from tracker_server.blobs import ObjectBlobs
    from tracker_server.partials import Limits, Partials

    async def use() -> None:
        blobs = ObjectBlobs(MemoryStore(), Partials(tmp_path, Limits()))
        half = len(CONTENT) // 2
        assert await blobs.extend(DIGEST, 0, len(CONTENT), CONTENT[:half]) == (half, False)
        assert await blobs.has([DIGEST]) == set()
        assert await blobs.extend(DIGEST, half, len(CONTENT), CONTENT[half:]) == (len(CONTENT), True)
        assert await blobs.reached(DIGEST, len(CONTENT)) == (len(CONTENT), True)
        size, content = await blobs.get(DIGEST, 7, 20)
        assert (size, b"".join([piece async for piece in content])) == (len(CONTENT), CONTENT[7:20])

    asyncio.run(use())
    assert _kept(tmp_path) == []


def test_unfinished_uploads_survive_a_restart_only_if_they_are_in_parts(tmp_path: Path) -> None:
    async def begin() -> None:
        await open_blobs(tmp_path).extend(DIGEST, 0, len(CONTENT), CONTENT[:1000])

    asyncio.run(begin())
    (tmp_path / "incoming").mkdir(exist_ok=True)
    (tmp_path / "incoming" / "half").write_bytes(b"x")
    assert asyncio.run(open_blobs(tmp_path).reached(DIGEST, len(CONTENT))) == (1000, False)
    assert [path.name for path in _kept(tmp_path)] == [DIGEST]


def test_an_account_asks_again_while_its_upload_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker_server.blobs.VERIFYING", 0.0)
    sent = asyncio.Event()
    calls = []

    async def verified() -> None:
        calls.append("verified")
        await sent.wait()

    async def use() -> None:
        blobs = open_blobs(tmp_path)
        size = len(CONTENT)
        assert await blobs.extend(DIGEST, 0, size, CONTENT, 1, verified) == (size, False)
        while not calls:
            assert await blobs.extend(DIGEST, size, size, b"", 1, verified) == (size, False)
        assert await blobs.has([DIGEST]) == set()  # until it is known whose it is
        sent.set()
        while not await blobs.has([DIGEST]):
            await blobs.extend(DIGEST, size, size, b"", 1, verified)

    asyncio.run(use())
    assert calls == ["verified"]
    assert len(_kept(tmp_path)) == 1


def test_an_upload_that_failed_after_its_verification_is_complete_without_sending_it_again(tmp_path: Path) -> None:
    async def failing() -> None:
        raise OSError("the database is not there")

    async def verified() -> None:
        pass

    async def use() -> None:
        size = len(CONTENT)
        with pytest.raises(OSError, match="not there"):
            await open_blobs(tmp_path).extend(DIGEST, 0, size, CONTENT, 1, failing)
        blobs = open_blobs(tmp_path)  # the server was started again
        assert await blobs.reached(DIGEST, size, 1) == (size, False)
        assert await blobs.extend(DIGEST, size, size, b"", 1, verified) == (size, True)
        assert await blobs.has([DIGEST]) == {DIGEST}

    asyncio.run(use())


def test_what_others_have_sent_is_not_there_for_an_account(tmp_path: Path) -> None:
    async def use() -> None:
        blobs, size = open_blobs(tmp_path), len(CONTENT)
        await blobs.put(DIGEST, _pieces(CONTENT))
        await blobs.extend(DIGEST, 0, size, CONTENT[:100], 1)
        assert await blobs.reached(DIGEST, size) == (size, True)
        assert await blobs.reached(DIGEST, size, 1) == (100, False)
        assert await blobs.reached(DIGEST, size, 2) == (0, False)
        assert await blobs.extend(DIGEST, 0, size, CONTENT, 2) == (size, True)
        assert await blobs.reached(DIGEST, size, 1) == (100, False)

    asyncio.run(use())
