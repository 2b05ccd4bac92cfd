"""Hyperparameters as `Run.config` takes them."""

from __future__ import annotations

import sys
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` with OmegaConf's containers in it, which resolve or fail when read, as plain dicts and lists.

    Interpolations are resolved where that is possible and kept as text otherwise. All else is left to the run.
    """
    omegaconf = sys.modules.get("omegaconf")
    return value if omegaconf is None else _plain(value, omegaconf)


def _plain(value: Any, omegaconf: Any) -> Any:
    if omegaconf.OmegaConf.is_config(value):
        try:
            return omegaconf.OmegaConf.to_container(value, resolve=True)
        except omegaconf.errors.OmegaConfBaseException:
            return omegaconf.OmegaConf.to_container(value, resolve=False)
    if isinstance(value, dict):
        return {key: _plain(item, omegaconf) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [_plain(item, omegaconf) for item in value]
    return value


def of_command_line(model: Any) -> tuple[dict[str, Any], str] | None:
    """Return the configuration that LightningCLI made this training of, and the path of the file it keeps it in.

    None if the training was not started by LightningCLI, or if that was told to keep no config.
    """
    trainer = getattr(model, "_trainer", None)
    for callback in getattr(trainer, "callbacks", None) or ():
        if any(kind.__name__ == "SaveConfigCallback" for kind in type(callback).__mro__):
            return callback.config.as_dict(), callback.config_filename
    return None
