"""Tell the rank of this process without importing Lightning."""

from __future__ import annotations

import os
import sys

_RANK_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")  # in Lightning's order


def rank() -> int:
    """Return the rank that Lightning has set for this process, else the one in the environment, else 0."""
    module = sys.modules.get("lightning_utilities.core.rank_zero")
    known = getattr(getattr(module, "rank_zero_only", None), "rank", None)
    if known is not None:
        return int(known)
    given = (os.environ.get(name, "").strip() for name in _RANK_VARIABLES)
    return next((int(number) for number in given if number.isdecimal()), 0)
