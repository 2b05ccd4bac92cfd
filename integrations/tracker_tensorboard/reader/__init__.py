"""Read event files: everything in them, checked, in order, from any record on, even while they grow.

    file = EventFile("logs/events.out.tfevents.1700000000.host")
    for item in file.read():
        ...                       # Scalars, Message or Damage
    file.offset, file.pending     # where the next `read` continues; bytes after it that are no complete record yet

An event file is a sequence of records (TensorFlow's TFRecord format), each a serialised `tensorboard.Event`. Most are
scalar events. numpy reads many of these at once (`scalar_columns`); protobuf reads all other events.
"""

from .event_file import LARGEST, EventFile
from .results import Damage, Message, Metadata, Scalars
from .scalar_values import scalar

__all__ = ["LARGEST", "Damage", "EventFile", "Message", "Metadata", "Scalars", "scalar"]
