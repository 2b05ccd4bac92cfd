"""Derive the command that runs a run again in the directory where it was restored."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.capture.redact import CUT

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PYTHON = re.compile(r"python[\d.]*")
# Variables that say where a process ran, but do not affect what it computes.
_WHERE = re.compile(
    r"(SLURM|PBS|LSB|NCCL|GLOO|MASTER|LOCAL|GROUP|NODE|WORLD|LC|CONDA|NVIDIA_VISIBLE)_.*|.*_VISIBLE_DEVICES"
    r"|RANK|JOB_ID|VIRTUAL_ENV|LANG|TZ"
)


def directory_of(environment: Mapping[str, Any]) -> str | None:
    """Return the working directory relative to the restored directory; None if it was outside."""
    git = environment.get("git")
    cwd = git.get("cwd") if isinstance(git, dict) and git.get("root") else "."
    if not isinstance(cwd, str) or os.path.isabs(cwd) or ".." in cwd.split("/"):
        return None
    return cwd


def command(environment: Mapping[str, Any], root: Path) -> str | None:
    """Return the shell command that runs the run again, for the working directory; None if the run has no command.

    Paths below the root of the run's repository become paths in the restored directory, and the run's interpreter
    becomes `python`. Variables that affect the result precede the command, unless they have the same value here.
    """
    words = environment.get("command")
    if not isinstance(words, list) or not words:
        return None
    former, directory = _roots(environment, root)

    def moved(text: str) -> str:
        inside = former is not None and (text == former or text.startswith(former + os.sep))
        return os.path.relpath(root.joinpath(text[len(former or "") + 1 :]), directory) if inside else text

    def moved_in(word: str) -> str:
        option, equals, value = word.partition("=")
        return option + equals + moved(value) if equals and word.startswith("-") else moved(word)

    words = [moved_in(str(word)) for word in words]
    words[0] = _program(words[0], str(environment.get("executable", "")))
    given = environment.get("variables")
    variables = {
        name: os.pathsep.join(map(moved, str(value).split(os.pathsep)))
        for name, value in (given.items() if isinstance(given, dict) else ())
        if _NAME.fullmatch(name) and not _WHERE.fullmatch(name)
    }
    changed = [f"{name}={quote(value)}" for name, value in variables.items() if os.environ.get(name) != value]
    return " ".join([*changed, *map(quote, words)])


def has_secrets(environment: Mapping[str, Any]) -> bool:
    """Tell whether a secret was cut from the command or from a variable."""
    given = environment.get("variables")
    values = [*(environment.get("command") or []), *(given.values() if isinstance(given, dict) else [])]
    return any(CUT in str(value) for value in values)


def quote(text: str) -> str:
    """Return text as one word of a shell command, without control characters."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(
        c if c.isprintable() and c not in "\\'" else "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "replace"))
        for c in text
    )
    return f"$'{escaped}'"


def _roots(environment: Mapping[str, Any], root: Path) -> tuple[str | None, Path]:
    git = environment.get("git")
    former = git.get("root") if isinstance(git, dict) else environment.get("cwd")
    directory = root / (directory_of(environment) or ".")
    return (former.rstrip(os.sep) or None if isinstance(former, str) else None), directory


def _program(word: str, executable: str) -> str:
    """Return the name of the program, without a path for an interpreter and programs installed beside it."""
    name = os.path.basename(word)
    if _PYTHON.fullmatch(name):
        return "python"
    return name if executable and os.path.dirname(word) == os.path.dirname(executable) else word
