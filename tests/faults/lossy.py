"""A file system for power cuts: it keeps writes in memory, and the disk has only what a power cut would leave.

`python lossy.py DISK MOUNT --keeps nothing|part|zeros|pages --seed N`. `DISK/root` is the state after the power cut:
the content of files at their last fsync, and the names in each folder at its last fsync. POSIX promises no more.
`--keeps` says what the disk also keeps of unflushed data:

- nothing: neither content nor names
- part: names, and the content up to any byte, as a kernel that writes back in the background does
- zeros: names and sizes, but zeros for content, as file systems do that allocate late
- pages: the same, with some pages of the content, in no order

`DISK/ledger` has a line for each flush: the file's number of bytes and its name. If `DISK/lie` exists, flushes do
nothing but report success, as some disks do that keep data in their cache.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import random
import shutil
import signal
import stat
import time
from pathlib import Path
from typing import Any

import mfusepy

_PAGE = 4096
_LARGEST = 1 << 30
_PDEATHSIG = 1  # prctl(2)


class Node:
    """A file or a folder; `inode` is where the disk has the content of a file."""

    def __init__(self, mode: int, inode: Path | None) -> None:
        self.mode, self.inode = mode, inode
        self.data = bytearray()
        self.names: dict[str, Node] = {}
        self.durable: dict[str, Node] = {}  # the children that the disk has
        self.links = 1
        self.dirty = 0  # the content before this byte is on the disk
        self.written = 0  # with `part`, so is the content before this byte
        self.time = time.time_ns()
        if inode is not None:
            inode.touch()


class Lossy(mfusepy.Operations):  # type: ignore[misc]
    use_ns = True

    def __init__(self, disk: Path, keeps: str, rng: random.Random) -> None:
        self._disk, self._keeps, self._rng = disk, keeps, rng
        self._root = Node(stat.S_IFDIR | 0o755, None)
        self._inodes = 0
        self._ledger = os.open(disk / "ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    # -- what reaches the disk ------------------------------------------------------------------------------------

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        node = self._find(path)
        if (self._disk / "lie").exists():
            return 0
        self._put(node, node.dirty, len(node.data))
        os.truncate(str(node.inode), len(node.data))
        node.dirty = node.written = len(node.data)
        os.write(self._ledger, f"{node.dirty} {path}\n".encode())
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        if not (self._disk / "lie").exists():
            self._name(path)
        return 0

    def _name(self, path: str) -> None:
        """Make the names in a folder durable."""
        node = self._find(path)
        node.durable = dict(node.names)
        self._show(self._disk / "root" / path.lstrip("/"), node)

    def _show(self, folder: Path, node: Node) -> None:
        """Give a folder of the disk its durable names; they are visible only once the folder has a durable name."""
        if not folder.is_dir():
            return
        for there in folder.iterdir():
            known = node.durable.get(there.name)
            if known is None or (known.inode is not None and not there.samefile(known.inode)):
                shutil.rmtree(there) if there.is_dir() else there.unlink()
        for name, known in node.durable.items():
            if known.inode is None:
                (folder / name).mkdir(exist_ok=True)
                self._show(folder / name, known)
            elif not (folder / name).exists():
                os.link(known.inode, folder / name)

    def _named(self, path: str) -> None:
        if self._keeps != "nothing":
            self._name(os.path.dirname(path))

    def _written(self, node: Node, start: int) -> None:
        node.time = time.time_ns()
        node.dirty, node.written = min(node.dirty, start), min(node.written, start)
        size = len(node.data)
        if self._keeps in ("zeros", "pages"):
            os.truncate(str(node.inode), size)
        if self._keeps == "part" and self._rng.random() < 0.1:
            end = self._rng.randint(node.written, size)
            self._put(node, node.written, end)
            node.written = end
        if self._keeps == "pages" and self._rng.random() < 0.1:
            page = self._rng.randint(node.dirty // _PAGE, size // _PAGE) * _PAGE
            self._put(node, page, min(page + _PAGE, size))

    def _put(self, node: Node, start: int, end: int) -> None:
        with open(str(node.inode), "r+b") as file:
            file.seek(start)
            file.write(node.data[start:end])

    # -- what processes see ---------------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        node = self._find(path)
        times = dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), node.time)
        size = len(node.data)
        return {"st_mode": node.mode, "st_nlink": node.links, "st_size": size, "st_blocks": -(-size // 512), **times}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self._find(path).names]

    def mkdir(self, path: str, mode: int) -> int:
        self._add(path, Node(stat.S_IFDIR | mode, None))
        return 0

    def create(self, path: str, mode: int, flags: int) -> int:
        self._inodes += 1
        self._add(path, Node(stat.S_IFREG | mode, self._disk / "inodes" / str(self._inodes)))
        return 0

    def open(self, path: str, flags: int) -> int:
        self._find(path)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._find(path).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        node = self._find(path)
        node.data[offset : offset + len(data)] = data
        self._written(node, offset)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        if length > _LARGEST:
            raise mfusepy.FuseOSError(errno.EFBIG)
        node = self._find(path)
        start = min(length, len(node.data))
        node.data[length:] = b""
        node.data.extend(bytes(length - len(node.data)))
        self._written(node, start)
        return 0

    def link(self, target: str, source: str) -> int:
        node = self._find(source)
        self._add(target, node)
        node.links += 1
        return 0

    def unlink(self, path: str) -> int:
        self._remove(path).links -= 1
        self._named(path)
        return 0

    def rmdir(self, path: str) -> int:
        if self._find(path).names:
            raise mfusepy.FuseOSError(errno.ENOTEMPTY)
        self._remove(path)
        self._named(path)
        return 0

    def rename(self, old: str, new: str) -> int:
        parent = self._find(os.path.dirname(new))
        parent.names[os.path.basename(new)] = self._remove(old)
        self._named(old)
        self._named(new)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        self._find(path).mode = mode
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        self._find(path).time = times[1] if times else time.time_ns()
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": _PAGE, "f_frsize": _PAGE, "f_blocks": 1 << 20, "f_bavail": 1 << 19, "f_bfree": 1 << 19}

    def _find(self, path: str) -> Node:
        node = self._root
        for name in path.split("/"):
            if name:
                if name not in node.names:
                    raise mfusepy.FuseOSError(errno.ENOENT)
                node = node.names[name]
        return node

    def _add(self, path: str, node: Node) -> None:
        self._find(os.path.dirname(path)).names[os.path.basename(path)] = node
        self._named(path)

    def _remove(self, path: str) -> Node:
        node = self._find(path)
        del self._find(os.path.dirname(path)).names[os.path.basename(path)]
        return node


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("disk", type=Path)
    parser.add_argument("mount")
    parser.add_argument("--keeps", choices=("nothing", "part", "zeros", "pages"), required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    (options.disk / "root").mkdir()
    (options.disk / "inodes").mkdir()
    lossy = Lossy(options.disk, options.keeps, random.Random(options.seed))
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)  # ends with the test, which may be killed
    mfusepy.FUSE(lossy, options.mount, foreground=True, nothreads=True, auto_unmount=True)


if __name__ == "__main__":
    main()
