"""Pack runs into one zip file, and unpack them.

The members are `<entity>/<project>/<id>/<stream>` and `<entity>/<project>/<id>/files/<name>`. The last one,
`tracker.json`, is `{"version": 1, "runs": [{"entity", "project", "id", "files": [{"name", "size", "sha256"}]}]}`. Files
that stay on their machine are not in it: `local/`, locks, the agent's log.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from tracker.errors import NotARun, TrackerError
from tracker.machine.atomic_files import draft_of
from tracker.names import is_project_name

from .directory import KEPT_PATH
from .records import DIGEST, RUN_ID, STREAM_NAME
from .safe_open import names_in, open_file

VERSION = 1

_LIST = "tracker.json"
_PIECE = 1 << 20
_MOST_LIST = 256 << 20  # bytes of the list of members
_MOST_RATIO = 250  # lines do not compress better; a file that does may be made to fill a disk
_SMALL = 1 << 30  # bytes that any disk has room for, whatever the ratio
_SPARE = 256 << 20  # bytes that must stay free
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)
"""The errors that zipfile raises for damaged files."""


class Entry(NamedTuple):
    """One file of a run: its path in the run directory, its size in bytes, and the sha256 of its content in hex."""

    name: str
    size: int
    sha256: str


class Packed(NamedTuple):
    """A run in an archive: `entity/project/id`, its files, and the reasons why others were left out, by name."""

    run: str
    entries: list[Entry]
    left_out: dict[str, str]


def pack(target: Path, runs: Iterable[tuple[str, Path]]) -> list[Packed]:
    """Write runs (`entity/project/id` and directory each) to a new file, which appears whole or not at all.

    Streams and files that grow meanwhile are packed as they are when their turn comes. Raises `TrackerError` if a run
    is given twice, FileExistsError if `target` exists, and OSError.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already; name another file, or remove it")
    packed: dict[str, Packed] = {}
    with draft_of(target) as draft, zipfile.ZipFile(draft, "x", allowZip64=True) as archive:
        for run, directory in runs:
            if run in packed:
                raise TrackerError(f"{run} comes twice, the second time from {directory}: export each to its file")
            packed[run] = _pack_run(archive, run, directory)
        archive.writestr(_LIST, orjson.dumps(_list(packed.values())), zipfile.ZIP_DEFLATED)
    return list(packed.values())


def _pack_run(archive: zipfile.ZipFile, run: str, directory: Path) -> Packed:
    packed = Packed(run, [], {})
    for name in _names(directory):
        try:
            source = open_file(directory, name)
        except OSError as error:
            packed.left_out[name] = error.strerror or str(error)
            continue
        with open(source, "rb") as file:
            about = os.fstat(source)
            if DIGEST.fullmatch(name[6:]) and _sha256(file, about.st_size) != name[6:]:
                packed.left_out[name] = "damaged: its content is not what its digest says"
            else:
                packed.entries.append(_pack_file(archive, run, name, file, about.st_size))
    return packed


def _names(directory: Path) -> Iterator[str]:
    yield from sorted(name for name in os.listdir(directory) if STREAM_NAME.fullmatch(name))
    yield from sorted(
        name for name in (f"files/{one}" for one in names_in(directory, "files")) if KEPT_PATH.fullmatch(name)
    )


def _pack_file(archive: zipfile.ZipFile, run: str, name: str, file: IO[bytes], size: int) -> Entry:
    entry = zipfile.ZipInfo(f"{run}/{name}")
    # Lines shrink to a fifth. Most of files/ is compressed already, and may be very large.
    entry.compress_type = zipfile.ZIP_STORED if name.startswith("files/") else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.file_size = size
    sha, remaining = hashlib.sha256(), size
    with archive.open(entry, "w", force_zip64=size >= 1 << 31) as target:
        file.seek(0)
        while remaining > 0 and (piece := file.read(min(remaining, _PIECE))):
            sha.update(piece)
            target.write(piece)
            remaining -= len(piece)
    return Entry(name, size - remaining, sha.hexdigest())


def _sha256(file: IO[bytes], size: int) -> str:
    sha, remaining = hashlib.sha256(), size
    while remaining > 0 and (piece := file.read(min(remaining, _PIECE))):
        sha.update(piece)
        remaining -= len(piece)
    return sha.hexdigest()


def _list(packed: Iterable[Packed]) -> dict[str, Any]:
    runs = []
    for one in packed:
        entity, project, run_id = one.run.split("/")
        files = [entry._asdict() for entry in one.entries]
        runs.append({"entity": entity, "project": project, "id": run_id, "files": files})
    return {"version": VERSION, "runs": runs}


