"""The watched models of a logger: `tracker.torch_watch` with the steps that Lightning counts."""

from __future__ import annotations

from typing import Any

from tracker.torch_watch import Log, Watch


def watch_model(model: Any, kinds: tuple[str, ...], every: int, log: Log) -> Watch:
    """Return the watch of a model, which `log` is told at Lightning's step."""

    def step() -> int | None:
        # Of Lightning's modules only: other models know of no steps. Within the backward pass it is the step that
        # Lightning will log this batch at.
        attached = getattr(model, "_trainer", None) is not None
        return int(model.global_step) if attached else None

    return Watch(model, kinds, every, log, step)
