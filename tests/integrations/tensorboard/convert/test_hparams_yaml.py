"""Reading `hparams.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
pytest.importorskip("yaml", reason="needs PyYAML")

import yaml

from tracker_tensorboard.convert import hyperparameters


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_hyperparameters_keep_their_types_and_nesting(tmp_path: Path) -> None:
    path = write(
        tmp_path / "hparams.yaml", "lr: 0.1\nlayers: [1, 2]\nopt:\n  name: adam\n  nan: .nan\nday: 2026-01-02\n"
    )
    found = hyperparameters(path)
    nan = {"_type": "float", "value": "NaN"}
    assert found == {"lr": 0.1, "layers": [1, 2], "opt": {"name": "adam", "nan": nan}, "day": "2026-01-02"}


def test_python_objects_become_their_class_names_and_no_code_runs(tmp_path: Path) -> None:
    path = write(
        tmp_path / "hparams.yaml",
        "a: !!python/object/apply:os.system ['touch ran']\n"
        "b: !!python/object:argparse.Namespace\n  x: 1\n"
        "c: !!python/name:torch.nn.ReLU ''\n"
        "d: !!python/tuple [1, 2]\n"
        "e: !!python/object:net.Net\n  training: true\n  lr: 5\n  parts: [{deep: &part {a: 1}}]\n"
        "f: !!python/object/apply:pathlib.PosixPath [/, data, set]\n"
        "g: !!python/object/apply:collections.OrderedDict\n- - [x, 1]\n  - [y, !!python/long '7']\n"
        "h: !!python/object/new:utilities.AttributeDict\n  dictitems: {z: 1}\n  state: {z: 2}\n"
        "i: [!!python/unicode 'text', !!python/complex 1j, !!python/none '', !custom {k: v}, *part]\n"
        "lr: 0.1\n",
    )
    assert hyperparameters(path) == {
        "a": "os.system",
        "b": {"x": 1},
        "c": "torch.nn.ReLU",
        "d": [1, 2],
        "e": "net.Net",
        "f": "/data/set",
        "g": {"x": 1, "y": 7},
        "h": {"z": 1},
        "i": ["text", "1j", None, {"k": "v"}, ""],
        "lr": 0.1,
    }
    assert not (tmp_path / "ran").exists()


def test_an_empty_file_has_no_hyperparameters(tmp_path: Path) -> None:
    assert hyperparameters(write(tmp_path / "hparams.yaml", "")) == {}
    assert hyperparameters(write(tmp_path / "hparams.yaml", "{}\n")) == {}


NESTED = "[" * 200 + "]" * 200
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 12))


@pytest.mark.parametrize(
    "content",
    ["- 1\n", "a: [", "a: " + NESTED, LAUGHS, MERGED, "a: &a [*a]", "x" * 2_000_000, "a: " + "9" * 5000, b"a: \xff"],
    ids=["list", "broken", "deep", "laughs", "merged", "circle", "large", "digits", "bytes"],
)
def test_files_without_a_mapping_or_with_exploding_aliases_are_refused_with_the_reason(
    content: str | bytes, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        hyperparameters(write(tmp_path / "hparams.yaml", content))


def test_pickled_objects_become_names_and_the_rest_is_kept(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(*[torch.nn.Linear(8, 8) for _ in range(300)])
    text = yaml.dump({"act": torch.nn.ReLU, "lr": 0.1, "model": model, "training": "mine", "zero": [0]})
    assert len(text) > 2**19
    assert hyperparameters(write(tmp_path / "hparams.yaml", text)) == {
        "act": "torch.nn.modules.activation.ReLU",
        "lr": 0.1,
        "model": "torch.nn.modules.container.Sequential",
        "training": "mine",
        "zero": [0],
    }


@pytest.mark.parametrize(
    "large",
    [
        "large: !!python/object:net.Net\n" + "".join(f"  m{i}: {{x: {'a' * 200}}}\n" for i in range(10_000)),
        "large:\n" + "- word\n" * 200_000,
        f"large: {'x' * 2_000_000}\n",
    ],
    ids=["object", "list", "text"],
)
def test_a_large_file_is_read_and_only_its_large_member_is_omitted(large: str, tmp_path: Path) -> None:
    path = write(tmp_path / "hparams.yaml", f"lr: 0.1\n{large}seed: 3\nopt: {{name: adam}}\n")
    found = hyperparameters(path)
    assert len(found.pop("large")) < 100
    assert found == {"lr": 0.1, "seed": 3, "opt": {"name": "adam"}}


def test_only_the_beginning_of_a_huge_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "hparams.yaml", "lr: 0.1\n" + "".join(f"m{i}: {'x' * 1000}\n" for i in range(18_000)))
    found = hyperparameters(path)
    assert found["lr"] == 0.1
    assert 1000 < len(found) < 18_000
