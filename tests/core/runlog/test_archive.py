"""Test runs in one file: complete, verified, and never trusted."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tracker.errors import NotARun, TrackerError
from tracker.runlog import archive
from tracker.runlog.archive import Archive, pack
from tracker.runlog.directory import store
from tracker.runlog.records import encode

RUN = "me/digits/k3"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Make a run directory with every kind of file."""
    made = tmp_path / "run"
    (made / "files").mkdir(parents=True)
    (made / "history-ab.jsonl").write_bytes(encode("run", {"version": 1, "id": "k3"}, 1.0) + b'{"c":"torn')
    (made / "system.jsonl").write_bytes(encode("run", {"version": 1, "id": "k3"}, 1.0))
    store(str(made), b"media")
    (made / "files/save-x1").write_bytes(b"weights")
    (made / "local").mkdir()
    (made / "local/diff.patch").write_text("private")
    (made / "agent.log").write_text("private")
    (made / "files/half.part").write_text("private")
    return made


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_an_unpacked_run_is_identical_except_for_files_that_stay_on_its_machine(
    directory: Path, tmp_path: Path
) -> None:
    (packed,) = pack(tmp_path / "x.zip", [(RUN, directory)])
    assert packed.left_out == {}
    with Archive(tmp_path / "x.zip") as opened:
        assert list(opened.runs) == [RUN]
        opened.extract(RUN, tmp_path / "out")
    kept = {n: c for n, c in contents(directory).items() if b"private" not in c}
    assert contents(tmp_path / "out") == kept
    assert zipfile.ZipFile(tmp_path / "x.zip").testzip() is None


def test_damaged_files_and_links_are_left_out_and_named(directory: Path, tmp_path: Path) -> None:
    (digest,) = (p.name for p in (directory / "files").iterdir() if len(p.name) == 64)
    (directory / "files" / digest).write_bytes(b"medio")
    (tmp_path / "secret").write_text("secret")
    (directory / "files/save-link").symlink_to(tmp_path / "secret")
    (directory / "history-link.jsonl").symlink_to(tmp_path / "secret")
    (packed,) = pack(tmp_path / "x.zip", [(RUN, directory)])
    assert set(packed.left_out) == {f"files/{digest}", "files/save-link", "history-link.jsonl"}
    assert b"secret" not in (tmp_path / "x.zip").read_bytes()


