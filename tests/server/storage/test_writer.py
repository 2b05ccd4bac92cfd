from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage import writer
from tracker_server.storage.interface import OffsetMismatch, StorageFull
from tracker_server.storage.sql import open_storage

KEY = RunKey("me", "digits", "r1")
NAME = "history-a.jsonl"


def lines(count: int, start: int = 0) -> bytes:
    head = [] if start else [encode("run", {"version": 1, "id": "r1", "pid": 1}, 1.0)]
    return b"".join([*head, *(encode("log", {"a": i, "b": i / 3}, 2.0 + i, i) for i in range(start, start + count))])


def test_the_returned_offset_is_where_the_next_upload_continues(store: Any) -> None:
    assert store.storage.offsets(KEY) == {}
    first, second = lines(10), lines(10, 10)
    assert store.storage.append(KEY, NAME, 0, first) == (len(first), [], False)
    assert store.storage.append(KEY, NAME, len(first), second) == (len(first) + len(second), [], False)
    assert store.storage.offsets(KEY) == {NAME: len(first) + len(second)}
    store.reopen()
    assert store.storage.offsets(KEY) == {NAME: len(first) + len(second)}


@pytest.mark.parametrize("offset", [1, 10**9])
def test_lines_for_another_offset_store_nothing(store: Any, offset: int) -> None:
    with pytest.raises(OffsetMismatch) as unknown:
        store.storage.append(KEY, NAME, offset, lines(5))
    assert unknown.value.offset == 0
    assert store.storage.offsets(KEY) == {}
    assert store.storage.projects() == []
    first = lines(5)
    store.storage.append(KEY, NAME, 0, first)
    before = store.storage.run(KEY)
    for wrong in (0, offset, len(first) - 1):
        with pytest.raises(OffsetMismatch) as known:
            store.storage.append(KEY, NAME, wrong, lines(5))
        assert known.value.offset == len(first)
    with pytest.raises(OffsetMismatch):
        store.storage.append(KEY, "history-b.jsonl", offset, lines(5))
    assert store.storage.run(KEY) == before
    assert store.storage.offsets(KEY) == {NAME: len(first)}
    assert len(store.read()) == 5


@pytest.mark.parametrize("rows", [4096, 40])
def test_an_upload_that_is_repeated_after_a_merge_stores_nothing_twice(store: Any, rows: int) -> None:
    stream = store.stream()
    for i in range(rows):
        stream.log(i, {"a": i})
    stream.add("finish", {"state": "finished"})
    data = b"".join(stream.lines)
    stream.send()
    with pytest.raises(OffsetMismatch) as error:
        store.storage.append(KEY, NAME, 0, data)
    assert error.value.offset == len(data)
    assert [row["a"] for _, _, row in store.read()] == list(range(rows))
    assert store.storage.keys(KEY, "history")[0]["count"] == rows


def test_partial_lines_and_unknown_streams_are_refused_with_a_reason(store: Any) -> None:
    with pytest.raises(ValueError, match="newline"):
        store.storage.append(KEY, NAME, 0, lines(3)[:-1])
    with pytest.raises(ValueError, match="newline"):
        store.storage.append(KEY, NAME, 0, b"")
    for name in ("history.txt", "../history.jsonl", "history-.jsonl", "history-a.jsonl\n"):
        with pytest.raises(ValueError, match="not a valid stream name"):
            store.storage.append(KEY, name, 0, lines(3))
    with pytest.raises(ValueError, match="version 2"):
        store.storage.append(KEY, NAME, 0, encode("run", {"version": 2}, 1.0))
    assert store.storage.projects() == []


def test_damaged_and_odd_lines_are_counted_and_the_rest_is_kept(store: Any) -> None:
    good = lines(3)
    odd = [
        b'{"c":"00000000","t":1,"log":{}}\n',
        b"\xff\xfe junk\n",
        encode("log", {"a": 1}, 5.0),  # no step
        encode("log", {"a": 1}, 5.0, 2**63),
        encode("log", [1], 5.0, 1),
        encode("summary", ["not an object"], 5.0),
        encode("lost", {"count": "many"}, 5.0),
        encode("metric", {"name": "a", "summary": ["odd"]}, 5.0),
    ]
    data = good + b"".join(odd) + b"\n" + encode("log", {"a": 9}, 6.0, -(2**63)) + encode("invented", {}, 7.0)
    store.storage.append(KEY, NAME, 0, data)
    info = store.storage.run(KEY)
    assert info["corrupt"] == len(odd)
    assert info["rows"] == 4
    assert [(step, row["a"]) for step, _, row in store.read()] == [(0, 0), (1, 1), (2, 2), (-(2**63), 9)]


def test_digests_of_media_and_files_are_stored_by_run(store: Any) -> None:
    image, audio, file = "1" * 64, "2" * 64, "3" * 64
    row = {
        "image": {"_type": "image", "digest": image, "size": 1, "format": "png"},
        "list": {"_type": "list", "items": [{"_type": "audio", "digest": audio, "size": 1, "format": "wav"}]},
        "odd": {"_type": "image", "digest": "../../etc/passwd"},
    }
    stream = store.stream().log(0, row).add("file", {"name": "model.pt", "digest": file, "size": 5, "path": "m"})
    offset, named, _ = store.storage.append(KEY, NAME, 0, b"".join(stream.lines))
    assert sorted(named) == sorted(store.storage.digests(KEY)) == [image, audio, file]
    again = encode("log", {"image": row["image"]}, 9.0, 1)
    assert store.storage.append(KEY, NAME, offset, again)[1] == [image]
    assert sorted(store.storage.digests(KEY)) == [image, audio, file]
    assert store.storage.files(KEY)["model.pt"]["digest"] == file
    assert store.storage.digests_in_use([image, "9" * 64]) == {image}


