"""Read event files: all that is in them, checked, in order, from any record on, also while they grow.

    file = EventFile("logs/events.out.tfevents.1700000000.host")
    for item in file.read():
        ...                       # Scalars, Message or Damage
    file.offset, file.pending     # where the next `read` goes on; how many bytes behind it are no whole record yet

An event file is a sequence of records (TensorFlow's TFRecord format), each a serialised `tensorboard.Event`. Runs of
scalar events, which most files are made of, are read by the column with numpy (`columns`); all others through protobuf.
"""

from .event_file import LARGEST, EventFile
from .results import Damage, Message, Metadata, Scalars
from .scalar_values import scalar

__all__ = ["LARGEST", "Damage", "EventFile", "Message", "Metadata", "Scalars", "scalar"]
