"""Import every run of the corpus: nothing is missing, and views show what TensorBoard shows.

Skipped if there is no corpus.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

import tracker
from tests.integrations.tensorboard.events import bring
from tracker.runlog.reader import read_stream

CORPUS = Path(os.environ.get("TRACKER_CORPUS") or Path(__file__).parents[4] / "shared" / "corpus")
SPLITS = ("generated", "public_dev")


def index(split: str) -> list[dict[str, Any]]:
    path = CORPUS / f"index_{split}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


RUNS = [(split, entry["run"], entry) for split in SPLITS for entry in index(split)]
pytestmark = pytest.mark.skipif(not RUNS, reason=f"there is no corpus in {CORPUS}")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Import the whole corpus; return the run directories by split and run."""
    found = {}
    for split in SPLITS:
        root = tmp_path_factory.mktemp(split)
        done = bring(CORPUS / split, root)
        for job in done.jobs.values():
            found[split, job.source.path] = job.target.directory
    return found


DAMAGED = ("edge/crc_bad_data_mid", "edge/crc_bad_len_crc_mid", "edge/crc_bad_length_mid")

COUNTS = {
    **{(run, "loss"): 19 for run in DAMAGED},  # the index ends at the damage; what follows it is imported, too
    ("torch/images", "vid/gif"): 0,  # a value that holds nothing but a tag
    ("edge/dup_file_copy", "loss"): 40,  # one of the three copies is a `.bak`, which is skipped
}
"""Tags whose number of imported values differs from the index, and why."""

NOT_FLOAT32 = "the Rust server shows no tensors but of float32; of which type a number was, a run does not tell"
EXCEPTIONS = {
    **{(view, run, "loss"): "TensorBoard stops at damage" for view in ("python", "rust") for run in DAMAGED},
    ("python", "edge/dup_file_copy", "loss"): "TensorBoard reads the `.bak`, too",
    ("rust", "edge/nan_wall_time", "loss"): "the Rust server shows nothing of a tag with a time that is none",
    **{
        (view, run, "loss"): "TensorBoard fails on the whole file"
        for view in ("python", "rust")
        for run in ("edge/non_utf8_tag", "edge/valid_record_bad_proto")
    },
    ("python", "edge/node_name_tag", ""): "an old field for the tag, which TensorBoard's migration copies",
    ("rust", "edge/node_name_tag", ""): "an old field for the tag, which the Rust server does not show",
    ("python", "torch/tag_kind_change", "t"): "TensorBoard takes a histogram of a scalar tag for a number",
    ("rust", "torch/tag_kind_change", "t"): "the Rust server leaves out a histogram of a scalar tag",
    ("python", "tensorboardX/tag_kind_change", "t"): "TensorBoard takes a histogram of a scalar tag for a number",
    ("rust", "tensorboardX/tag_kind_change", "t"): "the Rust server leaves out a histogram of a scalar tag",
    ("python", "tf/v2_basic", "scalar_bfloat16"): "TensorBoard cannot read a bfloat16",
    ("python", "tf/v2_basic", "scalar_rank1"): "three numbers, of which TensorBoard shows the first",
    ("rust", "tf/v2_basic", "scalar_rank1"): "three numbers, which the Rust server does not show",
    **{("rust", "tf/v2_basic", f"scalar_{kind}"): NOT_FLOAT32 for kind in ("int64", "float16", "float64", "bfloat16")},
    ("rust", "torch/scalars", "loss_f64"): NOT_FLOAT32,
}
"""Where a view differs from TensorBoard, and why."""

Points = dict[str, list[tuple[int, Any]]]


def shown(run: Any, restarts: str) -> Points:
    """Return steps and values by key, in the order of a view."""
    found: Points = defaultdict(list)
    for row in run.scan_history(restarts=restarts):
        for key, value in row.items():
            if not key.startswith("_"):
                found[key].append((row["_step"], value))
    return found


def elsewhere(directory: Path) -> Counter[str]:
    """Return how many values of each tag are files of the run, or hyperparameters in its config."""
    counts: Counter[str] = Counter()
    for path in directory.glob("history-*.jsonl"):
        for record in (record for parsed in read_stream(path) for record in parsed.records):
            if record.kind == "file":
                counts[record.payload["tensorboard"]["tag"]] += 1
            elif record.kind == "config" and "hparams_experiment" in record.payload:
                counts["_hparams_/experiment"] += 1
            elif record.kind == "tensorboard":
                counts.update(f"_hparams_/{name}_info" for name in record.payload if name.startswith("session_"))
    return counts


def summed(points: list[tuple[int, Any]]) -> dict[str, Any]:
    """Summarise a scalar tag in the form of the index."""
    steps, numbers = [step for step, _ in points], [value for _, value in points]
    return {
        "n": len(points),
        "steps": [min(steps), max(steps)],
        "first": str(numbers[0]),
        "last": str(numbers[-1]),
        "nan": sum(math.isnan(n) for n in numbers),
        "inf": sum(math.isinf(n) for n in numbers),
        "fsum": str(math.fsum(n for n in numbers if math.isfinite(n))),
    }


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


@pytest.mark.parametrize(("split", "path", "entry"), RUNS, ids=[f"{split}-{path}" for split, path, _ in RUNS])
def test_nothing_is_missing_and_views_show_what_tensorboard_shows(
    split: str, path: str, entry: dict[str, Any], imported: dict[tuple[str, str], Path]
) -> None:
    if not (directory := imported[split, path]).exists():
        assert sum(file["records"] for file in entry["files"]) == 0
        return
    run = tracker.read_run(directory)
    rows = shown(run, "all")
    counts = elsewhere(directory)
    for tag, points in rows.items():
        counts[tag] += len(points)
    expected = {tag: COUNTS.get((path, tag), count) for tag, count in entry["raw_counts"].items()}
    assert {tag: counts[tag] for tag in expected} == expected
    for view, restarts in (("python", "tensorboard"), ("rust", "tensorboard-rust")):
        theirs = {tag: said for tag, said in entry[f"tb_{view}"].items() if said["plugin"] == "scalars" and said["n"]}
        ours = shown(run, restarts)
        numbers = {tag for tag, points in ours.items() if is_number(points[0][1])}
        for tag in {*theirs, *numbers}:
            if (view, path, tag) not in EXCEPTIONS:
                found = summed(ours[tag])
                assert {name: found[name] for name in found if name in theirs[tag]} == {
                    name: theirs[tag][name] for name in found if name in theirs[tag]
                }, (view, tag)


def test_each_exception_exists_in_the_corpus() -> None:
    runs = {run for _, run, _ in RUNS}
    assert {run for _, run, _ in EXCEPTIONS} <= runs
    assert {run for run, _ in COUNTS} <= runs
