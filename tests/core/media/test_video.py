from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Video

pil = pytest.importorskip("PIL.Image")

CLIP = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)


def frames(record: dict[str, Any], store: MemoryStore) -> np.ndarray:
    movie = pil.open(io.BytesIO(store.content(record)))
    found = []
    for number in range(movie.n_frames):
        movie.seek(number)
        found.append(np.asarray(movie.convert("RGB") if movie.format == "GIF" else movie))
    return np.stack(found)


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (CLIP, CLIP),
        (CLIP.transpose(0, 3, 1, 2), CLIP),
        (CLIP.transpose(0, 3, 1, 2)[None], CLIP),
        (CLIP[..., 0], CLIP[..., 0]),
        (list(CLIP), CLIP),
        (np.concatenate([CLIP, CLIP[..., :1]], axis=3), np.concatenate([CLIP, CLIP[..., :1]], axis=3)),
        (CLIP[:1], CLIP[:1]),
    ],
    ids=["last", "first", "batch", "grey", "list", "alpha", "one frame"],
)
def test_arrays_are_stored_as_animated_png_without_loss(clip: Any, expected: Any, store: MemoryStore) -> None:
    record = Video(clip, caption="run", fps=8).record(store)
    assert {k: record[k] for k in ("_type", "format", "fps", "caption")} == {
        "_type": "video",
        "format": "apng",
        "fps": 8,
        "caption": "run",
    }
    assert (frames(record, store) == expected).all()


def test_frames_are_shown_for_the_time_that_fps_says(store: MemoryStore) -> None:
    movie = pil.open(io.BytesIO(store.content(Video(CLIP, fps=8).record(store))))
    assert movie.info["duration"] == 125.0
    assert movie.info["loop"] == 0


def test_all_frames_are_scaled_alike(store: MemoryStore) -> None:
    clip = np.zeros((2, 4, 4))
    clip[0], clip[1] = 100.0, 1000.0
    clip[0, 0, 0] = 0.0
    assert frames(Video(clip).record(store), store)[:, 1, 1].tolist() == [26, 255]


def test_lists_of_pillow_images_are_accepted(store: MemoryStore) -> None:
    pictures = [pil.fromarray(frame) for frame in CLIP]
    assert (frames(Video(pictures).record(store), store) == CLIP).all()
    pictures[0] = pictures[0].convert("RGBA")
    assert frames(Video(pictures).record(store), store).shape == (6, 5, 7, 4)
    with pytest.raises(ValueError, match="different shapes"):
        Video([pictures[0], pil.new("RGBA", (3, 3))])


def test_torch_tensors_are_accepted(store: MemoryStore) -> None:
    torch = pytest.importorskip("torch")
    clip = torch.from_numpy(CLIP.transpose(0, 3, 1, 2).copy())
    assert (frames(Video(clip).record(store), store) == CLIP).all()
    assert (frames(Video(list(clip)).record(store), store) == CLIP).all()


def test_gif_is_written_when_asked_for(store: MemoryStore) -> None:
    clip = np.zeros((3, 8, 8, 3), dtype=np.uint8)
    clip[0, ..., 0] = clip[1, ..., 1] = clip[2, ..., 2] = 255
    record = Video(clip, format="gif", fps=10).record(store)
    assert record["format"] == "gif"
    assert (frames(record, store) == clip).all()


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"\0\0\0\x20ftypisom", "mp4"),
        (b"\0\0\0\x14ftypqt  ", "mov"),
        (b"\x1a\x45\xdf\xa3", "webm"),
        (b"OggS", "ogg"),
        (b"GIF89a", "gif"),
    ],
)
def test_files_are_stored_as_they_are_under_their_true_format(
    head: bytes, extension: str, store: MemoryStore, tmp_path: Path
) -> None:
    path = tmp_path / "clip"
    path.write_bytes(head + b"content" * 10)
    record = Video(path, caption="c").record(store)
    assert (record["format"], record["caption"]) == (extension, "c")
    assert "fps" not in record
    assert store.content(record) == path.read_bytes()
    assert Video(io.BytesIO(path.read_bytes())).record(store)["format"] == extension
    assert Video(path, format=extension).record(store)["format"] == extension


def test_animated_png_files_are_videos(store: MemoryStore) -> None:
    content = store.content(Video(CLIP).record(store))
    assert Video(content).record(store)["format"] == "apng"
    assert Video(content, format="apng").record(store)["format"] == "apng"


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Video(tmp_path / "none.mp4")
    path = tmp_path / "a.mp4"
    path.write_bytes(b"hello")
    with pytest.raises(ValueError, match="not a video of a known format"):
        Video(path)
    path.write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match="'gif', not 'mp4'"):
        Video(path, format="mp4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data_or_path": np.zeros((4, 4))}, "is not a video"),
        ({"data_or_path": np.zeros((2, 5, 6, 2))}, "is not a video"),
        ({"data_or_path": np.zeros((0, 4, 4, 3))}, "nothing empty"),
        ({"data_or_path": np.zeros((2, 3, 5, 4, 4, 3))}, "is not a video"),
        ({"data_or_path": CLIP, "format": "mp4"}, "give its path"),
        ({"data_or_path": CLIP, "fps": 0}, "fps"),
        ({"data_or_path": CLIP, "fps": float("nan")}, "fps"),
    ],
)
def test_values_that_are_not_videos_are_refused_with_advice(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Video(**arguments)


def test_values_without_pixels_are_refused() -> None:
    for value in (None, 3, object(), ["a"]):
        with pytest.raises(TypeError):
            Video(value)
