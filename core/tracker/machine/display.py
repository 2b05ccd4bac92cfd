"""Tell whether a browser can be shown to the user."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """Return whether this process can open windows on a screen."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
