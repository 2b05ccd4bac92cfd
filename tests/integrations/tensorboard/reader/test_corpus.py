"""Read real files: nothing that a record-by-record count found in them is missing."""

from __future__ import annotations

import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tests.integrations.tensorboard.reader.crafted import read, read_slowly
from tracker_tensorboard.reader import Damage, EventFile, Message, Scalars

_PLACE = os.environ.get("TRACKER_CORPUS")  # read before the tests clear the environment
CORPUS = Path(_PLACE) if _PLACE else Path(__file__).resolve().parents[5] / "shared" / "corpus"
INDEXES = sorted(CORPUS.glob("index_*.jsonl"))
needs_corpus = pytest.mark.skipif(not INDEXES, reason=f"no corpus of event files in {CORPUS}; TRACKER_CORPUS names it")

NOT_SCALARS = {"t", "scalar_rank1"}
"""Tags of the scalars plugin that hold other things: histograms between scalars, a tensor of several elements."""


def runs() -> Iterator[Any]:
    for index in INDEXES:
        for line in index.read_text("utf-8").splitlines():
            run = json.loads(line)
            yield pytest.param(run, id=f"{run['split']}/{run['run']}")


def read_run(run: dict[str, Any]) -> tuple[Counter[str], dict[str, list[tuple[int, float]]], list[Damage], int]:
    """Return the numbers of values by tag, the scalars with their steps, the damage, and the bytes left."""
    counts: Counter[str] = Counter()
    scalars: dict[str, list[tuple[int, float]]] = defaultdict(list)
    damage: list[Any] = []
    pending, metadata = 0, dict[str, Any]()
    for file in run["files"]:
        events = EventFile(CORPUS / run["split"] / run["run"] / file["name"], metadata=metadata)
        for item in events.read():
            if isinstance(item, Scalars):
                for place, step, value in zip(
                    item.index.tolist(), item.steps.tolist(), item.values.tolist(), strict=True
                ):
                    scalars[item.tags[place]].append((step, value))
            elif isinstance(item, Message):
                for value in item.event.summary.value:
                    if value.HasField("simple_value"):  # next to other values in one event
                        scalars[value.tag].append((item.event.step, value.simple_value))
                    else:
                        counts[value.tag] += 1
            else:
                damage.append(item)
        pending += events.pending
    counts.update({tag: len(found) for tag, found in scalars.items()})
    return counts, scalars, damage, pending


@needs_corpus
@pytest.mark.parametrize("run", list(runs()))
def test_every_value_of_every_tag_is_read(run: dict[str, Any]) -> None:
    counts, scalars, damage, pending = read_run(run)
    torn = [file["tail"] for file in run["files"] if file["tail"]]
    assert bool(damage or pending) == bool(torn)
    if any(kind.startswith("bad_") for kind, _ in torn):  # the index counts up to the damage
        assert all(counts[tag] >= count for tag, count in run["raw_counts"].items())
    else:
        assert counts == run["raw_counts"]
        assert pending == sum(file["bytes"] - file["good_bytes"] for file in run["files"])
    for tag, shown in (run["tb_python"] or {}).items():
        if shown["plugin"] != "scalars" or tag in NOT_SCALARS:
            continue
        assert tag in scalars
        if shown["first"] is None:  # TensorBoard cannot make numbers of bfloat16
            continue
        found = scalars[tag]
        if shown["n"] != len(found):
            assert shown["n"] < len(found)  # TensorBoard hides rows, or stops at damage
            continue
        finite = [value for _, value in found if math.isfinite(value)]
        assert [min(step for step, _ in found), max(step for step, _ in found)] == shown["steps"]
        assert (repr(found[0][1]), repr(found[-1][1])) == (shown["first"], shown["last"])
        assert sum(math.isnan(value) for _, value in found) == shown["nan"]
        assert sum(math.isinf(value) for _, value in found) == shown["inf"]
        assert repr(math.fsum(finite)) == shown["fsum"]


@needs_corpus
def test_everything_around_the_damage_of_a_file_is_read() -> None:
    edge = CORPUS / "generated" / "edge"
    for name in (
        "crc_bad_data_mid",
        "crc_bad_len_crc_mid",
        "crc_bad_length_mid",
        "valid_record_bad_proto",
        "non_utf8_tag",
    ):
        (path,) = (edge / name).iterdir()
        found = read(path)
        assert sum(len(entry) == 4 for entry in found) in (19, 20), name
        assert sum(isinstance(entry[-1], str) and len(entry) == 3 for entry in found) == 1, name


@needs_corpus
def test_small_files_are_read_as_by_the_simple_reader() -> None:
    for path in sorted((CORPUS / "generated" / "edge").glob("*/*")):
        assert read(path) == read_slowly(path.read_bytes())[0], path
