"""Convert the events of an event file to records of the run log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, NamedTuple

import orjson
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import event_pb2

from tracker.errors import contained
from tracker.runlog.records import jsonable
from tracker_tensorboard.reader import Metadata, scalar

from . import audio, histograms, hparams, images, pr_curves, session_events, text, value_files
from .lines import ConversionError, Line, Store, Value
from .tensors import is_numeric, numbers, shape_of

MAX_PAYLOAD = 7 * 2**20
"""The most bytes of a payload, so that its line stays under the 8 MiB of FORMAT.md."""
MAX_LISTED = 1024
"""The most elements of a tensor that becomes lists in its row; larger ones become files."""

NO_VALUE = "no value"
"""The reason for a value without content. It is the only one that does not become a file."""

_MAX_REASONS = 10_000
_MAX_TAG = 200
_NUMBER_PLUGINS = (
    "",
    "tensor",
    "scalars",
)  # plugins whose tensors are just numbers; PyTorch's add_tensor says "tensor"
_FILE_PLUGINS = (
    "custom_scalars",
    "graph_keras_model",
    "graph_run_metadata",
    "graph_run_metadata_graph",
    "graphs",
    "mesh",
)


class SkipReason(NamedTuple):
    """Why values of a tag were not converted."""

    tag: str
    reason: str


class Converter:
    """Converts the events of one event file, in order.

    `store` stores content as a file of the run. `metadata` has the first metadata of each tag so far. It is shared with
    the reader, and passed again on resumption. The lines for an event depend only on it and the event, so a converter
    that starts in the middle of a file makes the same lines as one that starts at its beginning.
    """

    def __init__(self, store: Store, metadata: dict[str, Metadata] | None = None) -> None:
        self._store = store
        self.metadata = {} if metadata is None else metadata
        self.skipped: Counter[SkipReason] = Counter()
        """How many values could not be converted, and became a file or were left out."""

    def lines(self, event: event_pb2.Event, row: int) -> list[Line]:
        """Return the records for an event, in the order of its values. `row` rows of the stream come before it.

        Each value becomes a row, hyperparameters, or a file of the run. A value that cannot be converted becomes a
        file too, and is counted in `skipped` with the reason; it does not affect other values. Raises OSError if
        `store` does.
        """
        if not event.HasField("summary"):
            convert = partial(session_events.lines, event, row, self._store)
            return self._lines_or_file(convert, event.SerializeToString, event.WhichOneof("what") or "", event)
        found = []
        for value in event.summary.value:
            if value.HasField("metadata") and value.tag not in self.metadata:
                self.metadata[value.tag] = Metadata.FromString(value.metadata.SerializeToString())
            known = self.metadata.get(value.tag)
            convert = partial(self._value, value, known, event)
            found += self._lines_or_file(convert, partial(value_files.value_bytes, value, known), value.tag, event)
        return found

    def _value(self, value: Value, known: Metadata | None, event: event_pb2.Event) -> list[Line]:
        plugin = known.plugin_data.plugin_name if known is not None else ""
        number = scalar(value, known)
        if number is not None:
            return [Line("log", {value.tag: jsonable(number)}, event.wall_time, event.step)]
        if plugin == "hparams" and value.WhichOneof("value") in (None, "tensor"):
            return hparams.lines(value.metadata, event.wall_time)
        payload = self._media(value, plugin)
        if payload is not None:
            return [Line("log", {value.tag: payload}, event.wall_time, event.step)]
        if value.WhichOneof("value") is None and not value.metadata.plugin_data.content:
            raise ConversionError(NO_VALUE)
        return [value_files.value_line(value, plugin, known, self._store, event.wall_time, event.step)]

    def _media(self, value: Value, plugin: str) -> Any:
        """Return the payload of a value for a row; None if the value becomes a file."""
        what = value.WhichOneof("value")
        if what == "histo":
            return histograms.from_proto(value)
        if what == "image":
            return images.from_proto(value, self._store)
        if what == "audio":
            return audio.from_proto(value, self._store)
        if what != "tensor" or plugin in _FILE_PLUGINS:
            return None
        convert = _FROM_TENSOR.get(plugin)
        if convert is not None:
            return convert(value, self._store)
        if plugin in _NUMBER_PLUGINS and is_numeric(value.tensor) and prod(shape_of(value.tensor)) <= MAX_LISTED:
            return jsonable(numbers(value.tensor).tolist())
        return None

    def _lines_or_file(
        self, convert: Callable[[], list[Line]], value_bytes: Callable[[], bytes], tag: str, event: event_pb2.Event
    ) -> list[Line]:
        """Return the lines that `convert` makes if the log can hold them, else one for a file of the `value_bytes`."""
        try:
            lines = convert()
            if all(len(orjson.dumps(line.payload)) <= MAX_PAYLOAD for line in lines):
                return lines
            reason = "too large for a line of the log"
        except (ConversionError, DecodeError) as error:
            reason = str(error) if isinstance(error, ConversionError) else "unreadable metadata of its plugin"
        except OSError:
            raise
        except Exception as error:
            reason = type(error).__name__
            with contained(f"the import of {tag[:100]!r}"):
                raise
        known = len(self.skipped) < _MAX_REASONS
        self.skipped[SkipReason(tag[:_MAX_TAG] if known else "…", reason)] += 1
        if reason == NO_VALUE:
            return []
        line = value_files.file_line("other", tag, "pb", value_bytes(), self._store, event.wall_time, event.step)
        line.payload["tensorboard"]["reason"] = reason
        return [line]


_FROM_TENSOR: dict[str, Callable[[Value, Store], dict[str, Any]]] = {
    "histograms": histograms.from_tensor,
    "images": images.from_tensor,
    "audio": audio.from_tensor,
    "text": text.from_tensor,
    "pr_curves": pr_curves.from_tensor,
}
