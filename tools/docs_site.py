"""Write the pages of the documentation site to build/docs/pages, for `zensical build`.

    python tools/docs_site.py

Copies docs/, adds the documents that live beside their code, and generates the reference pages that come from the
code itself: the Python API (rendered by mkdocstrings) and the help of every command.
The table of settings is generated too, into docs/reference/settings.md, so that it can be read in the repository. If
the code has changed since, this script updates the table and fails, so that you check and commit it.
Links between documents stay links between pages; links to other files of the repository lead to its address.
"""

from __future__ import annotations

import inspect
import os
import posixpath
import re
import shutil
import sys
from pathlib import Path

import click

import tracker
from tracker.cli.main import cli
from tracker.settings import SETTINGS, Setting

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "docs" / "pages"
BESIDE_CODE = {  # documents outside docs/, and the pages that they become
    "ARCHITECTURE.md": "explanation/architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASE.md": "release.md",
    "SECURITY.md": "security-policy.md",
    "benchmarks/README.md": "explanation/benchmarks.md",
    "core/tracker/runlog/FORMAT.md": "reference/run-log-format.md",
    "tests/faults/README.md": "explanation/fault-matrix.md",
}
ICON = ROOT / "server" / "web" / "src" / "icon.svg"
SETTINGS_PAGE = ROOT / "docs" / "reference" / "settings.md"
MORE = {  # pages that say more about a setting, from docs/reference
    "capture": "[Restore a run](../how-to/restore.md#choose-what-is-kept)",
    "console": "[Keep the console](../how-to/console.md)",
    "finish_timeout": "[Containers and schedulers](../how-to/containers.md)",
    "reinit": "[Call `init` a second time](../how-to/resume.md#call-init-a-second-time)",
    "resume": "[Resume a run](../how-to/resume.md)",
    "stats_sources": "[System metrics](system-metrics.md)",
    "sync_tensorboard": "[TensorBoard](../how-to/tensorboard.md#follow-from-the-script-itself)",
}
LINK = re.compile(r"(\]\()(?!https?://|#)([^)#\s]+)")
INTEGRATIONS = {
    "tracker_lightning": ("TrackerLogger",),
    "tracker_keras": ("TrackerCallback", "TrackerModelCheckpoint", "TrackerEvalCallback"),
}


def main() -> None:
    """Write all pages again."""
    known = SETTINGS_PAGE.read_text(encoding="utf-8")
    if (current := with_table_of_settings(known)) != known:
        SETTINGS_PAGE.write_text(current, encoding="utf-8")
        sys.exit(f"{SETTINGS_PAGE.relative_to(ROOT)} was out of date and is updated: check and commit it")
    shutil.rmtree(PAGES, ignore_errors=True)
    pages = _pages()
    for source, page in pages.items():
        target = PAGES / page
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            target.write_text(_with_links(source, page, pages), encoding="utf-8")
        else:
            shutil.copy(source, target)
    shutil.copy(ICON, PAGES / "images")
    for page, text in GENERATED.items():
        (PAGES / page).write_text(text(), encoding="utf-8")


def _pages() -> dict[Path, str]:
    """Return the page of each file: what lies in docs/ keeps its path."""
    docs = ROOT / "docs"
    found = {path: path.relative_to(docs).as_posix() for path in docs.rglob("*") if path.suffix in (".md", ".png")}
    return found | {ROOT / name: page for name, page in BESIDE_CODE.items()}


def _with_links(source: Path, page: str, pages: dict[Path, str]) -> str:
    """Return the text of a document with its links as they are on the site."""
    folder = posixpath.dirname(page)

    def there(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / match[2]))
        if target == ROOT / "README.md":
            return match[1] + posixpath.relpath("index.md", folder or ".")
        if target in pages:
            return match[1] + posixpath.relpath(pages[target], folder or ".")
        if not target.exists():
            sys.exit(f"{source.relative_to(ROOT)} links to {match[2]}, which does not exist")
        return f"{match[1]}{_repository()}/blob/main/{target.relative_to(ROOT).as_posix()}"

    return LINK.sub(there, source.read_text(encoding="utf-8"))


def _repository() -> str:
    """Return the repository's address, which pyproject.toml names."""
    found = re.search(r'^Source = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def python_reference() -> str:
    """Return a page with the docstrings of everything public, as directives of mkdocstrings."""
    public = {f"tracker.{name}": getattr(tracker, name) for name in tracker.__all__}
    classes = [name for name, value in public.items() if isinstance(value, type)]
    errors = [name for name in classes if issubclass(public[name], Exception)]
    media = [name for name in classes if public[name].__module__.startswith("tracker.media")]
    sections = {
        "Functions": [name for name, value in public.items() if inspect.isfunction(value)],
        "Classes": [name for name in classes if name not in (*errors, *media)],
        "Media": media,
        "Integrations": [f"{package}.{name}" for package, names in INTEGRATIONS.items() for name in names],
        "Errors": errors,
    }
    text = "# Python docstrings\n\nGenerated from the code; [the Python reference](python.md) explains it.\n"
    for title, names in sections.items():
        text += f"\n## {title}\n" + "".join(f"\n::: {name}\n" for name in names)
    return text


def command_help() -> str:
    """Return a page with the help of every command, as `--help` prints it."""
    context = click.Context(cli, info_name="tracker", terminal_width=84, max_content_width=84)
    text = "# Command help\n\nGenerated from the code; [the command reference](cli.md) explains it.\n"
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        if (command.help or "").startswith("Not installed"):
            sys.exit(f"`tracker {name}` is not installed here, and so its help is not known")
        inner = click.Context(command, info_name=name, parent=context, terminal_width=84, max_content_width=84)
        text += f"\n## `tracker {name}`\n\n```text\n{command.get_help(inner)}\n```\n"
    return text


def with_table_of_settings(page: str) -> str:
    """Return the page about settings with the table that the code has now."""
    before, rest = page.split("## All settings\n")
    _, after = rest.split("\n## ", 1)
    rows = "".join(f"| {' | '.join(_cells(setting))} |\n" for setting in SETTINGS)
    table = f"| name | variable | default | meaning |\n|---|---|---|---|\n{rows}"
    note = "<!-- `python tools/docs_site.py` writes this table from core/tracker/settings/table.py. -->"
    return f"{before}## All settings\n\n{note}\n\n{table}\n## {after}"


def _cells(setting: Setting) -> tuple[str, ...]:
    """Return name, variable, default and meaning of a setting, as Markdown."""
    default = setting.unset
    if setting.default is not None:
        number = isinstance(setting.default, float)
        default = f"{setting.default:g}" if number else f"`{setting.default}`".replace("`False`", "`false`")
    about = f"{setting.about}. See {MORE[setting.name]}" if setting.name in MORE else setting.about
    return f"`{setting.name}`", f"`{setting.variable}`", default, about


GENERATED = {"reference/docstrings.md": python_reference, "reference/help.md": command_help}


if __name__ == "__main__":
    main()
