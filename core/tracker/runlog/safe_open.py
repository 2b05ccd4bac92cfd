"""Open files of a directory that may come from someone else.

A name leads to a regular file below the directory, or to an error. Links, pipes and devices are refused, as
the file and as folders on its path, even if they replace a file at this moment. Nothing here waits for another process.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import IO

MOST_HOLES = 1 << 30
"""The most bytes in holes of a stream. Lines have no such bytes, and reading them would take hours."""

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


class Unsafe(OSError):
    """The name leads to a link, or to something else that is not a regular file."""


def open_folder(directory: str | os.PathLike[str], *names: str, make: bool = False) -> int:
    """Return a descriptor of a directory, or of a folder below it.

    `make` creates missing folders. The directory itself may be a link, since the user named it. Raises `Unsafe` for
    links below it, or another OSError.
    """
    folder = os.open(directory, _FOLDER)
    for name in names:
        try:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=folder)
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise Unsafe(error.errno, "a link or a file stands for a folder", name) from None
            raise
        finally:
            os.close(folder)
        folder = inner
    return folder


def open_file(
    directory: str | os.PathLike[str], name: str, flags: int = os.O_RDONLY, mode: int = 0o644, make: bool = False
) -> int:
    """Return a descriptor of a regular file below a directory.

    Args:
        directory: The directory.
        name: The name of the file, with `/` between folders.
        flags: Flags of `os.open`.
        mode: The rights of a file that is created.
        make: Create missing folders.

    Raises `Unsafe` or another OSError.
    """
    *folders, last = _parts(name)
    folder = open_folder(directory, *folders, make=make)
    try:
        about = _status(folder, last)
        if about is not None and not stat.S_ISREG(about.st_mode):  # opening a device may have effects
            raise Unsafe(errno.ELOOP, "a link, or not a regular file", name)
        fd = os.open(last, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode, dir_fd=folder)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        raise Unsafe(errno.ELOOP, "a link, or not a regular file", name)
    finally:
        os.close(folder)


def open_stream(path: str | os.PathLike[str]) -> int:
    """Return a descriptor for reading a stream of a run directory.

    Raises what `open_file` raises, and `Unsafe` if more than `MOST_HOLES` bytes of it are holes.
    """
    directory, name = os.path.split(os.fspath(path))
    fd = open_file(directory or ".", name)
    about = os.fstat(fd)
    if about.st_size - about.st_blocks * 512 > MOST_HOLES and os.lseek(fd, 0, os.SEEK_HOLE) < about.st_size:
        os.close(fd)
        raise Unsafe(errno.EINVAL, "most of it is a hole", name)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def reading(path: str | os.PathLike[str]) -> IO[bytes]:
    """Return a stream of a run directory as a file object; see `open_stream`."""
    return open(open_stream(path), "rb")


def is_regular(directory: str | os.PathLike[str], name: str) -> bool:
    """Tell whether a regular file of this name is below a directory, with no link in its path."""
    return size_of(directory, name) is not None


def size_of(directory: str | os.PathLike[str], name: str) -> int | None:
    """Return the size in bytes of a regular file below a directory; None if there is none."""
    try:
        *folders, last = _parts(name)
        folder = open_folder(directory, *folders)
    except OSError:
        return None
    try:
        about = _status(folder, last)
    finally:
        os.close(folder)
    return about.st_size if about is not None and stat.S_ISREG(about.st_mode) else None


def names_in(directory: str | os.PathLike[str], folder: str) -> list[str]:
    """Return the names in a folder of a directory; [] if there is no such folder, or a link in its place."""
    try:
        fd = open_folder(directory, folder)
    except OSError:
        return []
    try:
        # The descriptor of `open_folder` cannot be read from (O_PATH).
        inner = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
        try:
            return os.listdir(inner)
        finally:
            os.close(inner)
    except OSError:
        return []
    finally:
        os.close(fd)


def sync_names(directory: str | os.PathLike[str], *names: str) -> None:
    """Flush the names in a directory, or in a folder below it, to disk, if the file system can do that.

    Flushing a file is not enough to survive a power cut: its name belongs to the folder.
    """
    with contextlib.suppress(OSError):
        fd = open_folder(directory, *names)
        try:
            inner = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
            try:
                os.fsync(inner)
            finally:
                os.close(inner)
        finally:
            os.close(fd)


def is_whole(fd: int, size: int) -> bool:
    """Tell whether an open file has its first `size` bytes without a hole, as far as the file system says.

    A file that was not flushed before a power cut may be short, or have holes where bytes were written.
    """
    if os.fstat(fd).st_size < size:
        return False
    try:
        return os.lseek(fd, 0, os.SEEK_HOLE) >= size
    except OSError:  # an empty file, or a file system that does not say
        return True
    finally:
        os.lseek(fd, 0, os.SEEK_SET)


def write_new(directory: str | os.PathLike[str], name: str, content: bytes, mode: int = 0o644) -> None:
    """Write a new file below a directory, and the folders in its name. Raises FileExistsError, OSError."""
    with open(open_file(directory, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, make=True), "wb") as file:
        file.write(content)


def rename(directory: str | os.PathLike[str], name: str, target: str) -> None:
    """Rename a file below a directory to `target` in its folder, replacing a file of that name. Raises OSError."""
    *folders, last = _parts(name)
    folder = open_folder(directory, *folders)
    try:
        os.replace(last, target, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def remove(directory: str | os.PathLike[str], name: str) -> None:
    """Remove a regular file below a directory, if it exists. Raises OSError if it cannot be removed."""
    if is_regular(directory, name):
        *folders, last = _parts(name)
        folder = open_folder(directory, *folders)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(last, dir_fd=folder)
        finally:
            os.close(folder)


def ignore(folder: Path, line: str) -> None:
    """Write this line to a new `.gitignore` in a folder, unless something of that name exists."""
    with contextlib.suppress(OSError):
        write_new(folder, ".gitignore", f"{line}\n".encode())


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\0" in name:
        raise Unsafe(errno.EINVAL, "no name of a file in this directory", name)
    return parts


def _status(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
