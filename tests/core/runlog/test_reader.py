from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.errors import NotARun
from tracker.runlog.reader import last_step, read_header, read_lines, read_stream, scan, stream_paths
from tracker.runlog.records import MAX_LINE, encode, encode_points, parse


def log(step: int, time: float = 2.0, **row: object) -> bytes:
    return encode("log", row or {"x": step}, time, step)


def header(time: float = 1.0, **members: object) -> bytes:
    return encode("run", {"version": 1, "id": "a1", "entity": "me", "project": "p", **members}, time)


def run_directory(path: Path, **streams: bytes) -> Path:
    """`streams`: content by the name of the stream without its extension, with `_` for `-`."""
    path.mkdir(exist_ok=True)
    for name, content in streams.items():
        (path / f"{name.replace('_', '-', 1)}.jsonl").write_bytes(content)
    return path


def everything(path: Path, block: int) -> tuple[list[int | None], int]:
    parts = list(read_stream(path, block=block))
    return [r.step for part in parts for r in part.records], sum(part.corrupt for part in parts)


def test_blocks_of_any_size_give_the_whole_stream(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"".join(log(i, text="a" * (i % 7 * 20)) for i in range(40)) + b'{"c":"torn')
    for block in (1, 2, 63, 64, 65, 100, 1000, 1 << 20):
        assert everything(path, block) == (list(range(40)), 0)


def test_reading_can_start_at_the_beginning_of_any_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    lines = [log(i) for i in range(5)]
    path.write_bytes(b"".join(lines))
    offset = len(lines[0]) + len(lines[1])
    assert [r.step for part in read_stream(path, offset) for r in part.records] == [2, 3, 4]


def test_a_line_without_an_end_is_corrupt_and_later_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with path.open("wb") as file:
        file.write(log(0))
        file.seek(5 * MAX_LINE)
        file.write(b"\n" + log(1))
    steps, corrupt = everything(path, 1 << 20)
    assert steps == [0, 1]
    assert corrupt >= 1


def test_read_lines_returns_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"aaaa\nbb\ncccccc")
    fd = os.open(path, os.O_RDONLY)
    try:
        assert read_lines(fd, 0, 6) == b"aaaa\n"
        assert read_lines(fd, 0, 2) in (b"aaaa\n", b"aaaa\nbb\n")  # never empty while there is a whole line
        assert read_lines(fd, 5, 100) == b"bb\n"
        assert read_lines(fd, 8, 100) == b""
        assert read_lines(fd, 99, 100) == b""
    finally:
        os.close(fd)


def test_streams_are_read_in_the_order_of_their_first_lines(tmp_path: Path) -> None:
    run = run_directory(tmp_path / "r", history_b=header(1.0), history_a=header(2.0), system_c=header(0.5))
    (run / "history-notes.txt").write_text("none of ours")
    assert [p.name for p in stream_paths(run)] == ["system-c.jsonl", "history-b.jsonl", "history-a.jsonl"]
    assert [p.name for p in stream_paths(run, "history")] == ["history-b.jsonl", "history-a.jsonl"]


def test_the_header_is_found_after_damaged_lines_and_in_other_streams(tmp_path: Path) -> None:
    first = run_directory(tmp_path / "first", history_a=b"damaged\n" + header())
    other = run_directory(tmp_path / "other", history_a=b"damaged\n", history_b=header())
    agent = run_directory(tmp_path / "agent", history_a=b"damaged\n", system_c=header())
    assert read_header(first)["id"] == read_header(other)["id"] == read_header(agent)["id"] == "a1"


def test_without_a_header_the_id_is_the_name_of_the_directory(tmp_path: Path) -> None:
    run = run_directory(tmp_path / "old run.bak", history=b"damaged\n" + log(1))
    assert read_header(run)["id"] == "old-run-bak"


def test_a_directory_without_a_run_is_an_error_that_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match="not a directory"):
        read_header(tmp_path / "missing")
    with pytest.raises(NotARun, match="is not a run directory"):
        read_header(tmp_path)


@pytest.mark.parametrize("version", [2, "1", None, 0])
def test_another_version_of_the_format_in_any_stream_is_refused(tmp_path: Path, version: object) -> None:
    run = run_directory(tmp_path / "r", history_a=header(), history_b=header(2.0, version=version))
    with pytest.raises(NotARun, match="install a newer"):
        read_header(run)


@pytest.mark.parametrize(
    "names",
    [
        {"id": "../../etc"},
        {"id": "a b"},
        {"id": None},
        {"id": 5},
        {"entity": ".hidden"},
        {"project": "a/b"},
        {"project": ""},
    ],
)
def test_names_that_no_run_may_have_are_refused(tmp_path: Path, names: dict[str, object]) -> None:
    with pytest.raises(NotARun, match="does not allow"):
        read_header(run_directory(tmp_path / "r", history=header(**names)))  # type: ignore[arg-type]


KINDS = ("run", "config", "finish")
any_line = st.one_of(
    st.integers(0, 9).map(log),
    st.just(header()),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(
        lambda text: encode("config", {"text": text}, 1.5)
    ),
    st.just(encode("config", {"like a line": 'x "run":{} \n{"c":"00000000","t":1,"run":{}}'}, 1.5)),
    st.just(encode("finish", {"state": "finished"}, 3.0)),
    st.sampled_from([b"\n", b"damage\n", log(3)[:20] + b"\n", log(3)[:-1] + b"!", log(4)[:30]]),
)


@settings(max_examples=300)
@given(st.lists(any_line, max_size=12))
def test_scanning_for_kinds_finds_what_parsing_finds(lines: list[bytes]) -> None:
    data = b"".join(lines)
    assert scan(data, KINDS) == [r for r in parse(data).records if r.kind in KINDS]


def test_the_last_step_is_that_of_the_last_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(header())
    assert last_step(path) is None
    path.write_bytes(header() + log(7) + log(3) + encode("finish", {}, 3.0) + log(9)[:-5])
    assert last_step(path) == 3
    path.write_bytes(header() + log(7) + encode_points(["a"], [0, 0], [2.0, 3.0], [8, 5], [1.0, 2.0]))
    assert last_step(path) == 5


def test_the_last_step_is_found_before_the_hole_of_a_power_cut(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(header() + log(7) + log(9)[:-5])
    os.truncate(path, 5 * 1024**2)
    assert last_step(path) == 7
    os.truncate(path, 50 * 1024**3)
    assert last_step(path) is None  # reading all of that would take too long


def test_the_last_step_of_a_large_stream_is_found_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with path.open("wb") as file:
        file.truncate(50 * 1024**3)  # a hole: reading all of it would take too long
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + log(12))
    assert last_step(path) == 12
