from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")


from tracker_tensorboard.convert import companion_files, store_file


def write(path: Path, content: str | bytes = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names(directory: Path) -> list[str]:
    return [companion.name for companion in companion_files(directory)]


def test_files_of_hyperparameters_projector_and_profiler_are_found(tmp_path: Path) -> None:
    write(tmp_path / "hparams.yaml")
    write(tmp_path / "time_left.tsv")
    write(tmp_path / "plugins/profile/2026_01_01/host.xplane.pb")
    write(tmp_path / "00001/emb/tensors.tsv")
    write(tmp_path / "00001/emb/sprite.png")
    write(tmp_path / "model.ckpt")
    write(tmp_path / "events.out.tfevents.1.host")
    write(
        tmp_path / "projector_config.pbtxt",
        'embeddings { tensor_path: "00001/emb/tensors.tsv" sprite { image_path: "00001/emb/sprite.png" } }',
    )
    assert names(tmp_path) == [
        "hparams.yaml",
        "tensorboard/profile/2026_01_01/host.xplane.pb",
        "tensorboard/projector/00001/emb/sprite.png",
        "tensorboard/projector/00001/emb/tensors.tsv",
        "tensorboard/projector/projector_config.pbtxt",
        "tensorboard/projector/time_left.tsv",
    ]


def test_files_outside_of_the_directory_are_never_found_even_if_named_or_linked(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.tsv")
    logs = tmp_path / "logs"
    write(
        logs / "projector_config.pbtxt",
        f'embeddings {{ tensor_path: "../secret.tsv" metadata_path: "{secret}" bookmarks_path: "a\\000b" }}',
    )
    (logs / "linked.tsv").symlink_to(secret)
    (logs / "plugins").mkdir()
    (logs / "plugins/profile").symlink_to(tmp_path)
    assert names(logs) == ["tensorboard/projector/projector_config.pbtxt"]


def test_only_hyperparameters_next_to_the_event_files_are_used(tmp_path: Path) -> None:
    write(tmp_path / "other/hparams.yaml")
    write(tmp_path / "projector_config.pbtxt", 'embeddings { metadata_path: "other/hparams.yaml" }')
    assert "hparams.yaml" not in names(tmp_path)


def test_only_regular_files_are_found(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tsv")
    (tmp_path / "folder.tsv").mkdir()
    write(tmp_path / "projector_config.pbtxt", b"\xff not a configuration {")
    assert names(tmp_path) == ["tensorboard/projector/projector_config.pbtxt"]
    assert companion_files(tmp_path / "missing") == []


@pytest.mark.parametrize("size", [10, 20 * 2**20], ids=["small", "large"])
def test_a_file_is_stored_once_under_its_digest(tmp_path: Path, size: int) -> None:
    source = write(tmp_path / "a.tsv", b"y" * size)
    (tmp_path / "run").mkdir()
    digest = hashlib.sha256(b"y" * size).hexdigest()
    assert store_file(tmp_path / "run", source) == store_file(tmp_path / "run", source) == (digest, size)
    assert [path.name for path in (tmp_path / "run/files").iterdir()] == [digest]
    assert (tmp_path / "run/files" / digest).read_bytes() == source.read_bytes()


def test_a_stored_file_does_not_change_with_its_source(tmp_path: Path) -> None:
    source = write(tmp_path / "a.tsv", "before")
    digest, _ = store_file(tmp_path, source)
    source.write_text("after")
    assert (tmp_path / "files" / digest).read_text() == "before"
