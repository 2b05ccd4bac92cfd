"""Watch the models of a logger: `tracker.torch_watch` with the steps that Lightning counts."""

from __future__ import annotations

from typing import Any

from tracker.torch_watch import Log, Watch


def watch_model(model: Any, kinds: tuple[str, ...], every: int, log: Log) -> Watch:
    """Watch a model, and log with `log` at Lightning's step."""

    def step() -> int | None:
        # Only Lightning's modules know the step. During the backward pass, it is the one at which Lightning will log
        # this batch.
        attached = getattr(model, "_trainer", None) is not None
        return int(model.global_step) if attached else None

    return Watch(model, kinds, every, log, step)
