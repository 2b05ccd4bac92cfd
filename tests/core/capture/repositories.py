"""Real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Work:
    """A git repository with one commit, in a new directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Somebody")
        self.git("config", "user.email", "somebody@example.com")

    def git(self, *arguments: str) -> str:
        """Run git here and return its output."""
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, **files: str | bytes) -> str:
        """Commit everything, and these files (`a__py` is `a.py`); return the commit."""
        for name, content in files.items():
            self.write(name.replace("__", "."), content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change", "--allow-empty")
        return self.git("rev-parse", "HEAD")


def restore(patch: bytes, repository: Path, commit: str | None, target: Path) -> None:
    """Check a commit of a repository out into a new directory and apply a patch there."""
    quiet = {"check": True, "capture_output": True}
    if commit is None:
        subprocess.run(["git", "init", "--quiet", str(target)], **quiet)  # type: ignore[call-overload]
    else:
        subprocess.run(["git", "clone", "--quiet", str(repository), str(target)], **quiet)  # type: ignore[call-overload]
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=target, **quiet)  # type: ignore[call-overload]
    subprocess.run(["git", "apply", "--binary", "-"], cwd=target, input=patch, **quiet)  # type: ignore[call-overload]


def tree(root: Path) -> dict[str, bytes]:
    """Return the files below a directory, except git's own."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(folder, name)
            found[str(path.relative_to(root))] = path.read_bytes()
    return found
