"""Export runs to a zip file, and import them from it."""

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
from .random_names import random_id
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
    """Write runs, from run directories or a server, to one new file.

    Raises `TrackerError` if a run is given twice, FileExistsError, OSError, and what `Api` raises; then no file is
    left.
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
    """Unpack the runs of a file that `export_runs` wrote to directories below `root` (`.tracker/runs`).

    If a run has a directory there, it gets the files that it lacks; so importing twice is the same as once.
    Raises `NotARun` if `file` was not exported, `TrackerError` if it is damaged or a run cannot be added to its
    directory, and OSError. The runs before it are then imported, and nothing of this run.
    """
    root.mkdir(parents=True, exist_ok=True)
    ignore(root.parent, f"{root.name}/")
    existing = dict(_directories(root))
    done = []
    with Archive(file) as archive:
        for run in archive.runs:
            # Beside `root`, where every directory counts as a run.
            with tempfile.TemporaryDirectory(prefix="import-", dir=root.parent) as folder:
                source = Path(folder, "run")
                archive.extract(run, source)
                if "/".join(read_key(source, "default", "uncategorized")) != run:
                    raise TrackerError(f"{file} is damaged: the run that it calls {run} is another run")
                if run in existing:
                    done.append(Imported(run, existing[run], _join(source, existing[run])))
                else:
                    done.append(Imported(run, _place(source, root, run.rpartition("/")[2]), True))
    return done


def _directories(root: Path) -> Iterator[tuple[str, Path]]:
    for directory in sorted(root.iterdir()):
        try:
            yield "/".join(read_key(directory, "default", "uncategorized")), directory
        except (NotARun, OSError):
            continue


def _place(source: Path, root: Path, run_id: str) -> Path:
    target = root / run_id
    if target.exists():  # a run of another project has that id
        target = root / f"{run_id}-{random_id(4)}"
    source.rename(target)
    return target


def _join(source: Path, target: Path) -> bool:
    """Move the files that `target` lacks of the same run there; tell whether there were any."""
    lacking = _lacking(source, target)
    if lacking and agent_alive(str(target)):
        raise TrackerError(f"the run in {target} has an agent at work; import it when the agent is done")
    if lacking and _rebuilt(source) != _rebuilt(target):
        raise TrackerError(
            f"of {target} and the file, one has the run as it was written and the other as a server knows it: together "
            "they would have every row twice. To import the file, remove the directory first"
        )
    for name in lacking:
        _move(source, target, name)
    return bool(lacking)


def _move(source: Path, target: Path, name: str) -> None:
    """Move a file of a run to another directory, without following links there."""
    *folders, last = name.split("/")
    folder = open_folder(target, *folders, make=True)
    try:
        os.replace(source / name, last, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _lacking(source: Path, target: Path) -> list[str]:
    """Return the files that `target` does not have, or of which it has only a beginning."""
    found = []
    for path in [*source.glob("files/*"), *stream_paths(source)]:  # a file before the lines that name it
        name = path.relative_to(source).as_posix()
        size, have = path.stat().st_size, size_of(target, name)
        if have is None and os.path.lexists(target / name):
            raise TrackerError(f"{target / name} is not a regular file; move it away to import the run")
        have = -1 if have is None else have
        if have > 0 and not _same(path, open_file(target, name), min(size, have)):
            raise TrackerError(f"{target / name} differs from the exported file; move it away to import the run")
        if size > have:
            found.append(name)
    return found


def _same(one: Path, other: int, size: int) -> bool:
    """Tell whether two files, one of them open, have the same first `size` bytes."""
    with one.open("rb") as a, open(other, "rb") as b:
        while size > 0:
            piece = min(size, 1 << 20)
            if a.read(piece) != b.read(piece):
                return False
            size -= piece
    return True


def _rebuilt(directory: Path) -> bool:
    return any(is_copy(path.name) for path in stream_paths(directory, "history"))
