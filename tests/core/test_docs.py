from __future__ import annotations

import re
import runpy
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
    """Return the rows of a document's tables by their first cell."""
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


def test_the_table_of_settings_is_what_the_code_says() -> None:
    page = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    current = runpy.run_path(str(ROOT / "tools" / "docs_site.py"))["with_table_of_settings"](page)
    assert page == current, "run `python tools/docs_site.py`"


def commands() -> dict[str, click.Command]:
    """Return the commands in pyproject.toml, installed or not."""
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


def test_every_command_below_the_server_is_documented_with_all_its_options() -> None:
    pytest.importorskip("sqlalchemy")
    cli = pytest.importorskip("tracker_server.cli")
    sections = (DOCS / "reference/cli.md").read_text().split("\n### ")

    def check(command: click.Command, path: list[str], section: str) -> None:
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), name)
                assert found is not None
                check(found, [*path, name], section)
            return
        assert f"`{' '.join(path)}" in section or f", `{' '.join(path)}" in section or not path, path
        options = [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]
        for option in options:
            if option.startswith("--") and option not in ("--dir", "--json", "--url"):
                assert f"`{option}" in section or f" {option}" in section, f"{option} of {path}"

    for name in cli.server.list_commands(click.Context(cli.server)):
        (section,) = [one for one in sections if one.startswith(f"`tracker server {name}`\n")]
        check(cli.server.get_command(click.Context(cli.server), name), [], section)


def test_every_installed_command_is_in_the_docs() -> None:
    document = (DOCS / "reference/cli.md").read_text()
    for entry in entry_points(group=GROUP):
        if entry.value.startswith(("tracker.", "tracker_server.", "tracker_tensorboard.")):
            assert f"`tracker {entry.name}`" in document


def test_every_command_in_the_docs_is_an_entry_point() -> None:
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


BESIDE_CODE = [
    ROOT / name for name in ("benchmarks/README.md", "core/tracker/runlog/FORMAT.md", "tests/faults/README.md")
]
DOCUMENTS = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *BESIDE_CODE])
PATH = r"(?:core|integrations|server|tests|benchmarks|examples|docs|tools)/[\w./-]*\w"


def lines_of_prose(document: Path) -> list[tuple[int, str]]:
    """The lines of a document with their numbers, except tables, code and lines with a URL."""
    text = re.sub(r"^```.*?^```", lambda code: "\n" * code[0].count("\n"), document.read_text(), flags=re.M | re.S)
    lines = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in lines if not line.startswith("|") and "://" not in line]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_lines_of_documents_are_short_enough_to_review(document: Path) -> None:
    assert [(number, len(line)) for number, line in lines_of_prose(document) if len(line) > 200] == []


END_OF_SENTENCE = re.compile(r"(?:[a-z0-9`)\]*\"”%][.!?]|[.!?]\)) (?=[A-Z`*\[“\"(])")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_line_of_documents_has_one_sentence(document: Path) -> None:
    lines = [(number, re.sub(r"^\s*\d+\. ", "", line)) for number, line in lines_of_prose(document)]
    lines = [(number, line) for number, line in lines if not line.startswith(("#", "    "))]
    assert [number for number, line in lines if END_OF_SENTENCE.search(line)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_link_only_to_existing_files(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paths_that_documents_name_exist(document: Path) -> None:
    for path in re.findall(rf"(?<![\w/.-])({PATH})(?:`|\s)", document.read_text()):
        assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_documents_that_code_names_exist() -> None:
    folders = ("core", "integrations", "server/tracker_server")
    sources = [source for folder in folders for source in (ROOT / folder).rglob("*.py")]
    for source in [*sources, *(ROOT / "server" / "web" / "src").rglob("*.ts*")]:
        for path in re.findall(r"\bdocs/[\w/-]+\.md", source.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), f"{source.relative_to(ROOT)} names {path}"


def test_every_document_is_in_the_navigation_of_the_site() -> None:
    pages = set(re.findall(r'= "([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text()))
    site = runpy.run_path(str(ROOT / "tools" / "docs_site.py"))
    from_docs = {document.relative_to(DOCS).as_posix() for document in DOCS.rglob("*.md")}
    assert pages == {*from_docs, *site["BESIDE_CODE"].values(), *site["GENERATED"]}


ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
SOURCES = (".py", ".md", ".png")


def folders_in_the_tree() -> set[str]:
    """The folders that the tree in ARCHITECTURE.md names, by their indentation."""
    found, above = set(), [""]
    for line in ARCHITECTURE.split("## Where things are")[1].split("```")[1].splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        for name in re.match(r"((?:[\w-]+/ {2})*[\w-]+/)?", line.strip())[0].split():  # type: ignore[index]
            path = above[depth] + name
            above[depth + 1 :] = [path]
            found.add(path.rstrip("/"))
    return found


def test_the_tree_in_the_architecture_is_that_of_the_repository() -> None:
    def below(folder: str, pattern: str) -> set[str]:
        paths = (ROOT / folder).glob(pattern)
        return {path.parent.relative_to(ROOT).as_posix() for path in paths if path.suffix in SOURCES}

    packages = below("core", "*/**/*") | below("integrations", "*/**/*") | below("server/tracker_server", "**/*")
    rooms = below("tests", "*/*") | below("benchmarks", "**/*") | below("docs", "**/*")
    assert folders_in_the_tree() == {
        *("core", "integrations", "server", "server/web", "server/web/src", "tests", "examples", "tools"),
        *(packages | rooms | {"tests/integrations", "tests/server", "tests/core"}),
    } - {"server/tracker_server/dashboard"}


def test_modules_that_the_architecture_names_exist() -> None:
    rooms = ("core/tracker", "server/tracker_server", "server/web/src", "integrations/tracker_tensorboard", ".")
    bases = [ROOT / room for room in rooms]
    for path in re.findall(r"`(\w+(?:/\w+)*(?:/|\.py))`", ARCHITECTURE):
        assert any((base / path).exists() for base in [*bases, bases[0] / "sdk"]), path
    for module in bases[0].glob("[!_]*.py"):
        assert f"`{module.name}`" in ARCHITECTURE
