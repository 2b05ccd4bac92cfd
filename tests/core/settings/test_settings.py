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


def test_an_argument_of_none_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "of-variable")
    assert Settings({"project": None}).project == "of-variable"


def test_the_directorys_file_is_the_one_where_runs_are_created(monkeypatch: pytest.MonkeyPatch) -> None:
    write(directory_file("elsewhere"), 'project = "there"\n')
    assert Settings({"dir": "elsewhere"}).project == "there"
    monkeypatch.setenv("TRACKER_DIR", "elsewhere")
    assert Settings().project == "there"


def test_the_users_file_is_at_the_xdg_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert user_file() == Path.home() / ".config" / "tracker" / "settings.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    assert user_file() == tmp_path / "c" / "tracker" / "settings.toml"


def test_variables_carry_every_setting_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[type, Any] = {
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


# -- values as people type them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", "  ", "\n", '""', "''"])
def test_an_empty_variable_counts_as_not_set(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    plain = vars(Settings())
    for setting in SETTINGS:
        monkeypatch.setenv(setting.variable, blank)
    assert vars(Settings()) == plain


def test_an_empty_value_in_a_file_or_argument_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    write(user_file(), 'project = "of-user"\n')
    write(directory_file(), "".join(f'{s.name} = "  "\n' for s in SETTINGS))
    assert Settings({s.name: " " for s in SETTINGS}).project == "of-user"
    monkeypatch.setenv("TRACKER_PROJECT", "")
    assert Settings({"project": ""}).project == "of-user"


_TYPED = {
    "project": ("digits", "digits"),
    "api_key": ("k3y", "k3y"),
    "base_url": ("http://gpu-box:8787", "http://gpu-box:8787"),
    "id": ("a1", "a1"),
    "mode": ("Offline", "offline"),
    "console": ("REDIRECT", "redirect"),
    "silent": ("TRUE", True),
    "disable_git": ("Yes", True),
    "upload_interval": ("2.5", 2.5),
    "tags": ("a ,, b,", ["a", "b"]),
    "stats_sources": ("CPU, ,memory", ["cpu", "memory"]),
    "resume": ("True", "allow"),
    "reinit": ("false", "return_previous"),
}


@pytest.mark.parametrize("around", ["{}", "{}\n", "  {} \r\n", "\t{}", "\ufeff{}", '"{}"', "' {} '"])
@pytest.mark.parametrize("name", _TYPED)
def test_spaces_and_quotes_around_a_variable_are_removed(
    name: str, around: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, value = _TYPED[name]
    monkeypatch.setenv(next(s.variable for s in SETTINGS if s.name == name), around.format(text))
    assert getattr(Settings(), name) == value


@pytest.mark.parametrize("name", _TYPED)
def test_spaces_around_an_argument_or_a_value_in_a_file_are_removed(name: str) -> None:
    text, value = _TYPED[name]
    assert getattr(Settings({name: f"\ufeff {text}\n"}), name) == value
    write(user_file(), f'{name} = " {text}\\n"\n')
    assert getattr(Settings(), name) == value


def test_quotes_around_an_argument_are_kept() -> None:
    assert Settings({"name": '"best"'}).name == '"best"'


def test_none_chooses_no_parts_and_no_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_CAPTURE", "None")
    assert Settings({"stats_sources": "none"}).stats_sources == []
    assert Settings().capture == []
    monkeypatch.setenv("TRACKER_CAPTURE", Settings({"capture": []}).environment()["TRACKER_CAPTURE"])
    assert Settings().capture == []


@pytest.mark.parametrize("how", ["argument", "variable", "file"])
def test_a_tilde_is_the_home_directory(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "variable":
        monkeypatch.setenv("TRACKER_DIR", "~/runs")
    if how == "file":
        write(user_file(), 'dir = "~/runs"\n')
    assert Settings({"dir": Path("~/runs")} if how == "argument" else None).dir == f"{Path.home()}/runs"


def test_a_tilde_may_name_a_user_who_must_exist() -> None:
    assert Settings({"dir": "~root/x"}).dir == f"{os.path.expanduser('~root')}/x"
    with pytest.raises(SettingsError, match="there is no home ~nobody-here"):
        Settings({"dir": "~nobody-here/x"})
    Path("~odd").mkdir()
    assert Settings({"dir": "~odd"}).dir == "~odd"


@pytest.mark.parametrize(
    ("typed", "such"),
    [
        ("gpu-box:8787", "http://gpu-box:8787"),
        ("127.0.0.1:8787/", "http://127.0.0.1:8787"),
        ("http://gpu-box:8787/?token=abc", "http://gpu-box:8787"),
        ("https://gpu-box/projects/me/digits", "https://gpu-box"),
        ("http://gpu-box:8787/runs/me/digits/a1?tab=files", "http://gpu-box:8787"),
    ],
)
def test_an_invalid_address_is_an_error_that_suggests_a_valid_one(typed: str, such: str) -> None:
    with pytest.raises(SettingsError, match=rf"such as {re.escape(such)}$"):
        Settings({"base_url": typed})
    assert Settings({"base_url": such}).base_url == such


def test_an_address_may_have_a_path_and_capitals() -> None:
    assert Settings({"base_url": "HTTPS://Box.example/tracker/"}).base_url == "https://Box.example/tracker"
    assert Settings({"base_url": "http://[::1]:8787/"}).base_url == "http://[::1]:8787"


def test_an_unusable_key_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match=r"api_key \(from argument\) must") as caught:
        Settings({"api_key": "se\ncret"})
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["日本語", "проект", "हिन्दी", "مشروع", "Größe 1", "ไทย", "a.b_c-d"])
def test_project_names_may_be_in_any_script(name: str) -> None:
    assert Settings({"project": name, "entity": name}).project == name


def test_a_name_is_stored_in_normal_form() -> None:
    assert Settings({"project": "Cafe\u0301"}).project == "Caf\u00e9"


# -- unusual files and homes ----------------------------------------------------------------------------------------


def _make_odd(path: Path, what: str) -> None:
    path.parent.mkdir(parents=True)
    if what == "directory":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path.name)
    elif what == "huge":
        path.write_bytes(b"#")
        os.truncate(path, 1 << 40)
    elif what == "device":
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("what", ["directory", "fifo", "loop", "huge", "device"])
@pytest.mark.parametrize("file", [directory_file, user_file])
def test_something_else_in_place_of_a_settings_file_is_ignored_with_a_warning(what: str, file: Any, capfd: Any) -> None:
    _make_odd(file(), what)
    assert Settings({"project": "x"}).project == "x"
    assert f"{file()} is ignored" in capfd.readouterr().err


def test_a_byte_order_mark_is_ignored() -> None:
    write(user_file(), "").write_bytes(b'\xef\xbb\xbfproject = "x"\n')
    assert Settings().project == "x"


@pytest.mark.parametrize("home", [None, "", "relative", "/nonexistent/home", "/dev/null"])
def test_without_a_home_there_are_no_settings_of_the_user(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert Settings().project == "uncategorized"
    assert user_file().is_absolute()


def test_dryrun_is_offline() -> None:
    assert Settings({"mode": "dryrun"}).mode == "offline"


def test_a_trailing_slash_of_the_address_is_removed() -> None:
    assert Settings({"base_url": "http://gpu-box:8787/"}).base_url == "http://gpu-box:8787"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "on"),
        ("project", "a/b"),
        ("project", ".hidden"),
        ("project", "日本/語"),
        ("project", "evil\u202egnp"),
        ("project", "a\u200bb"),
        ("project", "語" * 86),
        ("project", "a\u3164b"),
        ("project", "語\ufe0f"),
        ("entity", "a" * 129),
        ("id", "a b"),
        ("id", "../x"),
        ("base_url", "gpu-box:8787"),
        ("base_url", "ftp://x"),
        ("base_url", "http://gpu-box:8787/?token=abc"),
        ("base_url", "http://gpu box:8787"),
        ("base_url", "http://:8787"),
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
def test_an_unusable_value_is_an_error_that_names_the_value_and_its_source(
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


def test_an_unknown_name_is_an_error_that_lists_the_settings() -> None:
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


def test_the_choices_of_stats_sources_are_the_existing_sources() -> None:
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


def test_only_the_owner_can_read_a_written_file() -> None:
    path = directory_file()
    write_file(path, {"api_key": "secret"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_missing_file_has_no_settings() -> None:
    assert read_file(Path("missing")) == {}
