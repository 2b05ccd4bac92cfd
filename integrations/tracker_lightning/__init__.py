"""Log PyTorch Lightning and Lightning Fabric to tracker.

    from tracker_lightning import TrackerLogger

    trainer = Trainer(logger=TrackerLogger(project="digits"))

One class serves `lightning.pytorch`, `pytorch_lightning` and Fabric. This package imports none of them, and can be
imported without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tracker_runs  # noqa: F401 - makes `tracker` ours here, even next to a user's own `tracker.py`

if TYPE_CHECKING:
    from .logger import TrackerLogger

__all__ = ["TrackerLogger"]


def __getattr__(name: str) -> Any:
    if name != "TrackerLogger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .lightning_packages import register_logger
    from .logger import TrackerLogger

    register_logger(TrackerLogger)  # each time, since Lightning may have been imported after this package
    return TrackerLogger
