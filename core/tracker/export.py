"""Carry runs around: put them into one file, and take them out of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from .api import LocalRun, RemoteRun, RunReader
from .api.rebuild import rebuild
from .errors import NotARun, TrackerError
from .names import random_id
from .runlog.archive import Archive, Packed, pack
from .runlog.directory import agent_alive, is_copy
from .runlog.reader import read_key, stream_paths
from .runlog.safe_open import ignore, open_file, open_folder, size_of


class Exported(NamedTuple):
    """A run that was exported, and the names or digests of contents that the server lacks."""

    packed: Packed
    missing: list[str]


class Imported(NamedTuple):
    """A run that was imported: `entity/project/id`, its directory, and whether anything of it was new."""

    run: str
    directory: Path
    new: bool


def export_runs(target: Path, runs: Iterable[RunReader]) -> list[Exported]:
    """Write runs, from run directories or a server, to one file. Raises FileExistsError, OSError, and `TrackerError` if
    one comes twice, or what `Api` raises; then there is no file.
    """
    missing: dict[str, list[str]] = {}
    with ExitStack() as stack:

        def directories() -> Iterator[tuple[str, Path]]:
            for run in runs:
                if isinstance(run, LocalRun):
                    yield run.path, run.directory
                elif isinstance(run, RemoteRun):
                    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-"))
                    missing[run.path] = rebuild(run, Path(folder, "run"))
                    yield run.path, Path(folder, "run")

        packed = pack(target, directories())
    return [Exported(one, missing.get(one.run, [])) for one in packed]


def import_runs(file: Path, root: Path) -> list[Imported]:
    """Put the runs of a file that `export_runs` wrote into directories below `root` (`.tracker/runs`).

    Of a run that has a directory there, that directory gets what it lacks: importing twice is the same as once. Raises
    `NotARun` or `TrackerError` for a file that is no such file or damaged, or if a run cannot be joined with what is
    there, OSError; the runs before it are then imported, and of itself nothing.
    """
    root.mkdir(parents=True, exist_ok=True)
    ignore(root.parent, f"{root.name}/")
    there = dict(_directories(root))
    done = []
    with Archive(file) as archive:
        for run in archive.runs:
            # Beside `root`, since all that is in it is taken for a run.
            with tempfile.TemporaryDirectory(prefix="import-", dir=root.parent) as folder:
                source = Path(folder, "run")
                archive.extract(run, source)
                if "/".join(read_key(source, "default", "uncategorized")) != run:
                    raise TrackerError(f"{file} is damaged: what is called {run} in it is another run")
                if run in there:
                    done.append(Imported(run, there[run], _join(source, there[run])))
                else:
                    done.append(Imported(run, _settle(source, root, run.rpartition("/")[2]), True))
    return done


def _directories(root: Path) -> Iterator[tuple[str, Path]]:
    for directory in sorted(root.iterdir()):
        try:
            yield "/".join(read_key(directory, "default", "uncategorized")), directory
        except (NotARun, OSError):
            continue


def _settle(source: Path, root: Path, run_id: str) -> Path:
    target = root / run_id
    if target.exists():  # a run of another project has that id
        target = root / f"{run_id}-{random_id(4)}"
    source.rename(target)
    return target


def _join(source: Path, target: Path) -> bool:
    """Move what `target` lacks of the same run there; tell whether there was anything."""
    lacking = _lacking(source, target)
    if lacking and agent_alive(str(target)):
        raise TrackerError(f"the run in {target} is still at work; import it when that is over")
    if lacking and _rebuilt(source) != _rebuilt(target):
        raise TrackerError(
            f"{target} is that run as it was written, and the file has it as a server knows it, or the other way "
            "round: together they would have all of it twice. Remove the directory, or leave it as it is"
        )
    for name in lacking:
        _move(source, target, name)
    return bool(lacking)


def _move(source: Path, target: Path, name: str) -> None:
    """Move a file of a run to another directory, with links on the way leading nowhere."""
    *folders, last = name.split("/")
    folder = open_folder(target, *folders, make=True)
    try:
        os.replace(source / name, last, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _lacking(source: Path, target: Path) -> list[str]:
    """Return the files that `target` does not have, or of which it has a beginning only."""
    found = []
    for path in [*source.glob("files/*"), *stream_paths(source)]:  # lines that name a file after the file
        name = path.relative_to(source).as_posix()
        size, have = path.stat().st_size, size_of(target, name)
        if have is None and os.path.lexists(target / name):
            raise TrackerError(f"{target / name} is a link, or no regular file; move it away to import the run")
        have = -1 if have is None else have
        if have > 0 and not _same(path, open_file(target, name), min(size, have)):
            raise TrackerError(f"{target / name} differs from what is in the file; move it away to import the run")
        if size > have:
            found.append(name)
    return found


def _same(one: Path, other: int, size: int) -> bool:
    """Tell whether two files, one of them open, begin with the same so many bytes."""
    with one.open("rb") as a, open(other, "rb") as b:
        while size > 0:
            piece = min(size, 1 << 20)
            if a.read(piece) != b.read(piece):
                return False
            size -= piece
    return True


def _rebuilt(directory: Path) -> bool:
    return any(is_copy(path.name) for path in stream_paths(directory, "history"))
