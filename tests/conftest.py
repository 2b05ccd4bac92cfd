"""What all tests share: a clean environment, and which tests a session leaves to others."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

try:
    import hypothesis
except ImportError:  # `nox -s browser` needs none
    pass
else:
    hypothesis.settings.register_profile("suite", deadline=None)  # how long an example takes depends on the machine
    hypothesis.settings.load_profile("suite")

# Shells start background jobs with SIGINT ignored, which the programs under test would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, no test reaches the user's files, and internal errors are raised."""
    for name in list(os.environ):
        if name.startswith("TRACKER_") and not name.startswith("TRACKER_TEST_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRACKER_RAISE_INTERNAL", "1")
    monkeypatch.setattr("tracker.errors._warned", set())  # what one test was told is told to the next one, too
    monkeypatch.setenv("TRACKER_CAPTURE", "none")  # agents gather nothing but where that is the subject
    monkeypatch.setenv("TRACKER_ENTITY", "me")
    # An agent whose server went away with its test must not linger.
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", "5")
    # The same on a machine as in a container.
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def no_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no agent, in tests of what a process itself writes: each agent costs 0.3 s of processor time."""
    monkeypatch.setattr("tracker.sdk.agent_launch.hand_over", lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sessions")
    group.addoption("--passed-to", metavar="FILE", help="write the ids of the tests that pass to FILE")
    group.addoption(
        "--passed-before", metavar="FILE", help="leave out the tests in FILE, unless they are marked `extras`"
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("passed_to")
    if path is not None and not hasattr(config, "workerinput"):  # xdist's workers report to the process that writes
        config.pluginmanager.register(_Passed(Path(path)))


class _Passed:
    """Writes the ids of the tests that pass to a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._file.write(f"{report.nodeid}\n")

    def pytest_unconfigure(self) -> None:
        self._file.close()


LONGEST = (
    "integrations/lightning/test_processes.py",
    "server/test_odd_records.py",
    "server/commands/test_commands.py",
    "integrations/keras/test_processes.py",
    "server/test_workers.py",
    "integrations/tensorboard/test_live.py",
    "integrations/keras/test_trainer_suite.py",
    "server/test_serving.py",
    "core/sdk/exit/test_exit_status.py",
    "core/agent/test_uploader.py",
    "core/cli/test_run.py",
    "core/capture/test_console.py",
    "core/sdk/exit/test_notebook.py",
    "core/agent/test_shared_agent.py",
    "core/sdk/test_pickling.py",
    "core/sdk/values/test_config_values.py",
)
"""Files that take longest. They run first, so that no process of pytest-xdist is left with one of them at the end."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    place = {here / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))
    path = config.getoption("passed_before")
    if path is None:
        return
    passed = set(Path(path).read_text(encoding="utf-8").splitlines())
    left_out = [item for item in items if item.nodeid in passed and item.get_closest_marker("extras") is None]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
