from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Image

pil = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def decoded(image: Image, store: MemoryStore) -> np.ndarray:
    record = image.record(store)
    picture = pil.open(io.BytesIO(store.content(record)))
    assert (picture.width, picture.height) == (record["width"], record["height"])
    return np.asarray(picture)


@pytest.mark.parametrize("array", [RGB[:, :, 0], RGB, np.dstack([RGB, RGB[:, :, :1]])], ids=["grey", "rgb", "rgba"])
def test_arrays_are_stored_as_png_without_loss(array: Any, store: MemoryStore) -> None:
    record = Image(array, caption="a cat").record(store)
    assert {k: record[k] for k in ("_type", "format", "width", "height", "caption")} == {
        "_type": "image",
        "format": "png",
        "width": 7,
        "height": 5,
        "caption": "a cat",
    }
    assert (decoded(Image(array), store) == array).all()
    assert (decoded(Image(array.tolist()), store) == array).all()


def test_one_channel_is_grey(store: MemoryStore) -> None:
    assert (decoded(Image(RGB[:, :, :1]), store) == RGB[:, :, 0]).all()
    assert (decoded(Image(RGB[None, :, :, 0]), store) == RGB[:, :, 0]).all()


def test_channels_first_is_understood(store: MemoryStore) -> None:
    assert (decoded(Image(RGB.transpose(2, 0, 1)), store) == RGB).all()
    assert (decoded(Image(RGB.transpose(2, 0, 1)[None]), store) == RGB).all()


def test_an_ambiguous_layout_has_its_channels_last_unless_the_mode_decides_otherwise(store: MemoryStore) -> None:
    array = RNG.integers(0, 256, (3, 6, 4), dtype=np.uint8)
    assert (decoded(Image(array), store) == array).all()
    assert (decoded(Image(array, mode="RGB"), store) == array.transpose(1, 2, 0)).all()


def test_views_of_arrays_are_read_in_their_order(store: MemoryStore) -> None:
    assert (decoded(Image(RGB[::-1, ::2]), store) == RGB[::-1, ::2]).all()


def test_truth_values_and_floats_are_scaled(store: MemoryStore) -> None:
    mask = RGB[:, :, 0] > 128
    assert (decoded(Image(mask), store) == mask * 255).all()
    floats = RNG.random((4, 4, 3), dtype=np.float32)
    assert (decoded(Image(floats), store) == np.rint(floats.astype(float) * 255)).all()
    floats[0, 0, 0] = np.nan
    assert decoded(Image(floats), store)[0, 0, 0] == 0


def test_later_changes_of_the_array_change_nothing(store: MemoryStore) -> None:
    array = RGB.copy()
    image = Image(array)
    array[:] = 0
    assert (decoded(image, store) == RGB).all()


def test_torch_tensors_are_accepted(store: MemoryStore) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.rand(3, 8, 9, requires_grad=True)
    expected = np.rint(tensor.detach().numpy().astype(float) * 255).transpose(1, 2, 0)
    assert (decoded(Image(tensor), store) == expected).all()
    half = torch.tensor([[0.0, 1.0]], dtype=torch.bfloat16)
    assert (decoded(Image(half), store) == [[0, 255]]).all()


def test_jax_arrays_are_accepted(store: MemoryStore) -> None:
    jnp = pytest.importorskip("jax.numpy")
    assert (decoded(Image(jnp.array(RGB)), store) == RGB).all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3), r"\(3,\) is not an image"),
        (np.zeros((5, 6, 2)), "1, 3 or 4 channels"),
        (np.zeros((2, 3, 8, 8)), "list of images"),
        (np.zeros((0, 5)), "nothing empty"),
        (np.zeros((1, 65_536)), "65,535"),
    ],
)
def test_arrays_of_other_shapes_are_refused_with_advice(array: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Image(array)


def test_a_mode_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"4 \(mode RGBA\) channels"):
        Image(RGB, mode="RGBA")
    with pytest.raises(ValueError, match="L, RGB, RGBA"):
        Image(RGB, mode="CMYK")


@pytest.mark.parametrize("value", [None, 3, object(), {"a": 1}, np.array([["a"]]), np.zeros((2, 2), complex)])
def test_values_that_are_not_images_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        Image(value)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pillow_images_are_stored_without_loss(mode: str, store: MemoryStore) -> None:
    picture = pil.fromarray(RGB).convert("L").convert(mode) if mode != "RGB" else pil.fromarray(RGB)
    assert (decoded(Image(picture), store) == np.asarray(picture)).all()


