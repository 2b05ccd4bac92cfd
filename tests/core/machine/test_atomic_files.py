"""Test that files appear whole or not at all, with their rights from the first byte."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tracker import TrackerError
from tracker.machine.atomic_files import SECRET, draft_of, verified, write_first, write_whole


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_file_is_replaced_at_once_and_gets_the_rights_that_are_asked_for(target: Path) -> None:
    target.write_text("former")
    target.chmod(0o644)
    with target.open() as reader:
        write_whole(target, b"new", SECRET)
        assert reader.read() == "former"  # a process that had it open keeps the former file
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_draft_is_secret_from_its_first_byte(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.open

    def open_(path: str, flags: int, mode: int = 0o777) -> int:
        fd = real(path, flags, mode)
        seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return fd

    monkeypatch.setattr(os, "open", open_)
    write_whole(target, b"secret", SECRET)
    assert seen == [0o600]


def test_an_error_leaves_the_former_file_unchanged(target: Path) -> None:
    target.write_text("former")
    with pytest.raises(RuntimeError, match="in between"), draft_of(target) as draft:  # noqa: PT012
        draft.write_text("half")
        raise RuntimeError("in between")
    assert target.read_text() == "former"


def test_a_draft_can_be_in_another_folder(target: Path, tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir()
    with draft_of(tmp_path / "queue" / "one", tmp_path) as draft:
        draft.write_text("x")
        assert list((tmp_path / "queue").iterdir()) == []
    assert [path.name for path in (tmp_path / "queue").iterdir()] == ["one"]


def test_of_many_processes_that_write_a_first_file_one_succeeds(target: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda n: write_first(target, b"%d" % n, SECRET), range(8)))
    assert written.count(True) == 1
    assert target.read_bytes() == b"%d" % written.index(True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_verified_file_has_the_digest_that_was_announced(target: Path) -> None:
    with verified(target, hashlib.sha256(b"abcd").hexdigest(), 4) as take:
        take(b"ab")
        take(b"cd")
        assert not target.exists()
    assert target.read_bytes() == b"abcd"


@pytest.mark.parametrize(("content", "what"), [(b"abce", "its sha256 is"), (b"abcde", "more bytes")])
def test_content_with_another_digest_is_refused(target: Path, content: bytes, what: str) -> None:
    target.write_text("former")
    with (
        pytest.raises(TrackerError, match=what),
        verified(target, hashlib.sha256(b"abcd").hexdigest(), 4) as take,
    ):
        take(content)
    assert target.read_text() == "former"