def test_an_existing_file_is_not_overwritten_and_a_failure_leaves_no_file(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("mine")
    with pytest.raises(FileExistsError, match="name another"):
        pack(tmp_path / "x.zip", [(RUN, directory)])
    with pytest.raises(TrackerError, match="comes twice"):
        pack(tmp_path / "y.zip", [(RUN, directory), (RUN, directory)])
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["x.zip"]


# -- forged and damaged files ------------------------------------------------------------------------------------------

Forge = Callable[..., Path]


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """Make a file with these members, and a list of them, by default a true one."""

    def make(
        members: dict[str, bytes], run: dict[str, Any] | None = None, kind: int = zipfile.ZIP_DEFLATED, **claims: Any
    ) -> Path:
        target = tmp_path / "forged.zip"
        about = {"entity": "me", "project": "digits", "id": "k3", **(run or {})}
        prefix = f"{about['entity']}/{about['project']}/{about['id']}"
        files = [
            {"name": n, "size": len(c), "sha256": hashlib.sha256(c).hexdigest(), **claims} for n, c in members.items()
        ]
        with zipfile.ZipFile(target, "w", kind) as made:
            for name, content in members.items():
                made.writestr(f"{prefix}/{name}", content)
            made.writestr("tracker.json", orjson.dumps({"version": 1, "runs": [{**about, "files": files}]}))
        return target

    return make


LINES = {"history.jsonl": encode("run", {"version": 1, "id": "k3"}, 1.0)}


def test_a_well_formed_forgery_is_accepted(forge: Forge, tmp_path: Path) -> None:
    with Archive(forge(LINES)) as opened:
        opened.extract(RUN, tmp_path / "out")
    assert contents(tmp_path / "out") == LINES


@pytest.mark.parametrize(
    "name",
    [
        "../history.jsonl",
        "/etc/cron.d/x",
        "files/../../x",
        "files/a/b",
        "files/.x",
        "local/x",
        "x",
        "history-../x.jsonl",
        "",
    ],
)
def test_invalid_file_names_are_refused(forge: Forge, name: str) -> None:
    with pytest.raises(TrackerError, match="not a file of a run"):
        Archive(forge({**LINES, name: b"x"}))


@pytest.mark.parametrize("run", [{"id": ".."}, {"entity": ".."}, {"project": "a/b"}, {"id": "../../x"}, {"id": ""}])
def test_runs_with_impossible_names_are_refused(forge: Forge, run: dict[str, str]) -> None:
    with pytest.raises(TrackerError, match="not a name that a run can have"):
        Archive(forge(LINES, run))


def test_content_that_differs_from_the_list_or_its_name_is_refused(forge: Forge, tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match="another content than its name says"):
        Archive(forge({f"files/{'0' * 64}": b"x"}))
    with pytest.raises(TrackerError, match="another size than the list says"):
        Archive(forge(LINES, size=3))
    with (
        Archive(forge(LINES, sha256="0" * 64)) as opened,
        pytest.raises(TrackerError, match="another content than the list says"),
    ):
        opened.extract(RUN, tmp_path / "out")


@pytest.mark.parametrize("claims", [{"size": -1}, {"size": "1"}, {"sha256": "../x"}, {"sha256": None}, {"name": None}])
def test_malformed_lists_are_refused(forge: Forge, claims: dict[str, Any]) -> None:
    with pytest.raises(TrackerError, match="damaged"):
        Archive(forge(LINES, **claims))


def test_members_that_the_list_does_not_name_and_files_without_a_list_are_refused(forge: Forge) -> None:
    path = forge(LINES)
    with zipfile.ZipFile(path, "a") as made:
        made.writestr("setup.py", "x")
    with pytest.raises(TrackerError, match="but not both"):
        Archive(path)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("setup.py", "x")
    with pytest.raises(NotARun, match="tracker export"):
        Archive(path)


def test_a_later_version_is_reported(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        made.writestr("tracker.json", b'{"version": 2, "runs": []}')
    with pytest.raises(TrackerError, match="install a newer"):
        Archive(tmp_path / "x.zip")


def test_an_archive_that_would_fill_the_disk_is_refused(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bomb = forge({"history.jsonl": bytes(50_000_000)})
    assert bomb.stat().st_size < 60_000
    monkeypatch.setattr(archive, "_SMALL", 1 << 20)
    with pytest.raises(TrackerError, match="would grow to 50,000"):
        Archive(bomb)
    monkeypatch.setattr(archive, "_SPARE", 1 << 60)
    with Archive(forge(LINES)) as opened, pytest.raises(TrackerError, match="MiB free"):
        opened.extract(RUN, tmp_path / "out")


def test_members_that_share_their_bytes_are_refused(forge: Forge) -> None:
    path = forge({"history-a.jsonl": bytes(100_000), "history-b.jsonl": bytes(100_000)}, kind=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path) as made:
        infos = {info.filename: info for info in made.infolist()}
    with zipfile.ZipFile(path.with_name("overlap.zip"), "w") as made:
        made.writestr(infos["me/digits/k3/history-a.jsonl"], bytes(100_000))
        made.writestr("tracker.json", zipfile.ZipFile(path).read("tracker.json"))
        twin = zipfile.ZipInfo("me/digits/k3/history-b.jsonl")
        first = made.filelist[0]
        twin.header_offset, twin.CRC = first.header_offset, first.CRC
        twin.file_size, twin.compress_size = first.file_size, first.compress_size
        made.filelist.append(twin)
        made.NameToInfo[twin.filename] = twin
    with pytest.raises(TrackerError, match="overlap"):
        Archive(path.with_name("overlap.zip"))


def test_an_archive_cut_or_changed_anywhere_is_refused_or_correct(directory: Path, tmp_path: Path) -> None:
    pack(tmp_path / "x.zip", [(RUN, directory)])
    whole = (tmp_path / "x.zip").read_bytes()
    kept = {n: c for n, c in contents(directory).items() if b"private" not in c}
    damaged = [whole[:cut] for cut in range(0, len(whole), 37)]
    damaged += [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
    refused = 0
    for number, data in enumerate(damaged):
        path, out = tmp_path / "damaged.zip", tmp_path / "out" / str(number)
        path.write_bytes(data)
        try:
            with Archive(path) as opened:
                (run,) = opened.runs
                opened.extract(run, out)
        except TrackerError:
            refused += 1
        else:
            assert contents(out) == kept
    assert refused > len(damaged) / 2
