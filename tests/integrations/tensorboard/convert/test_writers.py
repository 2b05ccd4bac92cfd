"""Convert files of real writers, with every kind of value that they write."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tensorboard.compat.proto import graph_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.util import tensor_util

from tracker_tensorboard.convert import Line, companion_files, finish_state

from .converted import Converted, convert, events_of, in_event
from .values import Value

WRITERS = ["torch.utils.tensorboard", "tensorboardX"]


@pytest.fixture(params=WRITERS)
def library(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = pytest.importorskip(request.param)
    return module


@pytest.fixture
def writer(library: ModuleType, tmp_path: Path) -> Any:
    with library.SummaryWriter(str(tmp_path)) as writer:
        yield writer


def read(writer: Any) -> Converted:
    writer.close()
    return convert(directory=Path(writer.logdir if hasattr(writer, "logdir") else writer.log_dir))


def test_histograms(writer: Any) -> None:
    data = np.random.default_rng(0).normal(size=1000)
    for step in range(3):
        writer.add_histogram("h", data, step)
    found = read(writer)
    assert [step for step, _ in found.rows("h")] == [0, 1, 2]
    histogram = found.rows("h")[0][1]
    assert sum(histogram["counts"]) == 1000
    assert (histogram["bins"][0], histogram["bins"][-1]) == (data.min(), data.max())


def test_images_one_by_one_and_animated(writer: Any) -> None:
    pixels = np.zeros((3, 4, 5), np.float32)
    writer.add_image("im", pixels, 1)
    writer.add_images("grid", pixels[None].repeat(4, 0), 2)
    found = read(writer)
    image = found.one("im")
    assert (image["format"], image["width"], image["height"]) == ("png", 5, 4)
    assert found.files[image["digest"]].startswith(b"\x89PNG")
    assert found.one("grid")["_type"] == "image"


def test_sound(writer: Any) -> None:
    if "torch" not in type(writer).__module__:
        pytest.importorskip("soundfile")  # tensorboardX needs it
    writer.add_audio("a", np.zeros(4000, np.float32), 1, sample_rate=8000)
    sound = read(writer).one("a")
    assert (sound["format"], sound["sample_rate"], sound["duration"]) == ("wav", 8000, 0.5)


def test_text(writer: Any) -> None:
    writer.add_text("t", "# Hello", 3)
    assert read(writer).rows("t/text_summary")[0][1]["value"] == "# Hello"


def test_hyperparameters_in_a_directory_of_their_own(writer: Any) -> None:
    writer.add_hparams({"lr": 0.1, "name": "adam", "bias": True}, {"accuracy": 0.5})
    found = read(writer)
    assert {name: found.config[name] for name in ("lr", "name", "bias")} == {"lr": 0.1, "name": "adam", "bias": True}
    assert [metric["tag"] for metric in found.config["hparams_experiment"]["metrics"]] == ["accuracy"]
    assert found.one("accuracy") == 0.5
    states = [finish_state(Line(record.kind, record.payload, record.time)) for record in found.records]
    assert [state for state in states if state] == ["finished"]


def test_precision_recall_curves(writer: Any) -> None:
    writer.add_pr_curve("pr", np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.6, 0.4]), 1, num_thresholds=5)
    table = read(writer).table("pr")
    assert [row[0] for row in table["data"]] == [0, 0.25, 0.5, 0.75, 1]
    assert [row[1] for row in table["data"]] == [2, 2, 2, 1, 0]


def test_meshes(writer: Any) -> None:
    pytest.importorskip("torch")
    import torch

    vertices = torch.arange(12.0).reshape(1, 4, 3)
    writer.add_mesh("mesh", vertices, faces=torch.tensor([[[0, 1, 2], [0, 1, 3]]]), global_step=2)
    found = read(writer)
    files = found.of_kind("file")
    assert {file["tensorboard"]["plugin"] for file in files} == {"mesh"}
    assert len(files) == 2
    value = Value.FromString(found.files[files[0]["digest"]])
    assert tensor_util.make_ndarray(value.tensor).tolist() == vertices.tolist()


def test_layouts_of_custom_scalars(writer: Any) -> None:
    writer.add_custom_scalars({"Group": {"loss": ["Multiline", ["train/loss", "val/loss"]]}})
    found = read(writer)
    (file,) = found.of_kind("file")
    layout = layout_pb2.Layout.FromString(found.files[file["digest"]])
    assert layout.category[0].title == "Group"


def test_embeddings(library: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    import torch

    with library.SummaryWriter(str(tmp_path)) as writer:
        writer.add_embedding(
            torch.eye(4), metadata=list("abcd"), label_img=torch.zeros(4, 3, 8, 8), global_step=1, tag="emb"
        )
    names = [Path(companion.name).name for companion in companion_files(tmp_path)]
    assert sorted(names) == ["metadata.tsv", "projector_config.pbtxt", "sprite.png", "tensors.tsv"]


def test_graphs_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_graph(torch.nn.Linear(2, 1), torch.zeros(1, 2))
    found = convert(directory=tmp_path)
    graph, metadata = found.of_kind("file")
    assert graph_pb2.GraphDef.FromString(found.files[graph["digest"]]).node
    assert metadata["tensorboard"]["plugin"] == "run_metadata"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint8", "float64", "bool"])
def test_tensors_of_pytorch(dtype: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_tensor("x", torch.tensor([1, 0, 1], dtype=getattr(torch, dtype)), 1)
    assert convert(directory=tmp_path).one("x") == [1, 0, 1]


def test_a_tag_with_values_of_two_kinds_has_a_row_for_each(writer: Any) -> None:
    writer.add_scalar("t", 1.0, 0)
    writer.add_histogram("t", np.arange(10), 1)
    writer.add_scalar("t", 2.0, 2)
    kinds = [value if isinstance(value, float) else value["_type"] for _, value in read(writer).rows("t")]
    assert kinds == [1.0, "histogram", 2.0]


def test_the_writer_is_recorded(writer: Any) -> None:
    writer.add_scalar("loss", 1.0)
    assert read(writer).of_kind("tensorboard")[0]["file_version"] == "brain.Event:2"


def test_everything_that_tensorboards_helpers_write() -> None:
    from tensorboard.plugins.histogram.summary_v2 import histogram_pb
    from tensorboard.plugins.text.summary_v2 import text_pb

    found = convert(
        *histogram_pb("h", np.arange(10.0), buckets=5, description="about").value,
        *text_pb("t", [["a", "b"], ["c", "d"]]).value,
    )
    assert found.one("h")["counts"] == [2] * 5
    assert found.one("h")["tensorboard"] == {"description": "about"}
    assert found.table("t")["data"] == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("name", ["h", "im", "a", "t", "rows"])
def test_values_of_tensorflow_are_exported_byte_for_byte(name: str, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    with tf.summary.create_file_writer(str(tmp_path)).as_default(step=1):
        tf.summary.histogram("h", tf.range(100.0))
        tf.summary.image("im", tf.zeros([2, 4, 5, 3]), max_outputs=2)
        tf.summary.audio("a", tf.zeros([2, 400, 1]), 8000, max_outputs=2)
        tf.summary.text("t", "# Hello")
        tf.summary.text("rows", [["a", "b"], ["c", "d"]])
    (path,) = tmp_path.glob("*tfevents*")
    written = {value.tag: value for event in events_of(path) for value in event.summary.value}
    converted = Converted()
    converted.add([in_event(*written.values())])
    payload, value = converted.again(name)
    assert payload == converted.one(name)
    ours, theirs = tensor_util.make_ndarray(value.tensor), tensor_util.make_ndarray(written[name].tensor)
    assert ours.tolist() == theirs.tolist()
    assert ours.shape == theirs.shape


def test_everything_that_kerass_callback_writes(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("the callback needs Keras on TensorFlow")
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, name="dense")])
    model.compile("sgd", "mse")
    callback = keras.callbacks.TensorBoard(str(tmp_path), histogram_freq=1, write_images=True)
    model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, validation_split=0.5, callbacks=[callback], verbose=0)
    found = convert(directory=tmp_path / "train")
    kinds = {value["_type"] for _, value in found.rows() if isinstance(value, dict)}
    assert {"histogram", "image"} <= kinds
    assert "graph_keras_model" in {file["name"].split("/")[1] for file in found.of_kind("file")}
    assert not found.skipped
