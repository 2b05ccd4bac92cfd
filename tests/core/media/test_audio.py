from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Audio

TONE = np.sin(np.linspace(0, 200, 800))


def samples(record: dict[str, Any], store: MemoryStore) -> np.ndarray:
    with wave.open(io.BytesIO(store.content(record))) as file:
        assert (file.getsampwidth(), file.getframerate()) == (2, record["sample_rate"])
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data.reshape(-1, file.getnchannels())


def test_floats_are_stored_as_16_bit_wav(store: MemoryStore) -> None:
    record = Audio(TONE, sample_rate=8000, caption="tone").record(store)
    assert {k: v for k, v in record.items() if k not in ("digest", "size")} == {
        "_type": "audio",
        "format": "wav",
        "sample_rate": 8000,
        "duration": 0.1,
        "caption": "tone",
    }
    assert (samples(record, store)[:, 0] == np.rint(TONE * 32767)).all()
    assert Audio(TONE.tolist(), 8000, "tone").record(store) == record


@pytest.mark.parametrize("dtype", [np.int16, np.int64])
def test_integers_are_samples(dtype: Any, store: MemoryStore) -> None:
    data = np.array([-32768, 0, 5, 32767], dtype=dtype)
    assert (samples(Audio(data, 100).record(store), store)[:, 0] == data).all()


def test_values_out_of_range_are_clipped_and_nan_is_silent(store: MemoryStore) -> None:
    found = samples(Audio([2.0, -2.0, float("nan")], 100).record(store), store)
    assert found[:, 0].tolist() == [32767, -32767, 0]


@pytest.mark.parametrize("transpose", [False, True])
def test_stereo_may_have_its_channels_first_or_last(transpose: bool, store: MemoryStore) -> None:
    data = np.arange(20, dtype=np.int16).reshape(10, 2)
    found = samples(Audio(data.T if transpose else data, 100).record(store), store)
    assert (found == data).all()


def test_one_channel_in_two_dimensions_is_mono(store: MemoryStore) -> None:
    for shape in ((800, 1), (1, 800)):
        assert samples(Audio(TONE.reshape(shape), 8000).record(store), store).shape == (800, 1)


def test_torch_tensors_are_accepted(store: MemoryStore) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(np.stack([TONE, -TONE]), dtype=torch.float32, requires_grad=True)
    found = samples(Audio(tensor, 8000).record(store), store)
    assert (found == np.rint(tensor.detach().numpy().astype(float) * 32767).T).all()


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"ID3\4", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
        (b"\0\0\0\x20ftypM4A ", "m4a"),
        (b"RIFF\0\0\0\0WAVEfmt ", "wav"),
    ],
)
def test_files_are_stored_as_they_are_under_their_true_format(
    head: bytes, extension: str, store: MemoryStore, tmp_path: Path
) -> None:
    path = tmp_path / "sound"
    path.write_bytes(head + b"content")
    record = Audio(path).record(store)
    assert set(record) == {"_type", "digest", "size", "format"}
    assert record["format"] == extension
    assert store.content(record) == path.read_bytes()
    assert Audio(str(path), sample_rate=5).record(store)["sample_rate"] == 5


def test_wav_files_have_a_rate_and_duration(store: MemoryStore) -> None:
    content = store.content(Audio(TONE, 8000).record(store))
    record = Audio(io.BytesIO(content)).record(store)
    assert (record["sample_rate"], record["duration"]) == (8000, 0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TONE,), "sample_rate"),
        ((TONE, 0), "sample_rate"),
        ((np.zeros((4, 4)), 10), "1 or 2 channels"),
        ((np.zeros((2, 2, 2)), 10), "is not sound"),
        ((np.zeros(0), 10), "nothing empty"),
        (([100_000], 10), "16 bits"),
        ((b"hello", 10), "not sound of a known format"),
    ],
)
def test_values_that_are_not_sound_are_refused_with_advice(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Audio(*arguments)


def test_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Audio(tmp_path / "none.wav")
