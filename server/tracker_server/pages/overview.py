"""The first page: projects with their newest runs, or how to log a first one."""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

from starlette.responses import HTMLResponse

from tracker.runlog.fold import STATES
from tracker.runlog.records import restore
from tracker.wire import ProjectInfo, RunInfo

from .document import respond
from .text import ago, duration, run_address, short

VALUES = 5
"""Summary values shown of a run."""


class Project(NamedTuple):
    """A project and its newest runs."""

    info: ProjectInfo
    runs: list[RunInfo]


def page(projects: list[Project], more: int, base_url: str, now: float) -> HTMLResponse:
    """Return the page. `more` projects are not listed; `base_url` is the server's address as this browser sees it."""
    head = f'<header><p class="brand">tracker</p><span class="soft">{escape(base_url)}</span></header>'
    if not projects:
        return respond("tracker", f"<main>{head}{_first_run(base_url)}</main>")
    body = "".join(_project(project, now) for project in projects)
    if more:
        body += f'<p class="soft">and {more:,} older projects</p>'
    return respond("Projects · tracker", f"<main>{head}{body}</main>")


def _first_run(base_url: str) -> str:
    script = """import tracker

tracker.init(project="first-steps", config={"lr": 0.1})
for step in range(100):
    tracker.log({"loss": 1 / (step + 1)})
tracker.finish()"""
    shell = f"export TRACKER_BASE_URL={base_url}\nexport TRACKER_API_KEY=…"
    return (
        "<h1>No runs yet</h1>"
        "<p>A script on this machine, started by the same user, finds this server by itself:</p>"
        f"<pre>{escape(script)}</pre>"
        "<p>On another machine, or for another user, say where the server is first. "
        "The key is the token that <code>tracker server</code> printed:</p>"
        f"<pre>{escape(shell)}</pre>"
        '<p class="soft">Then load this page again.</p>'
    )


def _project(project: Project, now: float) -> str:
    info = project.info
    count = f"{info['runs']:,} run" + ("" if info["runs"] == 1 else "s")
    name = escape(f"{info['entity']} / {info['project']}")
    title = f'<div class="title"><h2>{name}</h2><span class="soft">{count}</span></div>'
    rows = "".join(_run(run, now) for run in project.runs)
    head = "<thead><tr><th>Run</th><th>State</th><th>Created</th><th>Duration</th><th>Summary</th></tr></thead>"
    return f"<section>{title}<table>{head}<tbody>{rows}</tbody></table></section>"


def _run(run: RunInfo, now: float) -> str:
    state = run["state"] if run["state"] in STATES else ""
    end = now if state == "running" else run["updated"]
    link = f'<a href="{escape(run_address(run))}">{escape(run["name"])}</a>'
    shown = link + (f"<small>{escape(run['id'])}</small>" if run["id"] != run["name"] else "")
    return (
        f'<tr><td class="name">{shown}</td>'
        f'<td class="state {state}">{escape(run["state"])}</td>'
        f'<td class="time">{ago(run["created"], now)}</td>'
        f'<td class="number">{duration(end - run["created"])}</td>'
        f'<td class="summary"><dl class="values">{_values(run["summary"])}</dl></td></tr>'
    )


def _values(summary: dict[str, Any]) -> str:
    pairs = [(key, text) for key, value in restore(summary).items() if (text := short(value)) is not None]
    shown = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(text)}</dd></div>" for key, text in pairs[:VALUES])
    rest = len(pairs) - VALUES
    return shown + (f'<div class="soft">+{rest}</div>' if rest > 0 else "")
