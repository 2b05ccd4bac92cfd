"""Find the Lightning packages that the program has imported.

Importing one takes seconds, so nothing here imports any.
"""

from __future__ import annotations

import importlib.abc
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

# `lightning` brings its own Fabric, `pytorch_lightning` comes with `lightning_fabric`; all four have loggers.
_PACKAGES = ("lightning.pytorch", "pytorch_lightning", "lightning.fabric", "lightning_fabric")


def imported_classes(module: str, name: str) -> list[Any]:
    """Return the class `name` of each package that is imported, those of the Trainers first."""
    found = [getattr(sys.modules.get(f"{package}.{module}"), name, None) for package in _PACKAGES]
    return [kind for kind in found if kind is not None]


def logger_base() -> Any:
    """Return the Logger class of the first imported package; `object` if none is imported."""
    return next(iter(imported_classes("loggers.logger", "Logger")), object)


def register_logger(kind: Any) -> None:
    """Register `kind` as a Logger with every package that is imported."""
    # Trainer.log_dir asks only the loggers of these two kinds for their folder. Of any other it takes save_dir, and
    # LightningCLI, which keeps its config.yaml there, then refuses to start a second run.
    for logger in [*imported_classes("loggers.logger", "Logger"), *imported_classes("loggers.csv_logs", "CSVLogger")]:
        if not issubclass(kind, logger):
            logger.register(kind)


class _Finder(importlib.abc.MetaPathFinder):
    """Registers a class as a Logger with packages that are imported later, as soon as their loggers exist."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._names = {f"{package}.loggers.{module}" for package in _PACKAGES for module in ("logger", "csv_logs")}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        """Return the spec that the other finders return; its loader registers the class after it has run the module."""
        if name not in self._names:
            return None
        self._names.discard(name)  # so that find_spec below asks the other finders
        spec = find_spec(name)
        loader = None if spec is None else spec.loader
        if loader is not None:
            execute = loader.exec_module

            def execute_and_register(module: Any) -> None:
                execute(module)
                register_logger(self._kind)

            loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


def register_on_import(kind: Any) -> None:
    """Register `kind` as a Logger with packages that are imported later."""
    sys.meta_path.insert(0, _Finder(kind))


def require_lightning() -> None:
    """Raise ModuleNotFoundError, which says what to install, if no Lightning is installed."""
    if imported_classes("loggers.logger", "Logger") or any(
        map(find_spec, ("lightning", "pytorch_lightning", "lightning_fabric"))
    ):
        return
    raise ModuleNotFoundError(
        "TrackerLogger needs PyTorch Lightning, which is not installed: pip install 'tracker-runs[lightning]'"
    )
