from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from tracker.cli.init import init
from tracker.cli.on_off import off, on
from tracker.cli.trust import trust as trust_command
from tracker.errors import SettingsError
from tracker.settings import SETTINGS, Settings, directory_file, trust, user_file, write_directory_file

POWERFUL = 'base_url = "http://evil.example"\nmode = "disabled"\ncapture = ["untracked"]\nproject = "digits"\n'


def write(text: str, path: Path | None = None, mode: int = 0o600) -> Path:
    path = path or directory_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def call(command: object, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments))  # type: ignore[arg-type]
    return result.exit_code, result.output + str(result.exception or "")


def test_only_settings_that_name_and_describe_runs_are_taken_from_a_directory(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(POWERFUL)
    for _ in range(2):
        settings = Settings()
    assert (settings.project, settings.base_url, settings.mode, settings.capture) == (
        "digits",
        None,
        "online",
        [],  # as tests set it
    )
    stderr = capsys.readouterr().err
    assert stderr.count("tracker trust") == 1
    assert "base_url, capture, mode" in stderr


def test_nothing_is_printed_if_silent_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    write(POWERFUL)
    assert Settings({"silent": True}).base_url is None
    assert capsys.readouterr().err == ""


def test_every_other_setting_needs_trust() -> None:
    assert {"base_url", "api_key", "dir", "mode", "console", "capture", "allow_stop", "resume"}.isdisjoint(
        trust.HARMLESS
    )
    assert {s.name for s in SETTINGS} >= trust.HARMLESS


def test_a_trusted_file_counts_until_its_bytes_change() -> None:
    path = write(POWERFUL)
    assert call(trust_command)[0] == 0
    assert (Settings().base_url, Settings().mode) == ("http://evil.example", "disabled")
    path.write_text(POWERFUL.replace("evil", "other"))
    assert Settings().base_url is None
    path.write_text(POWERFUL)
    assert Settings().base_url == "http://evil.example"
    assert call(trust_command, "--undo")[0] == 0
    assert Settings().base_url is None


def test_the_same_bytes_at_another_path_are_not_trusted(tmp_path: Path) -> None:
    write(POWERFUL)
    trust.trust(directory_file())
    other = tmp_path / "clone"
    write(POWERFUL, directory_file(str(other)))
    assert Settings({"dir": str(other)}).base_url is None


def test_files_that_our_commands_write_are_trusted() -> None:
    assert call(init, "--project", "digits")[0] == 0
    assert call(off)[0] == 0
    assert (Settings().mode, Settings().project) == ("disabled", "digits")
    assert call(on)[0] == 0
    assert Settings().mode == "online"


def test_our_commands_do_not_trust_existing_files() -> None:
    path = write(POWERFUL)
    for command, arguments in ((init, ("--project", "x")), (on, ()), (off, ())):
        status, text = call(command, *arguments)
        assert status == 1
        assert "tracker trust" in text
    assert path.read_text() == POWERFUL
    assert Settings().base_url is None


@pytest.mark.parametrize("mode", [0o622, 0o602, 0o620])
def test_a_file_that_others_may_write_to_is_not_trusted(mode: int) -> None:
    path = write(POWERFUL)
    trust.trust(path)
    path.chmod(mode)
    assert Settings().base_url is None
    with pytest.raises(SettingsError, match="others may write"):
        trust.trust(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_another_user_is_not_trusted() -> None:
    path = write(POWERFUL)
    trust.trust(path)
    os.chown(path, 12345, 12345)
    assert (Settings().base_url, Settings().project) == (None, "digits")
    with pytest.raises(SettingsError, match="another user"):
        trust.trust(path)
    with pytest.raises(SettingsError, match="another user"):
        write_directory_file(path, {"mode": "disabled"})


def test_a_link_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = write('project = "secret"\n', tmp_path / "elsewhere" / "settings.toml")
    directory_file().parent.mkdir()
    directory_file().symlink_to(target)
    assert Settings().project == "uncategorized"
    assert "is a link" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="link"):
        write_directory_file(directory_file(), {"mode": "disabled"})
    directory_file().unlink()
    directory_file().parent.rmdir()
    directory_file().parent.symlink_to(target.parent)
    assert Settings().project == "uncategorized"
    with pytest.raises(SettingsError, match="link"):
        write_directory_file(directory_file(), {"mode": "disabled"})
    assert target.read_text() == 'project = "secret"\n'


def test_something_that_is_not_a_file_is_ignored(tmp_path: Path) -> None:
    directory_file().mkdir(parents=True)
    assert Settings().project == "uncategorized"
    directory_file().rmdir()
    os.mkfifo(directory_file())
    assert Settings().project == "uncategorized"
    directory_file().unlink()
    with directory_file().open("wb") as file:
        file.truncate(1 << 40)
    assert Settings().project == "uncategorized"


# -- keys -----------------------------------------------------------------------------------------------------------

COMPANY = 'base_url = "https://company.example"\napi_key = "company-key"\n'


def test_the_users_key_does_not_go_to_an_address_of_the_directory() -> None:
    write(COMPANY, user_file())
    write('base_url = "http://evil.example"\n')
    assert (Settings().base_url, Settings().api_key) == ("https://company.example", "company-key")
    trust.trust(directory_file())
    assert (Settings().base_url, Settings().api_key) == ("http://evil.example", None)


def test_a_key_without_an_address_does_not_go_to_an_address_of_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_API_KEY", "k")
    write('base_url = "http://evil.example"\n')
    trust.trust(directory_file())
    settings = Settings()
    assert (settings.base_url, settings.api_key) == ("http://evil.example", None)
    for name, value in settings.environment().items():  # as an agent gets them
        monkeypatch.setenv(name, value)
    assert Settings().api_key is None


def test_an_address_in_a_variable_gets_no_key_of_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    write(COMPANY, user_file())
    monkeypatch.setenv("TRACKER_BASE_URL", "http://other.example")
    assert Settings().api_key is None
    monkeypatch.setenv("TRACKER_BASE_URL", "https://Company.example:443/")
    assert Settings().api_key == "company-key"


def test_an_argument_gets_no_key_of_the_variables_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_API_KEY", "k")
    assert Settings({"base_url": "http://other.example"}).api_key == "k"  # no address yet
    monkeypatch.setenv("TRACKER_BASE_URL", "https://company.example")
    assert Settings({"base_url": "http://other.example"}).api_key is None
    assert Settings().api_key == "k"


def test_keys_are_kept_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    write(COMPANY + 'keys = { "http://other.example" = "other-key" }\n', user_file())
    monkeypatch.setenv("TRACKER_BASE_URL", "http://other.example")
    assert (Settings().api_key, Settings().sources["api_key"]) == ("other-key", str(user_file()))


def test_login_keeps_the_keys_of_earlier_servers() -> None:
    from tracker.cli.login import login

    for name in "abca":
        assert call(login, "--base-url", f"http://{name}.example", "--key", f"key-{name}", "--no-check")[0] == 0
    assert (Settings().base_url, Settings().api_key) == ("http://a.example", "key-a")
    assert Settings({"base_url": "http://b.example"}).api_key == "key-b"
    assert Settings({"base_url": "http://d.example"}).api_key is None
    assert user_file().read_text().count("a.example") == 1


def test_an_address_that_only_starts_like_localhost_is_not_on_this_machine() -> None:
    from tracker.settings import is_local

    assert is_local("http://127.0.0.1:8787/x")
    assert not is_local("http://127.0.0.1:80@evil.example")
    assert not is_local("http://localhost.evil.example")
