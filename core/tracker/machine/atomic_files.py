"""Write files that appear whole or not at all, with their rights from the first byte.

A draft is written beside the target, under a name that nobody else uses, and then takes the target's place. An error
leaves no draft, and does not change a former file at the target. Run directories may come from someone else: files in
them are written with `tracker.runlog.safe_open` instead, which follows no links.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import TrackerError
from tracker.random_names import random_id

SECRET = 0o600
"""Rights of files that only their owner may read."""
_USUAL = 0o666  # less the bits of the umask


@contextmanager
def draft_of(target: Path, folder: Path | None = None) -> Iterator[Path]:
    """Yield a path for a draft, which does not exist yet; when the block ends, the draft replaces `target`.

    The draft is in `folder`, by default that of `target`; both are on one file system.
    """
    draft = (folder or target.parent) / f".{random_id(12)}.part"
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_whole(target: Path, content: bytes, mode: int = _USUAL, folder: Path | None = None) -> None:
    """Write a file, and replace an existing one. Raises OSError.

    Args:
        target: The file.
        content: Its whole content.
        mode: Its rights; the umask applies.
        folder: Where the draft is written, by default beside `target`.
    """
    with draft_of(target, folder) as draft:
        _write(draft, content, mode)


def write_first(target: Path, content: bytes, mode: int = _USUAL) -> bool:
    """Write a file unless it exists, even if another process makes it at this moment; tell whether it was written.

    Raises OSError.
    """
    draft = target.with_name(f".{random_id(12)}.part")
    try:
        _write(draft, content, mode)
        os.link(draft, target)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


@contextmanager
def verified(target: Path, digest: str, most: int | None = None) -> Iterator[Callable[[bytes], None]]:
    """Yield a function that takes the pieces of a file; when the block ends, the file is at `target`.

    Raises `TrackerError` if the sha256 of the pieces is not `digest`, or as soon as they have more than `most` bytes.
    """
    sha = hashlib.sha256()
    remaining = float("inf") if most is None else most
    with draft_of(target) as draft:
        with draft.open("xb") as file:

            def take(piece: bytes) -> None:
                nonlocal remaining
                remaining -= len(piece)
                if remaining < 0:
                    raise TrackerError(f"{target.name} has more bytes than the file that was saved, and is not written")
                sha.update(piece)
                file.write(piece)

            yield take
        if sha.hexdigest() != digest:
            raise TrackerError(
                f"{target.name} is not the file that was saved (its sha256 is {sha.hexdigest()}, not {digest}): "
                "it was changed or damaged, and is not written"
            )


def _write(draft: Path, content: bytes, mode: int) -> None:
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
