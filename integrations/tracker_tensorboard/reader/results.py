"""The items that reading an event file yields."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

try:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import SummaryMetadata as Metadata
except ImportError as error:
    raise ModuleNotFoundError(
        f"reading event files needs TensorBoard ({error}): pip install 'tracker-runs[tensorboard]'"
    ) from error

__all__ = ["Damage", "Event", "Message", "Metadata", "Scalars"]


class Scalars(NamedTuple):
    """Consecutive scalar values in file order, one entry for each value.

    The tag of value i is `tags[index[i]]`. `tags` is one list for all items of an EventFile. It only grows, so an index
    keeps its meaning. Values are exactly those of the file; only integers beyond 2^53 are rounded.
    """

    tags: list[str]
    index: NDArray[np.int32]  # type: ignore[assignment] # hides a method of tuples, which is not needed here
    times: NDArray[np.float64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    ends: NDArray[np.int64]
    """The file offset after the record of each value; reading can continue there."""
    end: int
    """The file offset after the last record."""


class Message(NamedTuple):
    """An event that is not only scalar values. Its record is bytes `start` to `end` of the file."""

    event: Event
    start: int
    end: int


class Damage(NamedTuple):
    """Bytes `start` to `end` of the file are unusable, for this reason."""

    start: int
    end: int
    reason: str
