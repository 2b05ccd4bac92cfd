"""Make `tracker_runs` the same as `tracker`, or load our modules under it if `tracker` is somebody else's."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import CodeType, ModuleType
from typing import Any

_OURS = "tracker"
_FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), _OURS, "__init__.py")
_IMPORTERS = ("tracker_keras", "tracker_lightning", "tracker_server", "tracker_tensorboard")


def become(name: str) -> None:
    """Make the module `name` and its submodules the same as `tracker`.

    If `import tracker` leads to somebody else's module, ours is loaded under `name` alone, and our integrations find it
    there; their module stays as it is.
    """
    module = sys.modules.get(_OURS)
    if _is_ours(module) or (module is None and _is_ours(PathFinder.find_spec(_OURS))):
        sys.modules[name] = importlib.import_module(_OURS)
        sys.meta_path.insert(0, _Alias(name))
    else:
        sys.meta_path.insert(0, _InPlace(name))
        del sys.modules[name]
        sys.modules[name] = _load(name)


def _is_ours(found: ModuleType | ModuleSpec | None) -> bool:
    file = getattr(found, "origin", None) if isinstance(found, ModuleSpec) else getattr(found, "__file__", None)
    try:
        return file is not None and os.path.samefile(file, _FILE)
    except OSError:
        return False


def _load(name: str) -> ModuleType:
    loader = _Renaming(name, _FILE, name)
    spec = spec_from_file_location(name, _FILE, loader=loader, submodule_search_locations=[os.path.dirname(_FILE)])
    assert spec is not None
    module = sys.modules[name] = module_from_spec(spec)
    loader.exec_module(module)
    return module


class _Alias(MetaPathFinder, Loader):
    """Loads `tracker_runs.x` as `tracker.x`."""

    def __init__(self, name: str) -> None:
        self._prefix = f"{name}."
        self._specs: dict[str, Any] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith(self._prefix) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(f"{_OURS}.{spec.name[len(self._prefix) :]}")
        self._specs[spec.name] = module.__spec__
        return module

    def get_code(self, fullname: str) -> Any:
        """Return the code, for `python -m`."""
        name = f"{_OURS}.{fullname[len(self._prefix) :]}"
        loader: Any = getattr(importlib.util.find_spec(name), "loader", None)
        return loader.get_code(name)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = self._specs.pop(module.__spec__.name)  # the import system has replaced it


class _InPlace(MetaPathFinder):
    """Finds our modules, and makes them import `tracker_runs` where they say `tracker`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._prefixes = (f"{name}.", *(f"{package}." for package in _IMPORTERS))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _IMPORTERS and not fullname.startswith(self._prefixes):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Renaming(spec.loader.name, spec.loader.path, self._name)
        return spec


class _Renaming(SourceFileLoader):
    """Compiles a module with `tracker` in its imports replaced. It uses no compiled files: they have the other name."""

    def __init__(self, fullname: str, path: str, name: str) -> None:
        super().__init__(fullname, path)
        self._name = name

    def path_stats(self, path: str) -> Any:  # noqa: ARG002
        raise OSError("not to be cached")

    def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:  # type: ignore[override]
        import ast

        tree = ast.parse(data, path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and not node.level and node.module is not None:
                node.module = self._renamed(node.module)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    # `import tracker.x` is written nowhere in our code: it would bind the other name.
                    alias.asname = alias.asname or ("tracker" if alias.name == _OURS else None)
                    alias.name = self._renamed(alias.name)
        return super().source_to_code(tree, path, **options)

    def _renamed(self, module: str) -> str:
        first, dot, rest = module.partition(".")
        return f"{self._name}{dot}{rest}" if first == _OURS else module
