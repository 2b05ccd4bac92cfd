"""What becomes of the values of event files: rows, config, files of the run, provenance (docs/how-to/tensorboard.md).

`Converter` makes records of the run log from events, `to_value` values from what stands in rows, and `files_beside`
and `hyperparameters` find what lies beside event files.
"""

from .back import to_value
from .converter import Converter, Reason
from .directory import Beside, files_beside, keep
from .hparams import finish_state
from .hparams_yaml import hyperparameters
from .lines import Line, Store

__all__ = [
    "Beside",
    "Converter",
    "Line",
    "Reason",
    "Store",
    "files_beside",
    "finish_state",
    "hyperparameters",
    "keep",
    "to_value",
]
