"""Torn, damaged and hostile files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tests.integrations.tensorboard.reader.crafted import (
    event,
    flat,
    header,
    masked,
    read,
    read_slowly,
    record,
    simple,
    tensor,
)
from tracker_tensorboard.reader import LARGEST, Damage, EventFile, Message, Scalars


def records(count: int, first: int = 0) -> list[bytes]:
    return [event(simple("loss", i), time=1e9 + i, step=i) for i in range(first, first + count)]


def steps(found: list[tuple[Any, ...]]) -> list[int]:
    return [entry[2] for entry in found if len(entry) == 4]


def test_a_file_cut_at_any_byte_gives_all_complete_records_and_later_the_rest(path: Path) -> None:
    head = b"".join(records(60))
    tail = b"".join(records(3, 60))
    for cut in range(len(tail) + 1):
        path.write_bytes(head + tail[:cut])
        file = EventFile(path)
        whole = 60 + cut // (len(tail) // 3)
        assert steps(flat(file.read())) == list(range(whole))
        assert file.pending == cut % (len(tail) // 3)
        assert flat(file.read()) == []
        path.write_bytes(head + tail)
        assert steps(flat(file.read())) == list(range(whole, 63))
        assert (file.offset, file.pending) == (len(head + tail), 0)


@pytest.mark.parametrize("place", [1, 100])
def test_a_flipped_bit_affects_only_its_own_record(path: Path, place: int) -> None:
    parts = records(200)
    start = sum(map(len, parts[:place]))
    size = len(parts[place])
    for byte in range(size):
        damaged = bytearray(b"".join(parts))
        damaged[start + byte] ^= 1 << byte % 8
        path.write_bytes(damaged)
        reason = "bad length checksum" if byte < 12 else "bad checksum"
        found = read(path)
        assert steps(found) == [step for step in range(200) if step != place], byte
        assert found[place] == (start, start + size, reason)


@pytest.mark.parametrize("tail", [bytes(5000), b"garbage " * 500, os.urandom(3000), b"\x1a" + bytes(11)])
def test_damage_at_the_end_is_pending_until_a_record_follows(path: Path, tail: bytes) -> None:
    head = b"".join(records(50))
    path.write_bytes(head + tail)
    file = EventFile(path)
    assert steps(flat(file.read())) == list(range(50))
    assert (file.offset, file.pending) == (len(head), len(tail))
    assert flat(file.read()) == []
    more = b"".join(records(50, 50))
    with path.open("ab") as out:
        out.write(more)
    found = flat(file.read())
    assert found[0] == (len(head), len(head + tail), "bad length checksum")
    assert steps(found) == list(range(50, 100))
    assert read(path) == [*read_slowly(head)[0], *found]


def test_a_gap_that_is_filled_later_is_read(path: Path) -> None:
    parts = records(40)
    hole = bytes(len(parts[0]))
    path.write_bytes(b"".join(parts[:30]) + hole)  # a block that a network file system has not delivered yet
    file = EventFile(path)
    assert steps(flat(file.read())) == list(range(30))
    path.write_bytes(b"".join(parts))
    assert steps(flat(file.read())) == list(range(30, 40))


@pytest.mark.parametrize("size", [1, 15, 16, *range(4075, 4115), *range(12265, 12310, 4)])
def test_the_record_after_damage_of_any_size_is_found(path: Path, size: int) -> None:
    parts = records(2)
    path.write_bytes(parts[0] + b"\xff" * size + parts[1])
    assert read(path)[1:] == [(len(parts[0]), len(parts[0]) + size, "bad length checksum"), *read_slowly(parts[1])[0]]


def test_records_inside_a_torn_record_are_found(path: Path) -> None:
    parts = records(100)
    path.write_bytes(b"".join([*parts[:10], parts[10][:-7], *parts[11:]]))
    found = read(path)
    assert steps(found) == [step for step in range(100) if step != 10]
    assert [entry[2] for entry in found if len(entry) == 3] == ["bad checksum"]


def test_an_unreadable_event_is_damage_and_does_not_affect_others(path: Path) -> None:
    bad = [record(b"\x0a\xff\xff"), record(event(simple("loss", 1))[12:-4].replace(b"loss", b"l\xffss"))]
    parts = records(60)
    path.write_bytes(b"".join([*parts[:30], bad[0], *parts[30:40], bad[1], *parts[40:]]))
    found = read(path)
    assert steps(found) == list(range(60))
    size = len(b"".join(parts[:30]))
    assert next(entry for entry in found if len(entry) == 3) == (size, size + len(bad[0]), "unreadable event")
    assert [entry[2] for entry in found if len(entry) == 3] == ["unreadable event"] * 2


def test_a_length_does_not_allocate_memory_before_the_record_is_there(path: Path) -> None:
    parts = records(20)
    for claim in (2**20, LARGEST, LARGEST + 1, 2**31 - 1, 2**63, 2**64 - 1):
        path.write_bytes(b"".join(parts) + header(claim) + b"begun")
        file = EventFile(path)
        assert steps(flat(file.read())) == list(range(20))
        assert file.pending == 17
    path.write_bytes(b"".join(parts[:10]) + (2**40).to_bytes(8, "little") + b"nope" + b"".join(parts[10:]))
    assert steps(read(path)) == list(range(20))


def test_a_record_larger_than_a_block_is_read_whole(path: Path) -> None:
    text = tensor("text", "text", dtype=7, string_val=[b"x" * 5_000_000])
    path.write_bytes(b"".join([*records(10), event(text), *records(10, 10)]))
    first, large, last = EventFile(path).read()
    assert isinstance(large, Message)
    assert large.end - large.start > 5_000_000
    assert isinstance(first, Scalars)
    assert isinstance(last, Scalars)
    assert (first.end, last.steps.tolist()) == (large.start, list(range(10, 20)))


@pytest.mark.parametrize("sound", [True, False])
def test_a_record_beyond_the_size_limit_is_damage_and_reading_continues_after_it(path: Path, sound: bool) -> None:
    from google_crc32c import extend

    size = LARGEST + 1
    crc = 0
    for start in range(0, size, 2**20):
        crc = extend(crc, bytes(min(2**20, size - start)))
    stored = ((crc >> 15 | crc << 17) + 0xA282EAD8 + (not sound)) & 0xFFFFFFFF
    before, after = b"".join(records(5)), b"".join(records(5, 5))
    with path.open("wb") as file:
        file.write(before + header(size))
        file.seek(size, os.SEEK_CUR)  # a hole
        file.write(stored.to_bytes(4, "little") + after)
    reason = f"a record of {size:,} bytes" if sound else "bad checksum"
    found = read(path)
    assert [entry for entry in found if len(entry) == 3] == [(len(before), len(before) + 16 + size, reason)]
    assert steps(found) == list(range(10))


def test_without_check_damaged_values_are_read_and_damaged_frames_are_not(path: Path) -> None:
    parts = records(100)
    parts[50] = parts[50][:-1] + bytes((parts[50][-1] ^ 1,))
    parts[70] = b"\xff" + parts[70][1:]
    path.write_bytes(b"".join(parts))
    assert steps(read(path, check=False)) == [step for step in range(100) if step != 70]
    assert steps(read(path)) == [step for step in range(100) if step not in (50, 70)]


def test_the_search_takes_time_linear_in_the_size_of_a_file_even_if_it_is_full_of_headers(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each header claims a megabyte with a wrong checksum, so checking them one by one would read gigabytes."""
    hostile = header(2**20) * 5000 + bytes(2**20 + 16)
    last = b"".join(records(3))
    path.write_bytes(records(1)[0] + b"\xff" + hostile + last)
    looked_at = 0
    pread = os.pread

    def counting(fd: int, size: int, offset: int) -> bytes:
        nonlocal looked_at
        data = pread(fd, size, offset)
        looked_at += len(data)
        return data

    monkeypatch.setattr(os, "pread", counting)
    found = read(path)
    assert steps(found) == [0, 0, 1, 2]
    assert looked_at < 5000 * 2**17 + 20 * path.stat().st_size


