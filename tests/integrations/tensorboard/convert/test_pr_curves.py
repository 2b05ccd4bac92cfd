from __future__ import annotations

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")


import numpy as np
from tensorboard.compat.proto import types_pb2

from .converted import convert
from .values import numbers


def test_a_curve_becomes_a_table_with_a_row_for_each_threshold_and_the_columns_to_plot() -> None:
    data = np.arange(18, dtype="<f4").reshape(6, 3)
    found = convert(numbers("pr", "pr_curves", types_pb2.DT_FLOAT, [6, 3], "tensor_content", data.tobytes()))
    names = "threshold true_positives false_positives true_negatives false_negatives precision recall"
    table = found.table("pr")
    assert table["columns"] == names.split()
    assert table["data"] == [[0, 0, 3, 6, 9, 12, 15], [0.5, 1, 4, 7, 10, 13, 16], [1, 2, 5, 8, 11, 14, 17]]
    assert found.one("pr")["plot"] == {"type": "line", "x": "recall", "y": "precision"}


def test_nan_in_a_curve_stays_nan() -> None:
    found = convert(numbers("pr", "pr_curves", types_pb2.DT_FLOAT, [6, 1], "float_val", [float("nan")]))
    assert found.table("pr")["data"] == [[0.0, *[{"_type": "float", "value": "NaN"}] * 6]]


def test_an_invalid_curve_is_stored_as_a_file() -> None:
    found = convert(numbers("pr", "pr_curves", types_pb2.DT_FLOAT, [5, 2], "float_val", range(10)))
    assert len(found.of_kind("file")) == sum(found.skipped.values()) == 1
