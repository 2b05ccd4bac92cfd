"""Test the commands as users call them, in processes of their own, with the installed sub-commands."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import tracker
from tracker.cli.demo import demo
from tracker.cli.main import cli

pytestmark = [
    pytest.mark.extras,
    pytest.mark.skipif(
        not any(entry_points(group="tracker.commands", name="sync")), reason="tracker-runs is not installed here"
    ),
]


def call(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracker.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, **options)


def test_help_names_every_command() -> None:
    output = call("--help").stdout
    for name in ("init", "on", "off", "status", "login", "sync", "runs", "demo", "server", "ui", "tensorboard-import"):
        assert f"  {name} " in output


def test_help_shows_the_first_line_of_every_command_in_full() -> None:
    output = call("--help", env={**os.environ, "COLUMNS": "80"}).stdout.partition("Commands:")[2]
    assert "..." not in output
    names = [entry.name for entry in entry_points(group="tracker.commands")]
    assert len(names) > 15
    for name in names:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        first, *rest = inspect.cleandoc(command.help or "").splitlines()
        assert len(first) <= 60, name
        assert first.endswith("."), name
        assert not rest or rest[0] == "", f"{name}: the first line is a paragraph of its own"
        assert re.search(rf"  {name} +{re.escape(first)}\n", output), name


def test_the_version_is_that_of_the_library() -> None:
    assert tracker.__version__ in call("--version").stdout


def test_trackers_own_errors_are_printed_without_a_traceback() -> None:
    done = call("runs")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: no server")


def test_an_unknown_command_is_wrong_usage() -> None:
    assert call("paint").returncode == 2


def test_a_command_whose_package_is_missing_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['fastapi'] = sys.modules['uvicorn'] = None; from tracker.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, "server"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'tracker-runs[server]'" in done.stderr


def test_light_commands_do_not_import_heavy_ones() -> None:
    code = """
import sys
from tracker.cli.main import cli
cli(["off"], standalone_mode=False)
print("fastapi" in sys.modules, "requests" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False False\n")


@pytest.mark.slow
def test_the_demo_trains_both_examples_and_checks_what_arrived(tmp_path: Path) -> None:
    for needed in ("sklearn", "fastapi", "lightning", "keras"):
        pytest.importorskip(needed)
    done = call("demo", "--exit", "--dir", str(tmp_path / "server"))
    assert done.returncode == 0, done.stderr
    assert "4 runs arrived, all " in done.stdout
    for example in ("lightning_digits.py", "keras_digits.py"):
        assert len(re.findall(rf"{example} +learning rate [\d.]+: test accuracy 0\.[89]\d+", done.stdout)) == 2
    assert "Left out" not in done.stdout
    assert list(Path.cwd().iterdir()) == []


def test_the_demo_says_which_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("lightning", "keras", "jax", "torch", "tensorflow", "sklearn"):
        monkeypatch.setitem(sys.modules, missing, None)
    done = CliRunner().invoke(demo, ["--exit"])
    assert done.exit_code == 1
    assert "pip install lightning scikit-learn, or pip install keras jax scikit-learn" in done.output
