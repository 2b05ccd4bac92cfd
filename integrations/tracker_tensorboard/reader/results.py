"""What reading an event file gives."""

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
    """Consecutive scalar values in file order, one entry a value.

    Value i is of the tag `tags[index[i]]`. `tags` is one list for all that an EventFile gives: it only grows, so places
    in it keep their meaning. Values are exactly what the file holds; only integers beyond 2^53 are rounded.
    """

    tags: list[str]
    index: NDArray[np.int32]  # type: ignore[assignment] # hides the method of tuples, which nobody needs here
    times: NDArray[np.float64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    ends: NDArray[np.int64]
    """The offset in the file behind the record that the value is from: a place to go on from."""
    end: int
    """The offset in the file behind the last record."""


class Message(NamedTuple):
    """An event that is more than scalar values; its record is bytes `start` to `end` of the file."""

    event: Event
    start: int
    end: int


class Damage(NamedTuple):
    """Bytes `start` to `end` of the file could not be used, and why."""

    start: int
    end: int
    reason: str
