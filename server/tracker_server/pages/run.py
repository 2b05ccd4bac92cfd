"""The page of one run: what it is, its config and summary, its files."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse

from tracker.runlog.fold import STATES
from tracker.runlog.records import restore
from tracker.wire import RunInfo, run_path

from .document import respond
from .text import ago, duration, short


def page(run: RunInfo, files: dict[str, dict[str, Any]], keys: int, now: float) -> HTMLResponse:
    """Return the page. `files` by name as the storage has them; `keys` is how many metrics were logged."""
    state = run["state"] if run["state"] in STATES else ""
    end = now if state == "running" else run["updated"]
    where = escape(f"{run['entity']} / {run['project']}")
    path = f"{run['entity']}/{run['project']}/{run['id']}"
    facts = {
        "State": f'<span class="state {state}">{escape(run["state"])}</span>',
        "Created": ago(run["created"], now),
        "Duration": duration(end - run["created"]),
        "Rows": f"{run['rows']:,}, with {keys:,} metrics",
        "Host": escape(run["host"] or ""),
        "Program": escape(run["program"] or ""),
        "Group": escape(run["group"] or ""),
        "Tags": escape(", ".join(run["tags"])),
        "Notes": escape(run["notes"] or ""),
        "Error": escape(run["error"] or ""),
        "Not readable": f"{run['corrupt']:,} lines" if run["corrupt"] else "",
        "Lost": f"{run['lost']:,} records that the training machine could not write" if run["lost"] else "",
    }
    body = (
        f'<main><header><p class="brand"><a href="/">tracker</a></p><span class="soft">{where}</span></header>'
        f"<h1>{escape(run['name'])}</h1><section>{_table(facts)}</section>"
        + _section("Config", {k: escape(_text(v)) for k, v in restore(run["config"]).items()})
        + _section("Summary", {k: escape(_text(v)) for k, v in restore(run["summary"]).items()})
        + _section("Files", {name: _download(run, name, entry) for name, entry in sorted(files.items())})
        + '<p class="soft">From Python: '
        f"<code>tracker.Api().run({escape(repr(path))}).history()</code></p></main>"
    )
    return respond(f"{run['name']} · tracker", body)


def _section(title: str, values: dict[str, str]) -> str:
    return f"<section><h2>{title}</h2>{_table(values)}</section>" if values else ""


def _table(values: dict[str, str]) -> str:
    """Rows of a name, which is text, and a value, which is HTML; those without a value are left out."""
    rows = "".join(f'<tr><th scope="row">{escape(k)}</th><td>{v}</td></tr>' for k, v in values.items() if v)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def _text(value: Any) -> str:
    if isinstance(value, dict) and "_type" in value:
        return f"({value['_type']})"
    text = short(value)
    return repr(value)[:500] if text is None else text


def _download(run: RunInfo, name: str, entry: dict[str, Any]) -> str:
    path = f"{run_path(run['entity'], run['project'], run['id'])}/files/{quote(name)}"
    size = entry.get("size")
    return f'<a href="{escape(path)}">download</a>' + (f" ({size:,} bytes)" if isinstance(size, int) else "")
