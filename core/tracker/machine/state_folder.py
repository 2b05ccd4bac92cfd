"""Find the folder of tracker's state for this user on this machine: servers, agents, key of seals, trusted files."""

from __future__ import annotations

from pathlib import Path

from .paths import user_folder


def state_folder() -> Path:
    """Return `$XDG_STATE_HOME/tracker` or `~/.local/state/tracker`, which may not exist.

    Raises RuntimeError for a user without a home, as in some containers.
    """
    root = user_folder("XDG_STATE_HOME", ".local", "state")
    if root is None:
        raise RuntimeError("there is no home directory")
    return Path(root, "tracker")