class Archive:
    """Read a file that `pack` wrote, or one that looks like it: nothing in it is trusted.

    Opening it reads only the list. Raises `NotARun` for another kind of file. Raises `TrackerError` for a file that is
    damaged, of a later version, or not made by `pack`: it has names outside of a run directory, members that are not in
    the list, or members that would grow out of proportion.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _BROKEN:
            raise NotARun(f"{path} was not written by `tracker export`, or is cut off") from None
        try:
            self._members = self._take_members()
            self._runs = self._take_list()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def runs(self) -> dict[str, list[Entry]]:
        """The files of each run, by `entity/project/id`."""
        return self._runs

    def extract(self, run: str, directory: Path) -> None:
        """Write a run to a new directory and verify each file.

        Raises `TrackerError` if the archive is damaged or the disk has no room, and OSError. The caller removes what
        was written.
        """
        entries = self._runs[run]
        directory.mkdir(parents=True)
        size, free = sum(entry.size for entry in entries), shutil.disk_usage(directory).free
        if size + _SPARE > free:
            raise TrackerError(f"{run} takes {size >> 20:,} MiB, and {directory} has {free >> 20:,} MiB free")
        (directory / "files").mkdir()
        for entry in entries:
            self._extract(self._members[f"{run}/{entry.name}"], entry, directory / entry.name)

    def _extract(self, member: zipfile.ZipInfo, entry: Entry, target: Path) -> None:
        sha, size = hashlib.sha256(), 0
        try:
            with self._zip.open(member) as source, target.open("xb") as file:
                while piece := source.read(_PIECE):
                    size += len(piece)
                    if size > entry.size:
                        break
                    sha.update(piece)
                    file.write(piece)
        except _BROKEN as error:
            raise self._damaged(f"{member.filename}: {error}") from None
        if size != entry.size or sha.hexdigest() != entry.sha256:
            raise self._damaged(f"{member.filename} has another content than the list says")

    def _take_members(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            if member.filename in members:
                raise self._damaged(f"it has {member.filename!r} twice")
            if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self._damaged(f"{member.filename!r} is encrypted or compressed in another way")
            members[member.filename] = member
        total, packed = sum(member.file_size for member in members.values()), self._path.stat().st_size
        if sum(member.compress_size for member in members.values()) > packed:
            raise self._damaged("its members overlap")  # a way to make few bytes grow to many
        if total > _SMALL and total > _MOST_RATIO * packed:
            raise self._damaged(f"its {packed:,} bytes would grow to {total:,}")
        return members

    def _take_list(self) -> dict[str, list[Entry]]:
        member = self._members.pop(_LIST, None)
        if member is None:
            raise NotARun(f"{self._path} was not written by `tracker export`: there is no {_LIST} in it")
        if member.file_size > _MOST_LIST:
            raise self._damaged("its list of files is too long")
        try:
            with self._zip.open(member) as file:
                listed = orjson.loads(file.read(_MOST_LIST))
            if listed["version"] != VERSION:
                raise TrackerError(
                    f"{self._path} was written in version {listed['version']} of the format; this tracker reads "
                    f"version {VERSION}: install a newer tracker-runs"
                )
            runs = dict(self._checked(run) for run in listed["runs"])
        except (*_BROKEN, KeyError, TypeError) as error:
            raise self._damaged(f"its list of files cannot be read ({error})") from None
        named = {f"{run}/{entry.name}": entry for run, entries in runs.items() for entry in entries}
        if named.keys() != self._members.keys():
            odd = next(iter(named.keys() ^ self._members.keys()))
            raise self._damaged(f"{odd!r} is either a member or in the list, but not both")
        for name, entry in named.items():
            if self._members[name].file_size != entry.size:
                raise self._damaged(f"{name} has another size than the list says")
        return runs

    def _checked(self, run: dict[str, Any]) -> tuple[str, list[Entry]]:
        names = (run["entity"], is_project_name), (run["project"], is_project_name), (run["id"], RUN_ID.fullmatch)
        entries = [Entry(file["name"], file["size"], file["sha256"]) for file in run["files"]]
        for name, allowed in names:
            if not allowed(name):
                raise self._damaged(f"{name!r} is not a name that a run can have")
        for name, size, digest in entries:
            # No path that matches these patterns leads out of a run directory.
            if not (STREAM_NAME.fullmatch(name) or KEPT_PATH.fullmatch(name)):
                raise self._damaged(f"{name!r} is not a file of a run")
            if type(size) is not int or size < 0 or not DIGEST.fullmatch(digest):
                raise self._damaged(f"{name} has an impossible size or digest")
            if DIGEST.fullmatch(name[6:]) and name[6:] != digest:
                raise self._damaged(f"{name} has another content than its name says")
        return "/".join(name for name, _ in names), entries

    def _damaged(self, what: str) -> TrackerError:
        return TrackerError(f"{self._path} is damaged, or was not made by `tracker export`: {what}")
