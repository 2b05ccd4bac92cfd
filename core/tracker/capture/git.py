"""Read a git repository without running anything that the repository or the user's configuration would start."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from typing import Any

from .redact import cut

_LIMIT = 16 * 1024 * 1024  # bytes of one output; a larger diff does not describe code
_KEPT_VARIABLES = ("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
_MOST_SUBMODULES = 50

# Options that start programs or open connections are off; those that change the form of a patch have their default.
_OPTIONS = (
    "--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never",
    "-c", "core.quotePath=false", "-c", "diff.autoRefreshIndex=false", "-c", "diff.noprefix=false",
    "-c", "diff.mnemonicPrefix=false", "-c", "diff.suppressBlankEmpty=false",
)  # fmt: skip
_PATCH = (
    "diff", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--no-relative",
    "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "-O/dev/null",
)  # fmt: skip


class Failed(Exception):
    """Git is missing, refused, took too long or printed too much; the text says which."""


class Deadline:
    """When the capture must end, by the clock `time.monotonic`."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the remaining seconds, at least 0."""
        return max(0.0, self._at - time.monotonic())

    def hurry(self, seconds: float) -> None:
        """Move the deadline to at most so many seconds from now. May be called from another thread."""
        self._at = min(self._at, time.monotonic() + seconds)


class Repository:
    """A git work tree. All methods raise `Failed`."""

    def __init__(self, root: str, deadline: Deadline) -> None:
        """`root` is the top directory of the work tree (`find` knows it)."""
        self.root = root
        self._deadline = deadline

    def commit(self) -> str | None:
        """Return the commit that is checked out; None before the first one."""
        return self._text("rev-parse", "--verify", "--quiet", "HEAD", none=(1,))

    def branch(self) -> str | None:
        """Return the branch that is checked out; None if HEAD is detached."""
        return self._text("symbolic-ref", "--quiet", "--short", "HEAD", none=(1,))

    def remote(self) -> str | None:
        """Return the address of `origin`, or else of the first remote, without credentials; None without one."""
        pattern = r"^remote\..*\.url$"
        lines = (self._text("config", "--null", "--get-regexp", pattern, none=(1,)) or "").split("\0")
        found = {name: url for name, _, url in (line.partition("\n") for line in lines) if url}
        url = found.get("remote.origin.url") or next(iter(found.values()), None)
        return cut(url.partition("?")[0]) if url else None

    def patch(self) -> bytes:
        """Return the changes of tracked files against the commit, in the form that `git apply` reads at the root.

        Staged changes are included, submodules are not. Before the first commit, the changes are against an empty tree.
        """
        base = "HEAD" if self.commit() else self._text("hash-object", "-t", "tree", "--stdin")
        return self._run(*_PATCH, str(base), "--")

    def differs(self) -> bool:
        """Tell whether tracked files differ from the commit, submodules included."""
        if self.commit() is None:
            return bool(self._text("ls-files", "--stage"))
        options = ("--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
        return self._text("diff", *options, "HEAD", "--", none=(1,)) is None

    def untracked(self) -> list[str] | None:
        """Return the files that are neither tracked nor ignored, relative to the root.

        None if the user configured git not to look for them, as for a home directory in git.
        """
        if self._text("config", "--get", "status.showUntrackedFiles", none=(1,)) in ("no", "false"):
            return None
        return self._names("ls-files", "--others", "--exclude-standard", "-z")

    def sources(self, below: str) -> list[str]:
        """Return the files in a directory of the work tree that are not ignored, relative to the root."""
        place = ":(literal)" + (inside(self.root, below) or ".")
        return self._names("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", place)

    def submodules(self) -> dict[str, str]:
        """Return the commits that submodules have checked out, by path; a `+` follows if they have changes."""
        if not os.path.exists(os.path.join(self.root, ".gitmodules")):
            return {}
        entries = (entry.partition("\t") for entry in self._names("ls-files", "--stage", "-z"))
        paths = [path for about, _, path in entries if about.startswith("160000 ")]
        found = {}
        for path in paths[:_MOST_SUBMODULES]:
            inner = Repository(os.path.join(self.root, path), self._deadline)
            if os.path.exists(os.path.join(inner.root, ".git")):  # checked out; else git would find us
                found[path] = (inner.commit() or "") + ("+" if inner.differs() else "")
        return found

    def ignores(self, path: str) -> bool:
        """Tell whether a file is ignored."""
        return self._text("check-ignore", "--quiet", "--", path, none=(1,)) is not None

    def _text(self, *arguments: str, none: tuple[int, ...] = ()) -> str | None:
        """Return git's output; None if its exit status is one of `none`."""
        try:
            return os.fsdecode(self._run(*arguments)).rstrip("\n")
        except _Status as error:
            if error.status in none:
                return None
            raise

    def _names(self, *arguments: str) -> list[str]:
        return [os.fsdecode(name) for name in self._run(*arguments).split(b"\0") if name]

    def _run(self, *arguments: str) -> bytes:
        return _run(self.root, self._deadline, arguments)


def find(program: str | None, cwd: str | None, deadline: Deadline) -> Repository | None:
    """Return the repository of a program, or None. Raises `Failed`.

    It is the one that contains the program's file, unless it ignores the file, as with packages in an
    environment; else the one that contains the working directory.
    """
    if program is not None:
        own = _work_tree(os.path.dirname(program), deadline)
        if own is not None and not own.ignores(program):
            return own
    return _work_tree(cwd, deadline) if cwd is not None else None


def repository_of(directory: str, deadline: Deadline) -> Repository | None:
    """Return the repository that contains a directory, or None. Raises `Failed`."""
    return _work_tree(directory, deadline)


def describe(repository: Repository, program: str | None, cwd: str | None) -> dict[str, Any]:
    """Return the member `git` of an `environment` record (FORMAT.md), without `dirty`. Raises `Failed`."""
    about = {
        "root": repository.root,
        "commit": repository.commit(),
        "branch": repository.branch(),
        "remote": repository.remote(),
        "program": inside(repository.root, program),
        "cwd": inside(repository.root, cwd),
    }
    return {member: value for member, value in about.items() if value is not None}


def inside(root: str, path: str | None) -> str | None:
    """Return a path relative to a directory, with slashes (`.` for the directory itself); None if it is outside."""
    if path is None:
        return None
    relative = os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")
    return None if relative == ".." or relative.startswith("../") else relative


def _work_tree(directory: str, deadline: Deadline) -> Repository | None:
    if not os.path.isdir(directory):
        return None
    try:
        root = os.fsdecode(_run(directory, deadline, ("rev-parse", "--show-toplevel"))).rstrip("\n")
    except _Status as error:
        if "dubious ownership" in str(error):
            raise
        return None  # no repository, or one without a work tree
    return Repository(root, deadline) if root else None


class _Status(Failed):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"git: {message or f'exit status {status}'}")
        self.status = status


