"""Where tracker keeps what it knows of this user on this machine: servers, the key of seals, trusted files."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """Return `$XDG_STATE_HOME/tracker` or `~/.local/state/tracker`, which need not exist.

    Raises RuntimeError for a user without a home, as in some containers.
    """
    state = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return root / "tracker"
