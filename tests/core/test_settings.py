from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tracker.agent.monitor.monitor import SOURCES
from tracker.errors import SettingsError
from tracker.settings import SETTINGS, Settings, directory_file, read_file, user_file, write_file


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# -- precedence -----------------------------------------------------------------------------------------------------


def test_arguments_win_over_variables_over_the_directory_over_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().project == "uncategorized"
    assert Settings().sources["project"] == "default"
    write(user_file(), 'project = "of-user"\n')
    assert Settings().project == "of-user"
    assert Settings().sources["project"] == str(user_file())
    write(directory_file(), 'project = "of-directory"\n')
    assert Settings().project == "of-directory"
    assert Settings().sources["project"] == "the directory's .tracker/settings.toml"
    monkeypatch.setenv("TRACKER_PROJECT", "of-variable")
    assert Settings().project == "of-variable"
    assert Settings().sources["project"] == "variable TRACKER_PROJECT"
    assert Settings({"project": "of-argument"}).project == "of-argument"
    assert Settings({"project": "of-argument"}).sources["project"] == "argument"


def test_an_argument_of_none_is_one_that_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "of-variable")
    assert Settings({"project": None}).project == "of-variable"


def test_the_directorys_file_is_that_of_the_directory_in_which_runs_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    write(directory_file("elsewhere"), 'project = "there"\n')
    assert Settings({"dir": "elsewhere"}).project == "there"
    monkeypatch.setenv("TRACKER_DIR", "elsewhere")
    assert Settings().project == "there"


def test_the_users_file_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert user_file() == Path.home() / ".config" / "tracker" / "settings.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    assert user_file() == tmp_path / "c" / "tracker" / "settings.toml"


def test_variables_carry_every_setting_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {
        str: "x1", bool: True, float: 2.5, list: ["cpu", "disk"],
    }  # fmt: skip
    special = {
        "color": "#a1b2c3",
        "console": "redirect",
        "mode": "offline",
        "base_url": "http://127.0.0.1:1",
        "resume": "allow",
        "capture": ["git", "diff"],
    }
    first = Settings({s.name: special.get(s.name, given[s.kind]) for s in SETTINGS})
    for name, value in first.environment().items():
        monkeypatch.setenv(name, value)
    second = Settings()
    for setting in SETTINGS:
        assert getattr(second, setting.name) == getattr(first, setting.name), setting.name


# -- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("1", True),
        ("YES", True),
        ("on", True),
        ("false", False),
        ("0", False),
        ("No", False),
        ("", False),
    ],
)
def test_switches_understand_the_usual_words(text: str, value: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_SILENT", text)
    assert Settings().silent is value


def test_lists_are_split_at_commas_in_variables_and_are_lists_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_TAGS", "a, b,,c ")
    assert Settings().tags == ["a", "b", "c"]
    monkeypatch.delenv("TRACKER_TAGS")
    write(directory_file(), 'tags = ["x", "y"]\n')
    assert Settings().tags == ["x", "y"]


def test_dryrun_is_offline() -> None:
    assert Settings({"mode": "dryrun"}).mode == "offline"


def test_a_slash_at_the_end_of_the_address_is_no_part_of_it() -> None:
    assert Settings({"base_url": "http://gpu-box:8787/"}).base_url == "http://gpu-box:8787"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "on"),
        ("project", "a/b"),
        ("project", ".hidden"),
        ("project", ""),
        ("entity", "a" * 129),
        ("id", "a b"),
        ("id", "../x"),
        ("base_url", "gpu-box:8787"),
        ("base_url", "ftp://x"),
        ("silent", "perhaps"),
        ("upload_interval", "0"),
        ("upload_timeout", "-1"),
        ("stats_sample_interval", "nan"),
        ("fsync_interval", "often"),
        ("stats_sources", "cpu,gpu"),
        ("capture", "git,code"),
        ("capture_limit", "-1"),
    ],
)
def test_an_unusable_value_is_refused_naming_value_and_place(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = next(s.variable for s in SETTINGS if s.name == name)
    with pytest.raises(SettingsError, match=rf"^{name} .* \(from argument\) must"):
        Settings({name: value})
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"\(from variable {variable}\) must"):
        Settings()
    monkeypatch.delenv(variable)
    write(user_file(), f'{name} = "{value}"\n')
    with pytest.raises(SettingsError, match=rf"{re.escape(str(user_file()))}.*\) must"):
        Settings()


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no setting learning_rate.*mode, project"):
        Settings({"learning_rate": 1})
    write(directory_file(), 'projet = "x"\n')
    with pytest.raises(SettingsError, match=r"\.tracker/settings\.toml: there is no setting projet"):
        Settings()


@pytest.mark.parametrize("content", [b"project = \n", b'project = "\xff"\n', b'project = "a"\nproject = "b"\n'])
def test_a_damaged_file_is_refused_by_name(content: bytes) -> None:
    write(directory_file(), "").write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings\.toml cannot be read"):
        Settings()


def test_the_sources_of_system_metrics_that_may_be_chosen_are_those_there_are() -> None:
    assert Settings({"stats_sources": list(SOURCES)}).stats_sources == list(SOURCES)


def test_a_user_without_name_and_home_has_settings_and_finds_no_server() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "USER", "LOGNAME", "TRACKER_ENTITY")}
    code = """
import getpass, os
from tracker.discovery import find
from tracker.settings import Settings
if os.getuid() == 0:
    os.setuid(54321)
    assert Settings().entity == "default"
assert Settings().sources["entity"] == "default" and find() is None
"""
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


# -- writing files --------------------------------------------------------------------------------------------------


def test_written_settings_are_read_back_and_other_lines_stay() -> None:
    path = write(directory_file(), '# my notes\ntags = ["a"]\nproject = "old"\n')
    write_file(path, {"project": 'a "quoted" ünd 🎉', "mode": "disabled"})
    assert read_file(path) == {"project": 'a "quoted" ünd 🎉', "mode": "disabled", "tags": ["a"]}
    assert "# my notes" in path.read_text()
    write_file(path, {"mode": None})
    assert "mode" not in read_file(path)


def test_a_written_file_is_for_its_owner_alone() -> None:
    path = directory_file()
    write_file(path, {"api_key": "secret"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_not_there_says_nothing() -> None:
    assert read_file(Path("missing")) == {}
