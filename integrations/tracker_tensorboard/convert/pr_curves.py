"""Convert precision-recall curves, which are tensors of 6 x n numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .lines import ConversionError, Store, Value, table, with_origin
from .tensors import numbers

COLUMNS = (
    "threshold",
    "true_positives",
    "false_positives",
    "true_negatives",
    "false_negatives",
    "precision",
    "recall",
)


def from_tensor(value: Value, store: Store) -> dict[str, Any]:
    """Return a table with one row for each threshold. Its member `plot` names the columns to draw.

    The n thresholds are evenly spaced from 0 to 1, as in TensorBoard's plugin.
    """
    rows = numbers(value.tensor).astype(np.float64)
    if rows.ndim != 2 or rows.shape[0] != len(COLUMNS) - 1:
        raise ConversionError("a precision-recall curve that is not a tensor of 6 x n numbers")
    thresholds = np.linspace(0.0, 1.0, rows.shape[1])
    payload = table(COLUMNS, np.vstack([thresholds, rows]).T.tolist(), store)
    return with_origin(payload | {"plot": {"type": "line", "x": "recall", "y": "precision"}}, value)
