from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Histogram, Image, MediaList, Plotly, Table, Text, as_media


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        0.5,
        "text",
        b"bytes",
        {"a": 1},
        {1},
        object(),
        [],
        (),
        [1.0, 2.0],
        [Text("a"), 1.0],
        [np.zeros(100)],
        math,
        np.float32(1),
        np.zeros(32),
        np.zeros((4, 8)),
        np.array(5.0),
        np.array(["text"] * 100),
        np.zeros(100, dtype="datetime64[ns]"),
    ],
)
def test_ordinary_values_are_not_media(value: Any) -> None:
    assert as_media(value) is None


def test_media_stay_as_they_are() -> None:
    text = Text("a")
    assert as_media(text) is text


def test_larger_arrays_become_histograms() -> None:
    media = as_media(np.arange(33))
    assert isinstance(media, Histogram)
    assert sum(media.counts) == 33
    with pytest.raises(TypeError, match="absolute value"):
        as_media(np.zeros(33, dtype=complex))


def test_tensors_become_histograms() -> None:
    torch = pytest.importorskip("torch")
    assert isinstance(as_media(torch.zeros(33, dtype=torch.bfloat16, requires_grad=True)), Histogram)
    assert as_media(torch.zeros(32)) is None


def test_arrays_of_jax_become_histograms() -> None:
    jnp = pytest.importorskip("jax.numpy")
    assert isinstance(as_media(jnp.zeros(33, dtype=jnp.bfloat16)), Histogram)
    assert as_media(jnp.zeros(3)) is None


def test_pillow_images_become_images() -> None:
    pil = pytest.importorskip("PIL.Image")
    assert isinstance(as_media(pil.new("L", (2, 2))), Image)


def test_matplotlib_figures_become_images() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    try:
        assert isinstance(as_media(figure), Image)
        assert isinstance(as_media(axes), Image)
        assert isinstance(as_media(pyplot), Image)
        assert as_media(matplotlib) is None
        assert as_media(axes.plot([1])[0]) is None
    finally:
        pyplot.close(figure)


def test_plotly_figures_become_plotly() -> None:
    go = pytest.importorskip("plotly.graph_objects")
    assert isinstance(as_media(go.Figure()), Plotly)


def test_data_frames_become_tables() -> None:
    pd = pytest.importorskip("pandas")
    assert isinstance(as_media(pd.DataFrame({"a": [1]})), Table)
    assert as_media(pd.Series([1, 2])) is None


def test_lists_of_only_media_become_a_media_list(store: MemoryStore) -> None:
    pil = pytest.importorskip("PIL.Image")
    media = as_media((Text("a"), pil.new("L", (2, 2))))
    assert isinstance(media, MediaList)
    record = media.record(store)
    assert record["_type"] == "list"
    assert [item["_type"] for item in record["items"]] == ["text", "image"]
    with pytest.raises(ValueError, match="at most 1000"):
        as_media([Text("a")] * 1001)
