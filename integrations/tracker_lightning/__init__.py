"""`Trainer(logger=TrackerLogger())`: log PyTorch Lightning and Lightning Fabric to tracker.

One class serves `lightning.pytorch`, `pytorch_lightning` and Fabric; none of them is imported from here, and this
package can be imported without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tracker_runs  # noqa: F401 - beside a user's own `tracker.py`, the modules of this package find ours by it

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
