"""Which training a hook of a callback is called from, and whether an earlier one still goes on.

Keras calls no hook when an exception ends a training. So that a training was given up shows only in that its `fit` or
`evaluate` is no longer being executed.
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
    """The function that runs a training: a method of Keras, or the user's own. It holds none of what that works on."""

    def __init__(self) -> None:
        """Take the one from which this is called, through hooks of callbacks."""
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
        """Tell whether this training is still being executed while `now` begins: as the same one, around it, or in
        another thread.
        """
        if self._callbacks is not None and self._callbacks() is not None and self._callbacks() is now._list():
            return True
        frame = sys._current_frames().get(self._thread)
        while frame is not None:
            if id(frame) == self._frame and frame.f_code is self._code:
                # The method of Keras that begins now may be where the former one was in memory.
                return not (self._is_keras and now._frame == self._frame and now._thread == self._thread)
            frame = frame.f_back
        return False

    def _list(self) -> Any:
        return None if self._callbacks is None else self._callbacks()


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
