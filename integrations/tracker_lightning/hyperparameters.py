"""Hyperparameters as `Run.config` takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CLI_INTERNAL = "_instantiator"
"""A hyperparameter that LightningCLI adds to load checkpoints by, and that nobody chose."""


def without_cli_internals(params: Any) -> Any:
    """Return hyperparameters without what LightningCLI adds to them. All else is left to the run."""
    try:
        if isinstance(params, dict) and _CLI_INTERNAL in params:
            return {name: value for name, value in params.items() if name != _CLI_INTERNAL}
    except Exception:  # noqa: BLE001 - anybody's object, which the run reads with more care
        return params
    return params


def metrics_row(metrics: Any) -> dict[str, Any]:
    """Return the metrics that Lightning's users log with hyperparameters, as a row; a bare value is `hp_metric`."""
    if metrics is None or isinstance(metrics, Mapping):
        return dict(metrics or {})
    return {"hp_metric": metrics}


def cli_config(model: Any) -> tuple[dict[str, Any], str] | None:
    """Return the configuration that LightningCLI made this training of, and the path of the file it keeps it in.

    None if the training was not started by LightningCLI, or if that was told to keep no config.
    """
    trainer = getattr(model, "_trainer", None)
    for callback in getattr(trainer, "callbacks", None) or ():
        if any(kind.__name__ == "SaveConfigCallback" for kind in type(callback).__mro__):
            return callback.config.as_dict(), callback.config_filename
    return None