def _run(directory: str, deadline: Deadline, arguments: tuple[str, ...]) -> bytes:
    try:
        process = subprocess.Popen(
            ["git", *_OPTIONS, *arguments],
            cwd=directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its children can be ended with it
        )
    except OSError as error:
        raise Failed(f"git cannot be started ({error.strerror or error})") from None
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    with process:
        try:
            output, message = _read(process, deadline)
            status = process.wait(max(0.1, deadline.remaining()))
        except (Failed, subprocess.TimeoutExpired) as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise error if isinstance(error, Failed) else Failed("git took too long") from None
    if status:
        lines = message.decode("utf-8", "replace").strip().splitlines()
        raise _Status(status, cut(lines[0][:300]) if lines else "")
    return output


def _read(process: subprocess.Popen[bytes], deadline: Deadline) -> tuple[bytes, bytes]:
    """Return all that the process writes to stdout and stderr."""
    assert process.stdout is not None
    assert process.stderr is not None
    found: dict[int, list[bytes]] = {process.stdout.fileno(): [], process.stderr.fileno(): []}
    poll, still_open, size = select.poll(), set(found), 0
    for fd in found:
        poll.register(fd, select.POLLIN | select.POLLHUP)
    while still_open:
        if not deadline.remaining():
            raise Failed("git took too long")
        for fd, _ in poll.poll(200):
            data = os.read(fd, 1 << 20)
            size += len(data)
            if size > _LIMIT:
                raise Failed(f"more than {_LIMIT >> 20} MiB")
            if data:
                found[fd].append(data)
            else:
                poll.unregister(fd)
                still_open.discard(fd)
    output, message = (b"".join(pieces) for pieces in found.values())
    return output, message


def _environment() -> dict[str, str]:
    """Return the variables for git, without those that would redirect it, or make it ask or start something."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith("GIT_CONFIG") or name in _KEPT_VARIABLES
    }
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
