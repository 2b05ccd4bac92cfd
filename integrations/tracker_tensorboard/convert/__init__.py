"""Convert events to records of the run log, and payloads of rows back to values of events.

- `Converter` makes records from events, `to_value` makes a value from a payload.
- `companion_files` and `hyperparameters` read the files next to event files.

docs/reference/tensorboard-values.md lists what each kind of value becomes.
"""

from .companion_files import CompanionFile, companion_files, store_file
from .converter import Converter, SkipReason
from .hparams import finish_state
from .hparams_yaml import hyperparameters
from .lines import Line, Store
from .to_event import to_value

__all__ = [
    "CompanionFile",
    "Converter",
    "Line",
    "SkipReason",
    "Store",
    "companion_files",
    "finish_state",
    "hyperparameters",
    "store_file",
    "to_value",
]
