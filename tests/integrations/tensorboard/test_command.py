"""`tracker tensorboard-import`, called in this process, mostly without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

import tracker
from tests.integrations.tensorboard.events import NAME, many, rows, runs, scalar, text, version, write
from tracker.random_names import random_id
from tracker_tensorboard.cli import tensorboard_import


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(tensorboard_import, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def make(*paths: str) -> str:
    for path in paths or ("a", "b/c"):
        write(Path("logs", path, NAME), version(), many(0, 10), text("note", 1, path))
    return "logs"


# -- output and exit status -----------------------------------------------------------------------------------------


def test_a_complete_import_has_exit_status_0_and_shows_what_was_imported() -> None:
    result = call(make(), "--offline", "--project", "boards", "--entity", "team")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["a", "20", "1", "0", "0"] in lines
    assert ["all", "40", "2", "0", "0"] in lines
    assert "2 runs of team/boards" in result.output
    assert "`tracker sync` uploads them" in result.output
    assert {run.path.rsplit("/", 1)[0] for run in runs().values()} == {"team/boards"}


def test_an_incomplete_import_has_exit_status_1_and_names_what_is_missing() -> None:
    good, bad = version() + many(0, 1), scalar("x", 1, 1.0)
    write(Path("logs/a") / NAME, good, bad[:-1] + b"?", many(1, 2))
    write(Path("logs/b") / NAME, good, bad[:-3])
    write(Path("logs/b") / f"{NAME}.bak", good)
    result = call("logs", "--offline")
    assert result.exit_code == 1
    at = len(good)
    assert f"damaged: a/{NAME}, bytes {at} to {at + len(bad)}: bad checksum" in result.output
    assert f"unread: b/{NAME}, bytes {at} to {at + len(bad) - 3}: no complete record" in result.output
    assert f"ignored: b/{NAME}.bak: a backup copy" in result.output


def test_of_many_runs_those_with_problems_are_shown_and_the_others_summed_up() -> None:
    for i in range(40):
        make(f"run_{i:02}")
    write(Path("logs/run_39") / NAME, version(), b"torn")
    result = call("logs", "--offline")
    assert "run_39" in result.output
    assert "run_00" in result.output
    assert "… 20 runs more" in result.output
    assert "40 runs of me/" in result.output


def test_a_dry_run_shows_what_would_be_imported_and_imports_nothing() -> None:
    result = call(make(), "--dry-run", "--exclude", "b*", "--name", "mine")
    assert result.exit_code == 0
    assert "mine/a" in result.output
    assert "b/c" not in result.output
    assert "1 run would be imported into me/uncategorized" in result.output
    assert not Path(".tracker").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["s3://bucket/logs"], "copy it here first"),
        (["logs/notes.txt"], "is not an event file"),
        (["logs", "--until-idle", "1"], "needs --follow"),
        (["logs", "other", "--identity", "x"], "one by one"),
        (["logs", "--include", "zzz"], "match --include and --exclude"),
        (["logs", "--project", "a/b"], "project"),
        ([], "LOGDIR"),
    ],
)
def test_wrong_usage_has_exit_status_2_and_an_explanation(arguments: list[str], message: str) -> None:
    make()
    write(Path("logs/notes.txt"), b"")
    if "a/b" in arguments:  # as for all settings, `main` prints it without a traceback
        with pytest.raises(tracker.SettingsError, match=message):
            call(*arguments)
        return
    result = call(*arguments, "--offline") if arguments else call()
    assert result.exit_code == 2
    assert message in result.output


def test_nothing_to_import_has_exit_status_2() -> None:
    Path("logs").mkdir()
    assert "no event files" in call("logs", "--offline").output
    assert call("logs", "--offline").exit_code == 2


def test_a_single_event_file_is_imported_alone() -> None:
    make("a")
    write(Path("logs/a/tfevents.2"), many(5, 6))
    assert call("logs/a/tfevents.2", "--offline").exit_code == 0
    assert [step for _, step, _ in rows(runs()["a"])] == [5, 5]


def test_several_directories_are_imported_at_once() -> None:
    make("a")
    write(Path("more") / NAME, many(0, 1))
    assert call("logs", "more", "--offline").exit_code == 0
    assert set(runs()) == {"a", "more"}


def test_without_a_server_the_command_says_how_to_continue() -> None:
    result = call(make())
    assert result.exit_code == 2
    assert "--offline" in result.output


def test_nothing_is_imported_if_tracking_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "disabled")
    assert call(make()).exit_code == 2
    assert not Path(".tracker").exists()


def test_the_settings_mode_and_directory_are_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_DIR", "elsewhere")
    assert call(make()).exit_code == 0
    assert set(runs("elsewhere")) == {"a", "b/c"}


# -- uploading ------------------------------------------------------------------------------------------------------


def project(monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"tb-{random_id()}"
    monkeypatch.setenv("TRACKER_PROJECT", name)
    return name


def on_server(name: str) -> dict[str, Any]:
    return {run.name: run for run in tracker.Api().runs(f"me/{name}")}


def test_everything_imported_is_on_the_server(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = project(monkeypatch)
    result = call(make())
    assert result.exit_code == 0, result.output
    assert f"2 runs of me/{name} on {server.url}" in result.output
    remote = on_server(name)
    assert {run.name: rows(run) for run in remote.values()} == {run.name: rows(run) for run in runs().values()}
    assert {run.state for run in remote.values()} == {"finished"}
    with (Path("logs/a") / NAME).open("ab") as file:
        file.write(many(10, 12))
    assert call("logs").exit_code == 0
    assert len(rows(on_server(name)["a"])) == 25


def test_sync_uploads_an_offline_import(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracker.cli.sync import sync

    name = project(monkeypatch)
    call(make(), "--offline")
    assert on_server(name) == {}
    assert CliRunner().invoke(sync, []).exit_code == 0
    assert set(on_server(name)) == {"a", "b/c"}


def test_without_a_response_of_the_server_all_is_imported_but_not_uploaded(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = project(monkeypatch)
    monkeypatch.setenv("TRACKER_BASE_URL", "http://127.0.0.1:9")
    result = call(make())
    assert result.exit_code == 1
    assert result.output.count("no answer from") == 3  # once during the import, and once for each run at the end
    assert "Nothing is lost" in result.output
    assert len(rows(runs()["a"])) == 21
    monkeypatch.setenv("TRACKER_BASE_URL", server.url)
    assert call("logs").exit_code == 0
    assert set(on_server(name)) == {"a", "b/c"}


def test_two_machines_can_import_parts_of_one_directory_into_the_same_runs(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = project(monkeypatch)
    shared = version() + many(0, 500)
    for machine, own in (("one", many(500, 600)), ("two", many(600, 700))):
        write(Path(machine, "logs/a/tfevents.1.shared"), shared)
        write(Path(machine, f"logs/a/tfevents.2.{machine}"), own)
        monkeypatch.setenv("TRACKER_DIR", f"home-{machine}")
        result = call(f"{machine}/logs", "--identity", "shared")
        assert result.exit_code == 0, result.output
    (run,) = on_server(name).values()
    found = rows(run)
    assert sorted(found) == sorted(
        (tag, step, step + i / 4) for step in range(700) for i, tag in enumerate(["loss", "acc"])
    )
    assert run.info["rows"] == 1400


def test_copies_of_a_file_with_different_ends_are_refused_by_the_server(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(monkeypatch)
    shared = version() + many(0, 5)
    for machine, more in (("one", many(5, 6)), ("two", many(7, 9))):
        write(Path(machine) / NAME, shared, more)
        monkeypatch.setenv("TRACKER_DIR", f"home-{machine}")
        result = call(machine, "--identity", "shared")
    assert result.exit_code == 1
    assert "not uploaded" in result.output


def test_without_tensorboard_the_command_exists_and_says_what_to_install() -> None:
    import subprocess

    code = "import sys; sys.modules['tensorboard'] = None\nfrom tracker.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "tensorboard-import", "logs"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'tracker-runs[tensorboard]'" in done.stderr