def test_if_every_second_record_is_damaged_the_others_are_read(path: Path) -> None:
    parts = records(2000)
    for place in range(1, 2000, 2):
        parts[place] = parts[place][:-1] + bytes((parts[place][-1] ^ 1,))
    data = b"".join(parts)
    path.write_bytes(data)
    assert (read(path), len(data) - len(parts[-1])) == read_slowly(data)


def test_a_file_that_has_been_cut_has_nothing_pending(path: Path) -> None:
    path.write_bytes(b"".join(records(10)))
    file = EventFile(path)
    list(file.read())
    path.write_bytes(records(1)[0])
    assert list(file.read()) == []
    assert file.pending == 0


def test_the_search_rules_out_no_valid_header() -> None:
    """The search passes over places where a header's checksum would be zero."""
    from tracker_tensorboard.reader.checksums import append, value

    # The masked checksum of a length is 0 for one length of 32 bits at most, the map being one-to-one: find it.
    target = (-0xA282EAD8) & 0xFFFFFFFF
    target = (target >> 17 | target << 15) & 0xFFFFFFFF
    zero = value(bytes(8))
    images = [append(0, value((1 << bit).to_bytes(8, "little")) ^ zero, 0) for bit in range(32)]
    rows = [(image, 1 << bit) for bit, image in enumerate(images)]
    wanted, length = target ^ zero, 0
    for column in range(31, -1, -1):
        pivot = next((row for row in rows if row[0] >> column & 1), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows = [(a ^ pivot[0], b ^ pivot[1]) if a >> column & 1 else (a, b) for a, b in rows]
        if wanted >> column & 1:
            wanted, length = wanted ^ pivot[0], length ^ pivot[1]
    assert wanted == 0
    assert masked(length.to_bytes(8, "little")) == bytes(4)
    assert length > LARGEST


def test_each_item_counts_as_read_when_it_is_yielded(path: Path) -> None:
    parts = [*records(5), b"\xff" * 9, *records(5, 5), event(file_version="brain.Event:2")]
    path.write_bytes(b"".join(parts))
    file = EventFile(path)
    found = []
    while True:
        item = next(iter(file.read()), None)
        if item is None:
            break
        found.append(item)
        assert file.offset == item.end
    assert flat(found) == read(path)
    assert [type(item) for item in found] == [Scalars, Damage, Scalars, Message]
