from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

import tracker
from tracker.api import Api, File, LocalRun, RemoteRun
from tracker.cli.main import GROUP
from tracker.settings import SETTINGS
from tracker.wire import RunInfo

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def cells(document: str) -> dict[str, list[str]]:
    """The rows of a document's tables by their first cell."""
    rows = re.findall(r"^\| (.*) \|$", (DOCS / document).read_text(), re.MULTILINE)
    return {row.split(" | ")[0]: row.split(" | ") for row in rows}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_variable_and_default(setting: object) -> None:
    name, variable, kind, default = setting.name, setting.variable, setting.kind, setting.default  # type: ignore[attr-defined]
    row = cells("reference/settings.md")[f"`{name}`"]
    assert row[1] == f"`{variable}`"
    if default is not None:
        number = isinstance(default, float)
        shown = f"`{str(default).lower()}`" if kind is bool else f"{default:g}" if number else f"`{default}`"
        assert row[2] == shown


def test_no_setting_is_documented_that_does_not_exist() -> None:
    table = (DOCS / "reference/settings.md").read_text().split("## All settings")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [setting.name for setting in SETTINGS]


def commands() -> dict[str, click.Command]:
    """What pyproject.toml announces, whether it is installed or not."""
    lines = re.findall(
        r'^([\w-]+) = "(tracker(?:_\w+)?\.[\w.]+):(\w+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    found = {}
    for name, module, attribute in lines:
        try:
            loaded = getattr(__import__(module, fromlist=[attribute]), attribute)
        except ImportError:  # its extra is not installed
            continue
        if isinstance(loaded, click.Command):
            found[name] = loaded
    return found


@pytest.mark.parametrize("name", commands())
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    document = (DOCS / "reference/cli.md").read_text()
    sections = [s for s in document.split("\n## ") if f"`tracker {name}`" in s.splitlines()[0]]
    assert len(sections) == 1, f"docs/reference/cli.md needs one section about `tracker {name}`"
    assert f"tracker {name}" in "".join(re.findall(r"^```\n(.*?)^```", document, re.MULTILINE | re.DOTALL))
    for parameter in commands()[name].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{option}" in sections[0], f"{option} of `tracker {name}` is not in docs/reference/cli.md"
        if isinstance(parameter, click.Argument):
            assert f"`{parameter.metavar}`" in sections[0]


def test_every_installed_command_is_in_the_docs() -> None:
    document = (DOCS / "reference/cli.md").read_text()
    for entry in entry_points(group=GROUP):
        if entry.value.startswith(("tracker.", "tracker_server.", "tracker_tensorboard.")):
            assert f"`tracker {entry.name}`" in document


def test_every_command_in_the_docs_is_announced() -> None:
    titles = re.findall(r"^## (.*)$", (DOCS / "reference/cli.md").read_text(), re.MULTILINE)
    documented = {name for title in titles for name in re.findall(r"`tracker ([\w-]+)`", title)}
    announced = (ROOT / "pyproject.toml").read_text().split('"tracker.commands"]')[1].split("[")[0]
    assert documented == set(re.findall(r"^([\w-]+) = ", announced, re.MULTILINE))


@pytest.mark.parametrize("kind", [tracker.Run, Api, LocalRun, RemoteRun, File, tracker.Sync])
def test_every_public_member_is_documented_and_has_a_docstring(kind: type) -> None:
    document = (DOCS / "reference/python.md").read_text()
    members = {name for cls in kind.__mro__ for name in vars(cls) if cls is not object and not name.startswith("_")}
    for name in members - {"begin"}:  # for init alone
        assert re.search(rf"`{name}[`(]", document), f"{kind.__name__}.{name} is not in docs/reference/python.md"
        assert getattr(kind, name).__doc__


def test_every_error_member_of_info_and_operator_is_documented() -> None:
    document = (DOCS / "reference/python.md").read_text()
    errors = [
        name
        for name in tracker.__all__
        if isinstance(getattr(tracker, name), type) and issubclass(getattr(tracker, name), Exception)
    ]
    operators = "$eq $ne $lt $lte $gt $gte $in $nin $exists $regex $contains $and $or $not".split()
    for name in (*errors, *RunInfo.__annotations__, *operators):
        assert f"`{name}`" in document


def test_documents_link_only_to_what_is_there() -> None:
    for document in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
