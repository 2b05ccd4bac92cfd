"""Find the training that calls a callback's hook, and tell whether an earlier one still runs.

Keras calls no hook when an exception ends a training. The only sign of that is that its `fit` or `evaluate` is no
longer on any thread's stack.
"""

from __future__ import annotations

import sys
import threading
import weakref
from types import CodeType, FrameType
from typing import Any

_HOOKS = ("tracker_keras.", "keras.src.callbacks", "keras.callbacks")
_FRAMEWORK = ("keras.", "tf_keras.")


class TrainingLoop:
    """The stack frame that runs a training: a method of Keras, or the user's own. It keeps no local variables alive."""

    def __init__(self) -> None:
        """Find the frame that called the hook from which this is created."""
        frame: FrameType | None = sys._getframe(1)
        callbacks: Any = None
        while frame is not None and _module(frame).startswith(_HOOKS):
            holder = frame.f_locals.get("self")
            if type(holder).__name__ == "CallbackList":
                callbacks = holder
            frame = frame.f_back
        self._thread = threading.get_ident()
        self._frame = id(frame)
        self._code: CodeType | None = None if frame is None else frame.f_code
        self._is_keras = frame is not None and _module(frame).startswith(_FRAMEWORK)
        self._callbacks: Any = None if callbacks is None else weakref.ref(callbacks)

    def is_running(self, now: TrainingLoop) -> bool:
        """Tell whether this training still runs while `now` begins: it is the same one, encloses it, or is in another
        thread.
        """
        if self._callbacks is not None and self._callbacks() is not None and self._callbacks() is now._list():
            return True
        frame = sys._current_frames().get(self._thread)
        while frame is not None:
            if id(frame) == self._frame and frame.f_code is self._code:
                # A new call of Keras's method may have a frame at the address of the former one.
                return not (self._is_keras and now._frame == self._frame and now._thread == self._thread)
            frame = frame.f_back
        return False

    def _list(self) -> Any:
        return None if self._callbacks is None else self._callbacks()


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
