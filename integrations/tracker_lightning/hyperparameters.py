"""Prepare hyperparameters for `Run.config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CLI_INTERNAL = "_instantiator"
"""A hyperparameter that LightningCLI adds to load checkpoints; the user did not choose it."""


def without_cli_internals(params: Any) -> Any:
    """Return hyperparameters without the one that LightningCLI adds. The run handles everything else."""
    try:
        if isinstance(params, dict) and _CLI_INTERNAL in params:
            return {name: value for name, value in params.items() if name != _CLI_INTERNAL}
    except Exception:  # noqa: BLE001 - a user's object; the run reads it with more care
        return params
    return params


def metrics_row(metrics: Any) -> dict[str, Any]:
    """Return the metrics of `log_hyperparams` as a row; a single value becomes `hp_metric`."""
    if metrics is None or isinstance(metrics, Mapping):
        return dict(metrics or {})
    return {"hp_metric": metrics}


def cli_config(model: Any) -> tuple[dict[str, Any], str] | None:
    """Return the configuration of LightningCLI for this training, and the path of the file that has it.

    None if LightningCLI did not start the training, or saves no configuration.
    """
    trainer = getattr(model, "_trainer", None)
    for callback in getattr(trainer, "callbacks", None) or ():
        if any(kind.__name__ == "SaveConfigCallback" for kind in type(callback).__mro__):
            return callback.config.as_dict(), callback.config_filename
    return None
