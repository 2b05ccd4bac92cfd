from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import tracker
from tests.waiting import PATIENCE


def test_the_public_names_are_pinned() -> None:
    assert tracker.__all__ == [
        "Api", "Audio", "Histogram", "Html", "Image", "NoRun", "NotARun", "Plotly", "Run", "ServerError",
        "SettingsError", "Sync", "Table", "Text", "TrackerError", "Unreachable", "Video", "alert", "config",
        "define_metric", "finish", "init", "log", "log_code", "read_run", "restore", "run", "save", "summary",
        "unwatch", "watch",
    ]  # fmt: skip
    for name in tracker.__all__:
        assert name in dir(tracker)
        getattr(tracker, name)


def test_the_arguments_of_init_are_pinned() -> None:
    assert list(inspect.signature(tracker.init).parameters) == [
        "project", "entity", "name", "id", "config", "group", "job_type", "tags", "notes", "dir", "mode", "resume",
        "reinit", "settings", "save_code", "sync_tensorboard", "fork_from", "color",
    ]  # fmt: skip
    assert all(p.default is None for p in inspect.signature(tracker.init).parameters.values())


def test_the_functions_of_the_module_have_the_signatures_of_the_run() -> None:
    for name in ("log", "define_metric", "save", "log_code", "alert", "watch", "unwatch"):
        of_run = list(inspect.signature(getattr(tracker.Run, name)).parameters)[1:]
        assert list(inspect.signature(getattr(tracker, name)).parameters) == of_run


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'wandb'"):
        tracker.wandb  # noqa: B018


def test_without_a_run_the_functions_raise_an_error_that_says_what_to_do() -> None:
    assert tracker.run is None
    for use in (
        lambda: tracker.log({}),
        lambda: tracker.config["lr"],
        lambda: tracker.summary.update(a=1),
        tracker.save,
    ):
        with pytest.raises(tracker.NoRun, match=r"tracker\.init"):
            use()
    tracker.finish()
    assert repr(tracker.config) == "<no current run>"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = """
numpy torch jax tensorflow keras lightning pandas matplotlib PIL plotly sklearn requests urllib3 rich click fastapi
starlette uvicorn sqlalchemy psutil zstandard pynvml IPython tracker_server tracker.api tracker.client tracker.cli
tracker.agent.main asyncio multiprocessing logging
""".split()
IMPORTED = f"print([m for m in {HEAVY} if m in set(sys.modules) - before])"  # imports of .pth files are not ours


@pytest.mark.extras
def test_importing_tracker_imports_nothing_heavy() -> None:
    assert python(f"import sys; before = set(sys.modules); import tracker; {IMPORTED}") == "[]"


@pytest.mark.extras
def test_a_whole_run_imports_nothing_heavy_and_starts_no_thread() -> None:
    code = f"""
import sys
before = set(sys.modules)
import tracker, threading, os
with tracker.init(mode="offline", settings={{"silent": True, "stats_disabled": True}}) as run:
    run.log({{"loss": 0.1}})
    run.log({{"loss": float("nan"), "nested": {{"a": 1}}}})
    run.summary["x"] = 1
    assert len(os.listdir("/proc/self/task")) == threading.active_count() == 1
{IMPORTED}
"""
    assert python(code) == "[]"
