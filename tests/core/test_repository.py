"""Test the files around the code: sessions are documented, and configuration files are valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SESSIONS = re.findall(r"^@nox\.session.*\ndef (\w+)\(", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
CONFIGURATION = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / ".pre-commit-config.yaml"]


def test_every_session_is_documented_and_no_other() -> None:
    table = re.findall(r"^\| `(\w+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(SESSIONS)


@pytest.mark.parametrize("path", CONFIGURATION, ids=lambda path: path.name)
def test_configuration_is_yaml(path: Path) -> None:
    yaml: Any = pytest.importorskip("yaml")
    assert isinstance(yaml.safe_load(path.read_text()), dict)


@pytest.mark.parametrize(
    "path", [ROOT / ".ci" / "run", *(ROOT / ".github" / "workflows").iterdir()], ids=lambda p: p.name
)
def test_workflows_name_sessions_that_exist(path: Path) -> None:
    commands = re.findall(r"nox (?:-s|--session) ([^|\n]+)", re.sub(r"\$\{\{.*?\}\}", "", path.read_text()))
    named = [word.split("-")[0] for command in commands for word in command.split()]
    assert set(named) <= set(SESSIONS)
