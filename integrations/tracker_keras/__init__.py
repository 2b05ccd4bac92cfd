"""Log Keras 3 training with callbacks, on any backend.

    from tracker_keras import TrackerCallback

    model.fit(x, y, epochs=10, callbacks=[TrackerCallback()])

Importing this package imports neither Keras nor a backend. The first use of one of its classes imports Keras, so set
`KERAS_BACKEND` before. Without Keras you can import and subclass the classes; creating an instance raises ImportError.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import tracker_runs  # noqa: F401 - makes `tracker` ours here, even next to a user's own `tracker.py`

if TYPE_CHECKING:
    from .callback import TrackerCallback
    from .checkpoint import TrackerModelCheckpoint
    from .evaluation import TrackerEvalCallback

__all__ = ["TrackerCallback", "TrackerEvalCallback", "TrackerModelCheckpoint"]

_MODULES = {
    "TrackerCallback": ".callback",
    "TrackerEvalCallback": ".evaluation",
    "TrackerModelCheckpoint": ".checkpoint",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(_MODULES[name], __name__), name)
    except ImportError as error:
        return _missing(name, error)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _missing(name: str, reason: ImportError) -> type:
    """Return a class that can be imported and subclassed, but not created, since an import alone must not fail."""

    def refuse(_self: Any, *_arguments: Any, **_options: Any) -> None:
        raise ImportError(
            f"{name} needs Keras 3 and a backend: for example pip install keras jax, and set KERAS_BACKEND=jax; "
            f"importing Keras failed: {reason}"
        ) from reason

    return type(name, (), {"__init__": refuse, "__doc__": refuse.__doc__, "__module__": __name__})