def test_pillow_images_that_png_cannot_hold_are_converted(store: MemoryStore) -> None:
    assert decoded(Image(pil.fromarray(RGB).convert("CMYK")), store).shape == (5, 7, 3)
    floats = pil.fromarray(np.array([[0.0, 1.0], [0.5, 1.0], [0.0, 0.0]], dtype=np.float32))
    assert decoded(Image(floats), store).tolist() == [[0, 255], [128, 255], [0, 0]]
    integers = pil.fromarray(np.array([[0, 1000]], dtype=np.int32))
    assert decoded(Image(integers), store).tolist() == [[0, 255]]
    assert decoded(Image(pil.fromarray(RGB), mode="L"), store).shape == (5, 7)


def test_figures_axes_and_pyplot_are_drawn(store: MemoryStore) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(2, 1), dpi=100)
    axes.plot([1, 2])
    try:
        for value in (figure, axes, pyplot):
            record = Image(value).record(store)
            assert (record["width"], record["height"], record["format"]) == (200, 100, "png")
        assert len(store) == 1
        part = figure.subfigures()
        assert Image(part).record(store)["width"] == 200
        assert Image(part.subplots()).record(store)["width"] == 200
    finally:
        pyplot.close(figure)


@pytest.mark.parametrize("file_type", ["jpg", "jpeg", ".JPG", "webp", "gif", "bmp", "png"])
def test_other_file_types_are_written_and_read_back_from_files(
    file_type: str, store: MemoryStore, tmp_path: Path
) -> None:
    array = np.full((40, 30, 3), 100, dtype=np.uint8)
    record = Image(array, file_type=file_type).record(store)
    assert record["format"] == {"jpeg": "jpg", ".JPG": "jpg"}.get(file_type, file_type)
    assert (record["width"], record["height"]) == (30, 40)
    assert abs(np.asarray(pil.open(io.BytesIO(store.content(record))).convert("RGB")).astype(int) - 100).max() < 5

    path = tmp_path / "picture.any"
    path.write_bytes(store.content(record))
    again = Image(path, caption="c").record(store)
    assert again == {**record, "caption": "c"}
    assert Image(str(path), file_type=file_type).record(store) == record
    assert Image(path.read_bytes()).record(store) == record


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"lossless": True, "exif": b"Exif\0\0"}])
def test_the_size_of_every_kind_of_webp_is_found(options: Any, store: MemoryStore) -> None:
    file = io.BytesIO()
    pil.new("RGBA", (33, 44)).save(file, format="webp", **options)
    record = Image(file.getvalue()).record(store)
    assert (record["width"], record["height"]) == (33, 44)


def test_svg_has_no_size_in_pixels(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    path.write_text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>')
    record = Image(path).record(store)
    assert record["format"] == "svg"
    assert "width" not in record


def test_files_are_checked_at_once_and_read_when_logged(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        Image(path)
    with pytest.raises(IsADirectoryError):
        Image(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        Image(path)
    path.write_bytes(b"hello")
    with pytest.raises(ValueError, match="not an image of a known format"):
        Image(path)
    pil.fromarray(RGB).save(path)
    with pytest.raises(ValueError, match="'png', not 'jpg'"):
        Image(path, file_type="jpg")
    monkeypatch.chdir(tmp_path)
    image = Image("a.png")
    monkeypatch.chdir("/")
    pil.new("L", (2, 3)).save(path)
    assert image.record(store)["width"] == 2
    path.unlink()
    with pytest.raises(FileNotFoundError):
        image.record(store)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch(mode=0)
    with pytest.raises(PermissionError):
        Image(path)


def test_very_large_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)  # sparse
    with pytest.raises(ValueError, match=r"tracker\.save"):
        Image(path)


def test_options_that_do_not_apply_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pil.new("L", (2, 2)).save(path)
    with pytest.raises(ValueError, match="mode is for arrays"):
        Image(path, mode="RGB")
    with pytest.raises(ValueError, match="'tiff' is not one of"):
        Image(RGB, file_type="tiff")
    with pytest.raises(ValueError, match="svg"):
        Image(RGB, file_type="svg")


def test_captions_are_text_that_utf_8_can_hold(store: MemoryStore) -> None:
    assert Image(RGB, caption=5).record(store)["caption"] == "5"  # type: ignore[arg-type]
    assert Image(RGB, caption="a\ud800é").record(store)["caption"] == "a?é"
