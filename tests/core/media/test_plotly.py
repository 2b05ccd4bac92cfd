from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Plotly


def stored(value: Any, store: MemoryStore) -> dict[str, Any]:
    record = Plotly(value).record(store)
    assert (record["_type"], record["format"]) == ("plotly", "json")
    return json.loads(store.content(record))  # type: ignore[no-any-return]


def test_figures_are_stored_as_their_json(store: MemoryStore) -> None:
    go = pytest.importorskip("plotly.graph_objects")
    figure = go.Figure(go.Scatter(y=[1, 2]), layout={"title": "loss"})
    found = stored(figure, store)
    assert found["data"][0]["y"] == [1, 2]
    assert found["layout"]["title"]["text"] == "loss"
    assert stored(figure.to_plotly_json(), store)["data"] == found["data"]


def test_dicts_with_arrays_are_stored_as_plain_data(store: MemoryStore) -> None:
    figure = {
        "data": [{"y": np.array([1.0, np.nan]), "x": range(2), "z": np.float32(0.5), 3: {1}}],
        "layout": {"date": np.datetime64("2024-01-02").item()},
    }
    assert stored(figure, store) == {
        "data": [{"y": [1.0, None], "x": [0, 1], "z": 0.5, "3": [1]}],
        "layout": {"date": "2024-01-02"},
    }


def test_json_files_are_checked_at_once(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "figure.json"
    with pytest.raises(FileNotFoundError):
        Plotly(path)
    path.write_text("<html>")
    with pytest.raises(ValueError, match=r"tracker\.Html"):
        Plotly(path)
    path.write_text('{"a": 1}')
    with pytest.raises(ValueError, match="no list 'data'"):
        Plotly(path)
    path.write_text('{"data": []}')
    assert stored(str(path), store) == {"data": []}


def test_values_that_are_not_figures_are_refused() -> None:
    with pytest.raises(TypeError, match="Plotly takes"):
        Plotly([1])
    with pytest.raises(ValueError, match="no list 'data'"):
        Plotly({"layout": {}})
    with pytest.raises(TypeError):
        Plotly({"data": [object()]})
