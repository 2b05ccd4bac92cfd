"""What the program has imported of Lightning. Nothing here imports any of it: each package takes seconds."""

from __future__ import annotations

import importlib.abc
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

# `lightning` brings its own Fabric, `pytorch_lightning` comes with `lightning_fabric`; all four have loggers.
_PACKAGES = ("lightning.pytorch", "pytorch_lightning", "lightning.fabric", "lightning_fabric")
_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")  # in the order in which Lightning asks them


def loaded(module: str, name: str) -> list[Any]:
    """Return one class of each package that is imported, those of the Trainers first."""
    found = [getattr(sys.modules.get(f"{package}.{module}"), name, None) for package in _PACKAGES]
    return [kind for kind in found if kind is not None]


def base() -> Any:
    """Return the Logger class of the package in use; `object` while none is."""
    return next(iter(loaded("loggers.logger", "Logger")), object)


def adopt(kind: Any) -> None:
    """Make `kind` a Logger to every package that is imported."""
    # Trainer.log_dir asks only the loggers of these two kinds for their folder. Of any other it takes save_dir, and
    # LightningCLI, which keeps its config.yaml there, then refuses to start a second run.
    for logger in [*loaded("loggers.logger", "Logger"), *loaded("loggers.csv_logs", "CSVLogger")]:
        if not issubclass(kind, logger):
            logger.register(kind)


class _Finder(importlib.abc.MetaPathFinder):
    """Lets a class be a Logger to packages that are imported later, as soon as their loggers are there."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._names = {f"{package}.loggers.{module}" for package in _PACKAGES for module in ("logger", "csv_logs")}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        """Find what the others find, and have the class adopted when it was executed."""
        if name not in self._names:
            return None
        self._names.discard(name)  # the others are asked now
        spec = find_spec(name)
        loader = None if spec is None else spec.loader
        if loader is not None:
            execute = loader.exec_module

            def executed(module: Any) -> None:
                execute(module)
                adopt(self._kind)

            loader.exec_module = executed  # type: ignore[method-assign]
        return spec


def adopt_later(kind: Any) -> None:
    """Do the same for packages that are yet to be imported."""
    sys.meta_path.insert(0, _Finder(kind))


def require() -> None:
    """Raise ModuleNotFoundError, saying what to install, if there is no Lightning."""
    if loaded("loggers.logger", "Logger") or any(
        map(find_spec, ("lightning", "pytorch_lightning", "lightning_fabric"))
    ):
        return
    raise ModuleNotFoundError(
        "TrackerLogger needs PyTorch Lightning, which is not installed: pip install 'tracker-runs[lightning]'"
    )


def rank() -> int:
    """Return the rank of this process as Lightning knows it by now, or else as the environment says."""
    module = sys.modules.get("lightning_utilities.core.rank_zero")
    known = getattr(getattr(module, "rank_zero_only", None), "rank", None)
    if known is not None:
        return int(known)
    given = (os.environ.get(name, "").strip() for name in _RANKS)
    return next((int(number) for number in given if number.isdecimal()), 0)


class _Dummy:
    """Takes everything that a run takes and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy, pickle and inspect ask for these
            raise AttributeError(name)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __call__(self, *_arguments: Any, **_keywords: Any) -> None:
        pass

    def __getitem__(self, key: Any) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Any:
        return iter(())

    def __contains__(self, key: object) -> bool:
        return False

    def __iadd__(self, other: Any) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def __reduce__(self) -> Any:
        return dummy, ()

    def __repr__(self) -> str:
        return "<no run: this process is not rank 0>"


def dummy() -> Any:
    """Return what stands for the run where there is none; to Lightning it is one of its own dummies, too."""
    kinds = dict.fromkeys(loaded("loggers.logger", "_DummyExperiment") + loaded("loggers.logger", "DummyExperiment"))
    return type("DummyRun", (_Dummy, *kinds), {})()
