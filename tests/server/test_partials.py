from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from tracker_server.partials import Limits, Partials
from tracker_server.storage.interface import OffsetMismatch, StorageFull, TooManyUploads

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_bytes_are_appended_only_where_the_content_ends(tmp_path: Path) -> None:
    partials = Partials(tmp_path / "partial", Limits())
    assert partials.extend(A, 0, b"abc") == 3
    assert partials.extend(A, 3, b"def") == 6
    for offset in (0, 5, 7):
        with pytest.raises(OffsetMismatch) as mismatch:
            partials.extend(A, offset, b"x")
        assert mismatch.value.offset == 6
    assert partials.path(A).read_bytes() == b"abcdef"
    assert (partials.size(A), partials.size(B)) == (6, 0)


def test_old_uploads_are_removed_at_the_start_and_when_bytes_arrive(tmp_path: Path) -> None:
    partials = Partials(tmp_path / "partial", Limits(age=100))
    for digest in (A, B):
        partials.extend(digest, 0, b"x")
    _age(partials.path(A), 101)
    partials.extend(C, 0, b"x")
    assert [partials.size(digest) for digest in (A, B, C)] == [0, 1, 1]
    _age(partials.path(B), 101)
    assert Partials(tmp_path / "partial", Limits(age=100)).size(B) == 0


@pytest.mark.parametrize("limits", [Limits(number=2, idle=10), Limits(size=5, idle=10)])
def test_idle_uploads_make_room_the_longest_idle_first(tmp_path: Path, limits: Limits) -> None:
    partials = Partials(tmp_path / "partial", limits)
    for digest, age in ((A, 20), (B, 30)):
        partials.extend(digest, 0, b"xx")
        _age(partials.path(digest), age)
    partials.extend(C, 0, b"xx")
    assert [partials.size(digest) for digest in (A, B, C)] == [2, 0, 2]


@pytest.mark.parametrize("limits", [Limits(number=2), Limits(size=5)])
def test_active_uploads_are_not_removed_for_others(tmp_path: Path, limits: Limits) -> None:
    partials = Partials(tmp_path / "partial", limits)
    for digest in (A, B):
        partials.extend(digest, 0, b"xx")
    with pytest.raises(TooManyUploads):
        partials.extend(C, 0, b"xx")
    assert [partials.size(digest) for digest in (A, B, C)] == [2, 2, 0]
    partials.extend(A, 2, b"x")


def test_one_upload_cannot_outgrow_the_limit(tmp_path: Path) -> None:
    partials = Partials(tmp_path / "partial", Limits(size=5))
    partials.extend(A, 0, b"1234")
    with pytest.raises(TooManyUploads):
        partials.extend(A, 4, b"56")
    assert partials.size(A) == 4


def test_nothing_of_a_part_is_kept_if_the_disk_refuses_it(tmp_path: Path) -> None:
    import resource
    import signal

    partials = Partials(tmp_path / "partial", Limits())
    partials.extend(A, 0, b"x" * 1000)
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, former[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            partials.extend(A, 1000, b"y" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, ignored)
    assert partials.extend(A, 1000, b"z") == 1001
    assert partials.path(A).read_bytes() == b"x" * 1000 + b"z"


def test_a_full_disk_is_recognised(tmp_path: Path) -> None:
    partials = Partials(tmp_path / "partial", Limits(age=math.inf))
    partials.path(A).symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        partials.extend(A, 0, b"x")


@pytest.mark.parametrize("limits", [Limits(each_number=2, idle=10), Limits(each_size=5, idle=10)])
def test_an_account_makes_room_with_its_own_idle_uploads_only(tmp_path: Path, limits: Limits) -> None:
    partials = Partials(tmp_path / "partial", limits)
    for name, age in ((f"2/{A}", 40), (A, 40), (f"1/{A}", 20), (f"1/{B}", 5)):
        partials.extend(name, 0, b"xx")
        _age(partials.path(name), age)
    partials.extend(f"1/{C}", 0, b"xx")
    assert [partials.size(name) for name in (f"2/{A}", A, f"1/{A}", f"1/{B}", f"1/{C}")] == [2, 2, 0, 2, 2]
    with pytest.raises(TooManyUploads):
        partials.extend(f"1/{A}", 0, b"xx")
    partials.extend(f"3/{A}", 0, b"xx")
