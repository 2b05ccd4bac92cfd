"""Export runs as event files: importing them again gives the same runs, and TensorBoard opens them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
pytest.importorskip("tensorboardX", reason="the extra `tensorboard` is not installed")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.text.summary_v2 import text_pb

import tracker
from tests.integrations.tensorboard.events import NAME, START, bring, event, many, rows, runs, scalar, version, write
from tests.integrations.tensorboard.test_corpus import CORPUS, SPLITS
from tracker_tensorboard.export_cli import tensorboard_export

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
WAV = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x08\0\0\0" + bytes(8)


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(tensorboard_export, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def directories(root: str | Path = ".") -> list[Path]:
    return sorted(Path(root, ".tracker", "runs").iterdir())


def everything(run: Any) -> list[tuple[Any, ...]]:
    """Return all values of a run in stored order: key, step, time, value (NaN as text)."""
    return [
        (key, row["_step"], row["_timestamp"], repr(value) if isinstance(value, float) else value)
        for row in run.scan_history(restarts="all")
        for key, value in row.items()
        if not key.startswith("_")
    ]


def media() -> bytes:
    """Return events with a value of every other sort that can be exported, in version 1 and version 2."""
    old, new = event_pb2.Event().summary, event_pb2.Event().summary
    image = old.value.add(tag="v1/image").image
    image.height, image.width, image.colorspace, image.encoded_image_string = 1, 1, 3, PNG
    sound = old.value.add(tag="v1/sound").audio
    sound.sample_rate, sound.num_channels, sound.length_frames, sound.content_type = 8000, 1, 4, "audio/wav"
    sound.encoded_audio_string = WAV
    histogram = old.value.add(tag="v1/histogram").histo
    histogram.min, histogram.max, histogram.num, histogram.sum, histogram.sum_squares = -1.5, 2.25, 3, 1.5, 8
    histogram.bucket_limit.extend([-1.5, 0.0, 2.25])
    histogram.bucket.extend([1, 1, 1])
    new.value.extend(histogram_pb("v2/histogram", np.arange(9.0), buckets=4, description="about").value)
    new.value.extend(text_pb("v2/text", "# Hello, wörld").value)
    new.value.extend(text_pb("v2/texts", [["a", "b"], ["c", "d"]]).value)
    for tag, plugin, shape, content in (
        ("v2/images", "images", [4], [b"1", b"1", PNG, PNG]),
        ("v2/sound", "audio", [1, 2], [WAV, b"a label"]),
    ):
        value = new.value.add(tag=tag)
        value.metadata.plugin_data.plugin_name = plugin
        value.tensor.dtype = 7
        value.tensor.string_val.extend(content)
        for length in shape:
            value.tensor.tensor_shape.dim.add(size=length)
    return event(START + 1, step=1, summary=old) + event(START + 2, step=2, summary=new)


def test_imported_event_files_are_exported_unchanged() -> None:
    odd = [0.1, math.nan, math.inf, -math.inf, -0.0, 1e-45, 3.4e38]
    scalars = [scalar("loss", step - 1, number, START + step / 7) for step, number in enumerate(odd)]
    write(Path("logs/a") / NAME, version(), *scalars, media())
    write(Path("logs/a/tfevents.2"), version(), many(0, 5))
    write(Path("logs") / NAME, many(3, 9))
    bring(Path("logs"), "first")
    result = call(*directories("first"), "out")
    assert result.exit_code == 0, result.output
    assert "a: 17 scalars, " in result.output
    bring(Path("out"), "second")
    assert {name: everything(run) for name, run in runs("second").items()} == {
        name: everything(run) for name, run in runs("first").items()
    }
    files = {path.name: path.read_bytes() for path in Path("first").rglob("files/*")}
    assert {path.name: path.read_bytes() for path in Path("second").rglob("files/*")} == files
    assert sorted(path.name for path in Path("out/a").iterdir()) == [NAME, "tfevents.2"]
    assert len(files) == 3


def test_tensorboard_opens_the_export() -> None:
    write(Path("logs") / NAME, version(), many(0, 50), media())
    bring(Path("logs"))
    assert call(*directories(), "out").exit_code == 0
    found = EventAccumulator("out/logs", size_guidance={"scalars": 0, "tensors": 0, "histograms": 0})
    found.Reload()
    points = [(e.step, e.wall_time, e.value) for e in found.Scalars("loss")]
    assert points == [(step, START + step, float(step)) for step in range(50)]
    tags = found.Tags()
    assert (tags["images"], tags["audio"], tags["histograms"]) == (["v1/image"], ["v1/sound"], ["v1/histogram"])
    assert found.Images("v1/image")[0].encoded_image_string == PNG
    assert {"v2/histogram", "v2/text", "v2/texts", "v2/images"} <= set(tags["tensors"])
    assert found.SummaryMetadata("v2/histogram").plugin_data.plugin_name == "histograms"
    assert [value.decode() for value in found.Tensors("v2/texts")[0].tensor_proto.string_val] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("library", ["torch.utils.tensorboard", "tensorboardX"])
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_event_files_of_real_writers_are_exported_unchanged(library: str) -> None:
    module = pytest.importorskip(library)
    random = np.random.default_rng(0)
    with module.SummaryWriter("logs") as writer:
        for step in range(20):
            writer.add_scalar("loss", random.normal(), step)
            writer.add_histogram("weights", random.normal(size=100), step)
        writer.add_image("picture", random.random((3, 4, 5)), 3)
        writer.add_text("said", "# Hello\n\n**you**", 4)
        if library.startswith("torch"):
            writer.add_audio("sound", np.zeros((1, 400), np.float32), 5, sample_rate=8000)
    bring(Path("logs"), "first")
    result = call(*directories("first"), "out")
    assert result.exit_code == 0, result.output
    bring(Path("out"), "second")
    assert everything(runs("second")["logs"]) == everything(runs("first")["logs"])


def test_sessions_and_directories_are_exported_so_that_views_show_the_same() -> None:
    start = event(START + 90, step=3, session_log={"status": 1})
    again = b"".join(scalar("loss", step, step + 0.5, START + 100 + step) for step in range(3, 8))
    begun = event(START, session_log={"status": 1})
    write(Path("logs/train/tfevents.1"), version(), begun, many(0, 6), start, again)
    write(Path("logs/val/tfevents.1"), version(), many(0, 3))
    bring(Path("logs"), "first", single=True)
    assert call(*directories("first"), "out").exit_code == 0
    assert sorted(str(path.parent) for path in Path("out").rglob("tfevents*")) == ["out/logs/train", "out/logs/val"]
    bring(Path("out/logs"), "second", single=True)
    (first,), (second,) = runs("first").values(), runs("second").values()
    for view in ("all", "latest", "tensorboard", "tensorboard-rust"):
        assert list(second.scan_history(restarts=view)) == list(first.scan_history(restarts=view)), view
    assert len(list(first.scan_history(restarts="tensorboard"))) < len(list(first.scan_history(restarts="all")))


def test_logged_rows_are_exported_as_far_as_event_files_can_represent_them() -> None:
    with tracker.init(project="p", name="mine", mode="offline") as run:
        run.log({"loss": 0.5, "text": "hello", "big": 2**80, "flag": True, "tenth": 0.1, "nan": math.nan}, step=7)
        run.log({"histogram": tracker.Histogram([1, 2, 2, 3]), "picture": tracker.Image(PNG, caption="one")}, step=8)
        run.log({"pictures": [tracker.Image(PNG), tracker.Image(PNG)], "html": tracker.Html("<p>"), "list": [1, 2]})
    result = call(*directories(), "out")
    assert result.exit_code == 1, "html and a list have no form in event files"
    assert "left out: mine: html: 1 value: event files cannot hold this type: html" in result.output
    assert "left out: mine: list: 1 value: event files cannot hold this type: list" in result.output
    assert "rounded: mine: 1 scalar to float32" in result.output
    bring(Path("out"), "second")
    (again,) = runs("second").values()
    found = {key: (step, value) for key, step, value in rows(again)}
    assert found.keys() == {"loss", "text", "big", "flag", "tenth", "nan", "histogram", "picture", "pictures"}
    assert (found["loss"], found["flag"], found["text"][1]["value"]) == ((7, 0.5), (7, 1.0), "hello")
    assert (found["big"][1], found["tenth"][1]) == (2.0**80, float(np.float32(0.1)))
    assert math.isnan(found["nan"][1])
    assert sum(found["histogram"][1]["counts"]) == 4
    assert (found["picture"][1]["_type"], found["pictures"][1]["_type"]) == ("image", "list")


def test_a_run_on_the_server_is_exported_like_its_directory(server: Any) -> None:
    write(Path("logs/a") / NAME, version(), many(0, 5000), media())
    write(Path("logs/a/tfevents.2"), version(), many(0, 10))
    bring(Path("logs"))
    (directory,) = directories()
    tracker.Sync().upload(directory)
    assert call(f"me/boards/{directory.name}", "remote").exit_code == 0
    assert call(directory, "local").exit_code == 0
    written = {file.relative_to("local"): file.read_bytes() for file in Path("local").rglob("*tfevents*")}
    assert {file.relative_to("remote"): file.read_bytes() for file in Path("remote").rglob("*tfevents*")} == written
    assert len(written) == 2


# -- the command ----------------------------------------------------------------------------------------------------


def imported(*names: str) -> list[Path]:
    for name in names:
        write(Path("logs", name) / NAME, version(), many(0, 2))
    bring(Path("logs"))
    return directories()


def test_a_directory_that_is_not_empty_is_refused_without_add() -> None:
    paths = imported("a")
    write(Path("out/notes.txt"), b"mine")
    result = call(*paths, "out")
    assert result.exit_code == 2
    assert "--add" in result.output
    assert call("--add", *paths, "out").exit_code == 0
    assert Path("out/notes.txt").read_bytes() == b"mine"
    before = (Path("out/a") / NAME).read_bytes()
    result = call("--add", *paths, "out")
    assert result.exit_code == 1
    assert "already has event files" in result.output
    assert (Path("out/a") / NAME).read_bytes() == before


def test_a_run_that_cannot_be_read_does_not_affect_the_others(server: Any) -> None:
    result = call(*imported("a"), "me/nowhere/nothing", "out")
    assert result.exit_code == 1
    assert "failed: me/nowhere/nothing" in result.output
    assert (Path("out/a") / NAME).exists()


@pytest.mark.parametrize("given", ["nonsense", "a/b/c/d", "logs"])
def test_an_unknown_run_is_refused(given: str) -> None:
    imported("a")
    assert call(given, "out").exit_code == 2


def test_names_of_runs_and_files_never_lead_outside_the_directory() -> None:
    for name in ("../../up", "/etc/x", "a//b", "..", "same", "same"):
        with tracker.init(project="p", name=name, mode="offline") as run:
            run.log({"x": 1.0})
    result = call(*directories(), "in/out")
    assert result.exit_code == 0, result.output
    found = list(Path(".").rglob("*tfevents*"))
    assert len(found) == 6
    assert all(path.parts[:2] == ("in", "out") for path in found)


def test_media_without_content_are_counted_and_do_not_affect_others() -> None:
    write(Path("logs") / NAME, version(), media(), many(0, 3))
    bring(Path("logs"))
    (directory,) = directories()
    for path in (directory / "files").iterdir():
        path.unlink()
    result = call(directory, "out")
    assert result.exit_code == 1
    assert "left out: logs: v1/image: 1 value: its content is missing" in result.output
    bring(Path("out"), "second")
    tags = {key for key, _, _ in rows(runs("second")["logs"])}
    assert {"loss", "acc", "v1/histogram", "v2/text"} <= tags
    assert "v1/image" not in tags


@pytest.mark.skipif(not CORPUS.exists(), reason=f"there is no corpus in {CORPUS}")
@pytest.mark.parametrize("split", SPLITS)
def test_the_whole_corpus_is_exported_unchanged(split: str, tmp_path: Path) -> None:
    first = bring(CORPUS / split, tmp_path / "first")
    there = {job.source.path: job.target.directory for job in first.jobs.values() if job.target.directory.exists()}
    call(*there.values(), "out")
    bring(Path("out"), tmp_path / "second")
    again = runs(tmp_path / "second")
    for path, directory in there.items():
        run = tracker.read_run(directory)
        expected = [as_float32(value) for value in everything(run) if has_a_form(value[-1])]
        found = everything(again[run.name]) if run.name in again else []
        assert sorted(map(str, found)) == sorted(map(str, expected)), path


def has_a_form(value: Any) -> bool:
    """Return whether event files can represent a value; not lists of numbers or precision-recall curves."""
    return not isinstance(value, list) and not (isinstance(value, dict) and "plot" in value)


def as_float32(found: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the value rounded to float32, which changes only what PyTorch wrote as float64."""
    *place, value = found
    return (*place, repr(float(np.float32(value))) if found[0] == "loss_f64" else value)
