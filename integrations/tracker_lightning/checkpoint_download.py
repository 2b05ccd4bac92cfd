"""Download checkpoints of a run, from a server or from its run directory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import tracker
from tracker.api import File, RunReader
from tracker.machine.atomic_files import draft_of
from tracker.runlog.directory import KEPT_PATH
from tracker.runlog.reader import read_header, read_stream, stream_paths
from tracker.runlog.safe_open import open_file, size_of
from tracker.settings import Settings

from .checkpoints import BEST, LATEST


def download(ref: str, root: str) -> str:
    """See `TrackerLogger.download_checkpoint`."""
    path, _, alias = ref.rpartition(":")
    if not path or ("/" in alias and os.path.isdir(ref)):
        path, alias = ref, "latest"
    directory = _run_directory(path)
    run: RunReader = tracker.Api().run(path) if directory is None else tracker.read_run(directory)
    wanted = str(run.summary.get({"latest": LATEST, "best": BEST}.get(alias, ""), alias))
    files = run.files() if directory is None else list(_saved_files(directory))
    found = [file for file in files if f"/{wanted}/" in f"/{file.name}/"]
    if not found:
        names = ", ".join(sorted(file.name for file in files)) or "none"
        raise FileNotFoundError(f"run {run.path} has no checkpoint {alias!r}; its files: {names}")
    for file in found:
        file.download(root, replace=True)
    name = found[0].name
    return os.path.join(root, name[: f"/{name}/".index(f"/{wanted}/") + len(wanted)])


def _run_directory(path: str) -> Path | None:
    """Return the run directory at `path`, or that of the run `entity/project/id` on this machine; else None."""
    if next(Path(path).glob("history*.jsonl"), None) is not None:
        return Path(path)
    settings = Settings()
    directory = Path(settings.dir or ".") / ".tracker" / "runs" / path.rpartition("/")[2]
    names = [settings.entity, *path.split("/")][-3:]
    if next(directory.glob("history*.jsonl"), None) is None:
        return None
    header = read_header(directory)
    return directory if [header.get(m) for m in ("entity", "project", "id")] == names else None


def _saved_files(directory: Path) -> Iterator[File]:
    """Yield the files saved in a run directory, including those that no agent has seen yet."""
    latest: dict[str, tuple[float, str]] = {}
    for stream in stream_paths(directory):
        for parsed in read_stream(stream):
            for record in parsed.records:
                if record.kind in ("save", "file") and KEPT_PATH.fullmatch(str(record.payload.get("path"))):
                    name, found = str(record.payload["name"]), (record.time, str(record.payload["path"]))
                    latest[name] = max(found, latest.get(name, found))
    for name, (_, kept) in latest.items():
        size = size_of(directory, kept)
        if size is not None:
            yield File(name, size, "", partial(_copy, directory, kept))


def _copy(directory: Path, kept: str, target: Path) -> None:
    with draft_of(target) as draft, open(open_file(directory, kept), "rb") as source, draft.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
