"""Row 5: one bit of a stream is flipped."""

from __future__ import annotations

import random
from pathlib import Path

import tracker
from tests.faults.harness import ENTITY, PROJECT, on_server, small_log, sync_directory, values, write_log
from tests.faults.training import row
from tracker_server.embedded import Embedded

ROWS = 3


def test_any_flipped_bit_is_counted_and_costs_at_most_its_own_row(tmp_path: Path) -> None:
    whole = small_log("flip", ROWS)
    directory = write_log(tmp_path, "flip", whole)
    stream = directory / "history-a.jsonl"
    for bit in range(8 * len(whole)):
        stream.write_bytes(_flip(whole, bit))
        run = tracker.read_run(directory)
        last = bit // 8 == len(whole) - 1
        assert values(run) == _intact(whole, bit), bit
        assert last or run.info["corrupt"] >= 1, bit
        assert run.id == "flip", bit


def test_the_server_counts_damaged_lines_and_stores_the_others(
    tmp_path: Path, server: Embedded, rng: random.Random
) -> None:
    bits = 8 * len(small_log("flip-00", ROWS))
    chosen = [*rng.sample(range(bits), 59), bits - 1]
    for number, bit in enumerate(chosen):
        id = f"flip-{number:02}"
        whole = small_log(id, ROWS)
        directory = write_log(tmp_path, id, _flip(whole, bit))
        corrupt = tracker.read_run(directory).info["corrupt"]
        assert not sync_directory(directory).refused
        run = on_server(f"{ENTITY}/{PROJECT}/{id}")
        assert run is not None
        assert values(run) == _intact(whole, bit), bit
        lost = bit // 8 == len(whole) - 1  # without the last newline, the line of a dead writer is lost
        assert (run.info["corrupt"], run.info["lost"]) == (corrupt, lost), bit
        assert corrupt or lost, bit


def _flip(data: bytes, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def _intact(whole: bytes, bit: int) -> list[dict[str, object]]:
    """The rows whose line the bit is not in. Newlines belong to no row but the last one: without it the line looks like
    one that is being written.
    """
    at, lines = bit // 8, whole.splitlines(keepends=True)
    found, start = [], 0
    for number, line in enumerate(lines):
        end = start + len(line) - (number < len(lines) - 1)
        if number and not start <= at < end:
            found.append(row(number - 1))
        start += len(line)
    return found
