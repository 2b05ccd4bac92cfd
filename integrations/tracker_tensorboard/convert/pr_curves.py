"""Precision-recall curves: 6 x n tensors."""

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
    """Return a table with one row a threshold; its member `plot` says that it is drawn, and which columns.

    The n thresholds lie evenly in 0 … 1, as TensorBoard's plugin has it.
    """
    rows = numbers(value.tensor).astype(np.float64)
    if rows.ndim != 2 or rows.shape[0] != len(COLUMNS) - 1:
        raise ConversionError("a precision-recall curve that is no tensor of 6 x n numbers")
    thresholds = np.linspace(0.0, 1.0, rows.shape[1])
    payload = table(COLUMNS, np.vstack([thresholds, rows]).T.tolist(), store)
    return with_origin(payload | {"plot": {"type": "line", "x": "recall", "y": "precision"}}, value)
