"""Stand in for the run on ranks that do not log."""

from __future__ import annotations

from typing import Any

from .lightning_packages import imported_classes


class _Dummy:
    """Accepts every call and attribute that a run has, and does nothing."""

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
        return dummy_run, ()

    def __repr__(self) -> str:
        return "<no run: this process is not rank 0>"


def dummy_run() -> Any:
    """Return a stand-in for the run; Lightning sees it as one of its own dummies, too."""
    names = ("_DummyExperiment", "DummyExperiment")
    kinds = dict.fromkeys(kind for name in names for kind in imported_classes("loggers.logger", name))
    return type("DummyRun", (_Dummy, *kinds), {})()
