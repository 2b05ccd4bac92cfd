"""Every value in the corpus becomes a row, config, a file, or is counted."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tensorboard.compat.proto import event_pb2
from tensorboard.util import tensor_util

from tracker_tensorboard.convert import Converter
from tracker_tensorboard.reader import Damage, EventFile, Message, Scalars

from .converted import Converted, in_event

CORPUS = Path(os.environ.get("TRACKER_CORPUS", Path(__file__).parents[5] / "shared/corpus"))
if not (CORPUS / "README.md").exists():
    pytest.skip("the corpus is not here (TRACKER_CORPUS)", allow_module_level=True)

EXTRA = ("file_version", "graph_def", "meta_graph_def", "session_log", "tagged_run_metadata", "log_message")


def runs() -> Iterator[Any]:
    for split in ("generated", "public_dev"):
        for line in (CORPUS / f"index_{split}.jsonl").read_text().splitlines():
            run = json.loads(line)
            yield pytest.param(CORPUS / split / run["run"], run, id=run["run"])


@pytest.mark.parametrize(("directory", "run"), list(runs()))
def test_no_value_is_lost(directory: Path, run: dict[str, Any]) -> None:
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    converted = Converted()
    for file in run["files"]:
        converted.converter = Converter(converted.store, converted.converter.metadata)
        for item in EventFile(directory / file["name"], metadata=converted.converter.metadata).read():
            if isinstance(item, Scalars):
                counts.update(item.tags[index] for index in item.index.tolist())
            elif isinstance(item, Message):
                _count(item.event, converted, counts, kinds)
            else:
                assert isinstance(item, Damage)
    for tag, number in run["raw_counts"].items():
        assert counts[tag] >= number, tag
    for kind in EXTRA:
        assert kinds[kind] >= run["kinds"].get(f"ev:{kind}", 0)


def _count(event: event_pb2.Event, converted: Converted, counts: Counter[str], kinds: Counter[str]) -> None:
    """Count the converted values of an event; for an event without summary, count its kind."""
    kind = event.WhichOneof("what")
    if kind is not None and kind != "summary":
        kinds[kind] += len(converted.converter.lines(event, 0))
    for value in event.summary.value:
        skipped = sum(converted.converter.skipped.values())
        lines = converted.converter.lines(in_event(value, step=event.step), 0)
        assert lines or sum(converted.converter.skipped.values()) > skipped
        counts[value.tag] += 1
        converted.records.clear()
        converted.add([in_event(value)])
        _comes_back(value, converted)


def _comes_back(value: Any, converted: Converted) -> None:
    """Assert that a histogram, image, sound or text survives export and import, and equals what TensorBoard shows."""
    for _, payload in converted.rows():
        kind = payload.get("_type") if isinstance(payload, dict) else None
        if kind is None or "plot" in payload:
            continue
        again, written = converted.again(value.tag)
        assert repr(again) == repr(payload)
        ours, theirs = _shown(written), _shown(value)
        assert repr(ours.tolist()) == repr(theirs.tolist())
        assert ours.shape == theirs.shape


def _shown(value: Any) -> Any:
    from tensorboard import data_compat

    return tensor_util.make_ndarray(data_compat.migrate_value(value).tensor)
