"""Files that come from elsewhere: they appear whole and verified, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import TrackerError
from tracker.names import random_id


@contextmanager
def arriving(target: Path, digest: str, most: int | None = None) -> Iterator[Callable[[bytes], None]]:
    """Yield what takes the pieces of a file; when the block ends, the file is at `target`.

    It is written beside `target`, under a name that nobody else uses. Raises `TrackerError` if the sha256 of what was
    taken is not `digest`, and at once if there are more than `most` bytes of it. After any error nothing is left, and a
    former file at `target` is as it was.
    """
    part = target.with_name(f".{random_id(12)}.part")
    sha = hashlib.sha256()
    left = float("inf") if most is None else most
    try:
        with part.open("xb") as file:

            def take(piece: bytes) -> None:
                nonlocal left
                left -= len(piece)
                if left < 0:
                    raise TrackerError(
                        f"{target.name} is not what was saved: there is more of it, and it is not written"
                    )
                sha.update(piece)
                file.write(piece)

            yield take
        if sha.hexdigest() != digest:
            raise TrackerError(
                f"{target.name} is not what was saved (its sha256 is {sha.hexdigest()}, not {digest}): "
                "it was changed or damaged since, and is not written"
            )
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
