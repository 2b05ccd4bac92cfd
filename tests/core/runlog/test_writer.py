from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.runlog.reader import read_stream
from tracker.runlog.records import Record, encode
from tracker.runlog.writer import StreamWriter


def row(step: int, size: int = 0) -> bytes:
    return encode("log", {"x": "a" * size}, 1.0, step)


def read(path: Path | str) -> tuple[list[Record], int]:
    parts = list(read_stream(Path(path)))
    return [record for part in parts for record in part.records], sum(part.corrupt for part in parts)


def open_writer(tmp_path: Path) -> tuple[StreamWriter, list[OSError]]:
    troubles: list[OSError] = []
    return StreamWriter(str(tmp_path / "history.jsonl"), troubles.append), troubles


def test_each_record_is_one_write_of_its_whole_line(tmp_path: Path) -> None:
    writer, _ = open_writer(tmp_path)
    written: list[bytes] = []

    def write(fd: int, data: bytes) -> int:
        written.append(data)
        return os.write(fd, data)

    lines = [row(i) for i in range(5)]
    for line in lines:
        writer.append(line, write)
        assert Path(writer.path).read_bytes().endswith(line)  # in the kernel when append returns
    assert written == lines


def test_a_stream_that_exists_is_never_opened_again(tmp_path: Path) -> None:
    writer, _ = open_writer(tmp_path)
    writer.append(row(1))
    with pytest.raises(FileExistsError):
        open_writer(tmp_path)
    assert len(read(writer.path)[0]) == 1


def test_closing_twice_is_safe(tmp_path: Path) -> None:
    writer, _ = open_writer(tmp_path)
    writer.close()
    writer.close()


def test_a_deleted_stream_is_noticed(tmp_path: Path) -> None:
    writer, _ = open_writer(tmp_path)
    assert not writer.deleted()
    Path(writer.path).unlink()
    assert writer.deleted()


class Disk:
    """Limit the size of this process's files, which gives short writes and errors like a full disk."""

    def __enter__(self) -> Disk:
        self.former = resource.getrlimit(resource.RLIMIT_FSIZE)
        return self

    def limit(self, size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self.former[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.former)


def test_rows_that_a_full_disk_refuses_are_written_in_order_when_it_has_space(tmp_path: Path) -> None:
    writer, troubles = open_writer(tmp_path)
    with Disk() as disk:
        writer.append(row(0))
        disk.limit(os.path.getsize(writer.path))
        for step in range(1, 6):
            writer.append(row(step))
        assert writer.held == 5
    writer.append(row(6))
    assert writer.held == writer.lost == 0
    assert [type(error) for error in troubles] == [OSError]  # reported once
    records, corrupt = read(writer.path)
    assert [r.step for r in records] == list(range(7))
    assert corrupt == 0


def test_a_write_cut_short_at_any_byte_damages_only_the_written_piece(tmp_path: Path) -> None:
    line = row(1, 30)
    for short in range(1, len(line)):
        directory = tmp_path / str(short)
        directory.mkdir()
        writer, _ = open_writer(directory)
        with Disk() as disk:
            writer.append(row(0))
            disk.limit(os.path.getsize(writer.path) + short)
            writer.append(line)
            writer.append(row(2))
            assert writer.held == 2
        writer.append(row(3))
        writer.close()
        records, corrupt = read(writer.path)
        assert [r.step for r in records] == [0, 1, 2, 3]
        assert corrupt == (short < len(line) - 1)  # if only its newline is missing, the line is whole


def test_lines_that_do_not_fit_into_memory_are_dropped_counted_and_reported_in_the_stream(tmp_path: Path) -> None:
    writer, troubles = open_writer(tmp_path)
    with Disk() as disk:
        writer.append(row(0))
        disk.limit(os.path.getsize(writer.path) + 10)
        for step in range(1, 11):
            writer.append(row(step, 1024 * 1024))
    writer.append(row(11))
    writer.close()
    assert len(troubles) == 1
    records, corrupt = read(writer.path)
    kept = [r.step for r in records if r.kind == "log"]
    assert kept[0] == 0
    assert kept[1:] == list(range(12 - len(kept[1:]), 12))  # the newest
    (lost,) = [r.payload for r in records if r.kind == "lost"]
    assert writer.lost == lost["count"] == 12 - len(kept)
    assert corrupt == 1


def test_one_line_larger_than_the_memory_for_lines_survives_a_short_write(tmp_path: Path) -> None:
    writer, _ = open_writer(tmp_path)
    with Disk() as disk:
        writer.append(row(0))
        disk.limit(os.path.getsize(writer.path) + 1000)
        writer.append(row(1, 5 * 1024 * 1024))
    writer.append(row(2))
    records, corrupt = read(writer.path)
    assert [r.step for r in records] == [0, 1, 2]
    assert (writer.lost, corrupt) == (0, 1)


def test_lines_that_the_disk_never_accepted_are_counted_at_the_end(tmp_path: Path) -> None:
    writer, _ = open_writer(tmp_path)
    with Disk() as disk:
        writer.append(row(0))
        disk.limit(os.path.getsize(writer.path))
        writer.append(row(1))
        writer.append(row(2))
        writer.close()
    assert writer.lost == 2


_ON_TMPFS = """
import os, sys
from tracker.runlog.records import encode
from tracker.runlog.writer import StreamWriter

troubles = []
writer = StreamWriter("history.jsonl", troubles.append)
ballast = open("ballast", "wb", buffering=0)
try:
    while True:
        ballast.write(b"b" * 1000)
except OSError:
    pass
for step in range(5000):
    writer.append(encode("log", {"x": step}, 1.0, step))
assert writer.held, "the disk was not full"
ballast.truncate(0)
writer.append(encode("log", {"x": 5000}, 1.0, 5000))
writer.close()
assert writer.lost == 0 and len(troubles) == 1, (writer.lost, troubles)
sys.stdout.buffer.write(open("history.jsonl", "rb").read())
"""


def test_a_full_file_system_loses_no_line_that_fits_into_memory(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    script = f'mount -t tmpfs -o size=1m none "{place}" && cd "{place}" && exec "$0" -c "$1"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, sys.executable, _ON_TMPFS], capture_output=True)
    if b"unshare" in done.stderr or b"mount" in done.stderr:
        pytest.skip(f"no mount namespaces here: {done.stderr.decode()}")
    assert done.returncode == 0, done.stderr.decode()
    copy = tmp_path / "history.jsonl"
    copy.write_bytes(done.stdout)
    assert [r.step for r in read(copy)[0]] == list(range(5001))
