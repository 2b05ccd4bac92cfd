"""Find and store the files next to event files: hyperparameters, data of the projector, profiles."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from google.protobuf import text_format
from tensorboard.plugins.projector import projector_config_pb2

from tracker.random_names import random_id

from .value_files import FOLDER

HYPERPARAMETERS = "hparams.yaml"
PROJECTOR = "projector_config.pbtxt"
LINK_SIZE = 16 * 2**20
"""Bytes of a file from which on it is hard-linked, if possible, instead of copied."""

_PROFILES = Path("plugins", "profile")
_MAX_CONFIG = 2**20
_READ_SIZE = 2**20


class CompanionFile(NamedTuple):
    """A file next to event files: its name among the files of the run, and its path."""

    name: str
    path: Path


def companion_files(directory: Path) -> list[CompanionFile]:
    """Return the files next to the event files in a directory that belong to their run, sorted by name.

    These are `hparams.yaml`, `projector_config.pbtxt` and the files that it names, `*.tsv`, and everything in
    `plugins/profile`. After links are resolved, only regular files in the directory count: a configuration from
    somebody else must not be able to import other files of this machine. Unreadable files and folders are left out.
    """
    if not _may_have_any(directory):
        return []
    root = directory.resolve()
    found: dict[str, Path] = {}
    for path in _candidates(directory):
        real = path.resolve()
        if real.is_relative_to(root) and real.is_file() and os.access(real, os.R_OK):
            relative = real.relative_to(root)
            if relative.is_relative_to(_PROFILES):
                name = f"{FOLDER}/profile/{relative.relative_to(_PROFILES).as_posix()}"
            elif path == directory / HYPERPARAMETERS:
                name = HYPERPARAMETERS
            else:
                name = f"{FOLDER}/projector/{relative.as_posix()}"
            found[os.fsencode(name).decode("utf-8", "replace")] = real
    return [CompanionFile(name, path) for name, path in sorted(found.items())]


def store_file(run_directory: Path, path: Path) -> tuple[str, int]:
    """Store a file in the run directory as `files/<sha256>`, and return its digest and size. Raises OSError.

    It is read in blocks. A large file is hard-linked, to save space. Others are copied, since their writer may
    overwrite them.
    """
    digest, size = _digest(path)
    target = run_directory / "files" / digest
    if target.exists():
        return digest, size
    part = target.with_name(f"{digest}.{random_id()}")
    try:
        _link_or_copy(path, part, size)
        digest, size = _digest(part)  # of the stored content, since the file may have changed meanwhile
        part.replace(target.with_name(digest))
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return digest, size


def _may_have_any(directory: Path) -> bool:
    """Tell quickly whether `_candidates` may find anything in a directory. In most it does not."""
    try:
        names = os.listdir(directory)
    except OSError:
        return False
    return any(name in (HYPERPARAMETERS, PROJECTOR, _PROFILES.parts[0]) or name.endswith(".tsv") for name in names)


def _candidates(directory: Path) -> Iterator[Path]:
    yield directory / HYPERPARAMETERS
    yield directory / PROJECTOR
    yield from sorted(path for path in directory.glob("*.tsv"))
    for name in _projector_paths(directory / PROJECTOR):
        yield directory / name
    for folder, _, names in os.walk(directory / _PROFILES):
        for name in sorted(names):
            yield Path(folder, name)


def _projector_paths(path: Path) -> Iterator[str]:
    """Yield the paths in a configuration of the projector; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CONFIG)
        config = text_format.Parse(content, projector_config_pb2.ProjectorConfig())
    except (OSError, text_format.ParseError, UnicodeDecodeError):
        return
    for embedding in config.embeddings:
        for name in (
            embedding.tensor_path,
            embedding.metadata_path,
            embedding.bookmarks_path,
            embedding.sprite.image_path,
        ):
            if name and "\0" not in name:
                yield name


def _digest(path: Path) -> tuple[str, int]:
    hasher, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_READ_SIZE):
            hasher.update(block)
            size += len(block)
    return hasher.hexdigest(), size


def _link_or_copy(path: Path, target: Path, size: int) -> None:
    target.parent.mkdir(exist_ok=True)
    if size >= LINK_SIZE:
        try:
            os.link(path, target)
            return
        except OSError:
            pass  # another file system, or one without links
    shutil.copyfile(path, target)
