"""What becomes of the values of event files: rows, config, files of the run, provenance (docs/how-to/tensorboard.md).

`Converter` makes records of the run log from events, `to_value` values from what stands in rows, and `companion_files`
and `hyperparameters` find what lies beside event files.
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