def test_keys_past_the_limit_and_reserved_names_are_refused_and_counted(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_KEYS", 3)
    stream = store.stream()
    stream.log(0, {"a": 1, "_step": 7}).log(1, {"a": 2, "b": 2}).send()
    stream.log(2, {"a": 3, "c": 3, "d": 3}).log(3, {"d": 4, "e": 4}).log(4, {"c": 5}).send(1)
    assert [row for _, _, row in store.read()] == [{"a": 1}, {"a": 2, "b": 2}, {"a": 3, "c": 3}, {}, {"c": 5}]
    assert store.storage.run(KEY)["summary"] == {"a": 3, "b": 2, "c": 5}
    assert store.storage.streams(KEY)[NAME]["refused"] == 4


def test_many_threads_may_upload_and_read_at_once(store: Any) -> None:
    trouble: list[BaseException] = []

    def work(n: int) -> None:
        try:
            stream = store.stream(
                "history-a.jsonl" if n < 3 else "history-b.jsonl", RunKey("me", "digits", f"r{n % 3}")
            )
            for i in range(300):
                stream.log(i, {"a": i})
                if i % 10 == 9:
                    stream.send()
                    store.storage.runs("me", "digits", {}, "-created", 10, None)
                    assert len(store.read(key=stream.key)) >= i + 1
        except BaseException as error:  # noqa: BLE001 - shown below
            trouble.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    for n in range(3):
        assert [row["a"] for _, _, row in store.read(key=RunKey("me", "digits", f"r{n}"))] == [*range(300), *range(300)]


def test_two_storages_on_one_directory_can_write_in_turn(store: Any) -> None:
    other = open_storage(store.directory)
    offset = 0
    for i in range(200):
        storage = (store.storage, other)[i // 3 % 2]
        offset, *_ = storage.append(KEY, NAME, offset, encode("log", {"a": i, f"k{i // 2}": i}, 1.0, i))
    assert [row["a"] for _, _, row in store.read()] == list(range(200))
    assert len(other.keys(KEY, "history")) == 101
    assert other.run(KEY)["rows"] == 200
    other.close()


_UPLOADER = """
import sys
from pathlib import Path
from tracker.runlog.records import encode
from tracker.names import RunKey
from tracker_server.storage.sql import open_storage

storage, key, offset = open_storage(Path(sys.argv[1])), RunKey("me", "digits", "r1"), 0
offset = storage.offsets(key).get("history-a.jsonl", 0)
data = Path(sys.argv[2]).read_bytes()
while offset < len(data):
    end = data.find(b"\\n", min(offset + 4000, len(data) - 1)) + 1
    offset, *_ = storage.append(key, "history-a.jsonl", offset, data[offset:end])
    print(offset, flush=True)
"""


def test_after_a_kill_the_database_has_the_acknowledged_rows_and_at_most_one_upload_more(tmp_path: Path) -> None:
    log = tmp_path / "history-a.jsonl"
    log.write_bytes(lines(30_000))
    data = log.read_bytes()
    directory = tmp_path / "store"
    rng = random.Random(1)
    done = 0
    for _ in range(8):
        command = [sys.executable, "-c", _UPLOADER, str(directory), str(log)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged = done
            for _ in range(rng.randrange(5, 90)):
                line = process.stdout.readline()
                if not line:
                    break
                acknowledged = int(line)
            os.kill(process.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, re.findall(r"\d+(?=\n)", process.stdout.read()))])
        storage = open_storage(directory)
        done = storage.offsets(KEY).get(NAME, 0)
        assert acknowledged <= done
        rows = data[:done].count(b"\n") - 1
        seen: list[int] = []
        cursor = None
        while rows > 0 and (cursor or not seen):
            page = storage.rows(KEY, "history", ["a"], 10_000, cursor)
            seen += page["columns"]["a"]["values"]
            cursor = page["cursor"]
        assert seen == list(range(max(rows, 0)))
        if rows > 0:
            assert storage.keys(KEY, "history")[0]["count"] == rows == storage.run(KEY)["rows"]
        storage.close()
    assert done > 0


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting a small disk needs root")
def test_a_full_disk_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"this machine lets nobody mount a small disk: {mounted.stderr.strip()}")
    try:
        storage = open_storage(disk / "store")
        rng = random.Random(0)
        offset = rows = 0
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 200_000)
        full: list[str] = []
        while len(full) < 3:
            count = rng.choice([1, 50, 500, 20_000])
            some = b"".join(encode("log", {"a": rows + i, "b": rng.random()}, 1.0, i) for i in range(count))
            try:
                offset, *_ = storage.append(KEY, NAME, offset, some)
            except StorageFull as error:
                full.append(str(error))
                assert storage.offsets(KEY) == {NAME: offset}
                assert storage.run(KEY)["rows"] == rows
            else:
                rows += count
        assert all("disk is full" in message for message in full)
        ballast.unlink()
        some = encode("log", {"a": rows}, 1.0, 0)
        storage.append(KEY, NAME, offset, some)
        storage.close()
        shutil.copytree(disk / "store", tmp_path / "copy")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    storage = open_storage(tmp_path / "copy")
    page = storage.rows(KEY, "history", ["a"], 10_000, None)
    seen = page["columns"]["a"]["values"]
    while page["cursor"]:
        page = storage.rows(KEY, "history", ["a"], 10_000, page["cursor"])
        seen += page["columns"]["a"]["values"]
    assert seen == list(range(rows + 1))
    storage.close()
