"""Read files of the writers that people use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tests.integrations.tensorboard.reader.crafted import Found, read
from tracker_tensorboard.reader import EventFile, Message

STEPS = 300
TAGS = ["loss", "acc", "train/accuracy"]


def number(tag: str, step: int) -> float:
    return float(np.float32(1 / (step + len(tag))))


def read_directory(directory: Path) -> Found:
    (path,) = directory.rglob("*tfevents*")
    return read(path)


def check(found: Found) -> None:
    expected = [(tag, step, repr(number(tag, step))) for step in range(STEPS) for tag in TAGS]
    assert [(tag, step, value) for tag, _, step, value in (entry for entry in found if len(entry) == 4)] == expected
    assert not [entry for entry in found if isinstance(entry[-1], str) and len(entry) == 3]


@pytest.mark.parametrize("new_style", [False, True])
def test_torch(tmp_path: Path, new_style: bool) -> None:
    module = pytest.importorskip("torch.utils.tensorboard")
    with module.SummaryWriter(tmp_path) as writer:
        for step in range(STEPS):
            for tag in TAGS:
                writer.add_scalar(tag, number(tag, step), step, new_style=new_style)
    check(read_directory(tmp_path))


def test_torch_tensors_of_any_type(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torch.utils.tensorboard")
    types = "float16 bfloat16 float32 float64 int8 uint8 int16 int32 int64".split()
    with module.SummaryWriter(tmp_path) as writer:
        for name in types:
            for value in (0, 1, 3, 100):
                writer.add_tensor(name, torch.tensor(value, dtype=getattr(torch, name)), value)
            if name not in ("uint8",):
                writer.add_tensor(name, torch.tensor([-2], dtype=getattr(torch, name)), 4)
        writer.add_tensor("bool", torch.tensor(True), 0)
        writer.add_tensor("half", torch.tensor(0.1, dtype=torch.float16), 0)
        writer.add_tensor("bfloat16", torch.tensor(0.1, dtype=torch.bfloat16), 5)
        writer.add_tensor("tiny", torch.tensor(6e-8, dtype=torch.float16), 0)
        writer.add_tensor("several", torch.ones(2), 0)
        writer.add_tensor("complex", torch.tensor(1j), 0)
    found = [entry for entry in read_directory(tmp_path) if len(entry) == 4]
    values = {(tag, step): float(value) for tag, _, step, value in found}
    for name in types:
        assert [values[name, step] for step in (0, 1, 3, 100)] == [0, 1, 3, 100]
        assert values.get((name, 4), -2) == -2
    assert values["bool", 0] == 1
    assert values["half", 0] == float(np.float16(0.1))
    assert values["bfloat16", 5] == torch.tensor(0.1, dtype=torch.bfloat16).item()
    assert values["tiny", 0] == float(np.float16(6e-8))
    assert not {"several", "complex"} & {tag for tag, _ in values}


def test_tensorboardx_with_media_between(tmp_path: Path) -> None:
    module = pytest.importorskip("tensorboardX")
    with module.SummaryWriter(str(tmp_path)) as writer:
        for step in range(STEPS):
            for tag in TAGS:
                writer.add_scalar(tag, number(tag, step), step)
            if step % 50 == 0:
                writer.add_histogram("weights", np.arange(10.0), step)
                writer.add_text("text", "words", step)
    found = read_directory(tmp_path)
    check(found)
    assert sum(isinstance(entry[-1], bytes) for entry in found) == 1 + 2 * STEPS // 50


def test_a_file_is_followed_while_it_is_written(tmp_path: Path) -> None:
    module = pytest.importorskip("tensorboardX")
    writer = module.SummaryWriter(str(tmp_path), flush_secs=10_000, max_queue=1)
    writer.flush()
    (path,) = tmp_path.rglob("*tfevents*")
    file, found = EventFile(path), []
    for step in range(STEPS):
        for tag in TAGS:
            writer.add_scalar(tag, number(tag, step), step)
        writer.flush()
        found += [item for item in file.read() if not isinstance(item, Message)]
    writer.close()
    found += list(file.read())  # type: ignore[arg-type]
    assert sum(len(item.values) for item in found) == STEPS * len(TAGS)  # type: ignore[misc]
    assert file.pending == 0
    check(read(path))


def test_tensorflow(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        for step in range(STEPS):
            for tag in TAGS:
                tf.summary.scalar(tag, number(tag, step), step=step)
    writer.close()
    check(read_directory(tmp_path))


def test_keras(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    ones = np.ones((8, 1))
    kept = model.fit(
        ones, ones, epochs=30, verbose=0, callbacks=[keras.callbacks.TensorBoard(tmp_path, write_graph=False)]
    )
    found = [entry for entry in read_directory(tmp_path / "train") if entry[0] == "epoch_loss"]
    assert [entry[2] for entry in found] == list(range(30))
    assert [float(entry[3]) for entry in found] == pytest.approx(kept.history["loss"], rel=1e-6)
