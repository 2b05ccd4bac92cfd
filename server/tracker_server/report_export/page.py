"""Write a report as one HTML page that needs no script, no network and no other file.

Each text is escaped. The page's policy allows its own style and images in `data:` addresses, nothing else, so even a
mistake here could not run a script or tell anybody who reads the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path

from . import svg
from .chart_data import csv_of
from .content import (
    BarChart,
    Blob,
    Content,
    Gallery,
    LineChart,
    Medium,
    Notice,
    Piece,
    ScatterChart,
    Sides,
    Table,
    Text,
)
from .markdown_html import to_html
from .numbers import moment


def page(content: Content) -> str:
    """Return the page."""
    images = {address: found for address, blob in content.images.items() if (found := _data_address(blob))}
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(content.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="content-security-policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
        f'<header><h1>{title}</h1><p class="about">{_about(content)}</p></header>\n'
        f"{_pieces(content.pieces, images)}\n</main>\n<footer>{_footer(content)}</footer>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _about(content: Content) -> str:
    parts = [f"{content.entity}/{content.project}"]
    if content.author:
        parts.append(content.author)
    return escape(" · ".join([*parts, moment(content.saved), f"version {content.version}"]))


def _footer(content: Content) -> str:
    text = f"Exported from tracker, {moment(content.exported)}. Charts and tables show the runs as they were then."
    link = f' <a href="{escape(content.address)}">Open the live report</a>' if content.address else ""
    return escape(text) + link


def _pieces(pieces: Iterable[Piece], images: dict[str, str], width: int = svg.WIDTH) -> str:
    return "\n".join(_piece(piece, images, width) for piece in pieces)


def _piece(piece: Piece, images: dict[str, str], width: int) -> str:
    if isinstance(piece, Text):
        return f"<section>{to_html(piece.markdown, images)}</section>"
    if isinstance(piece, Sides):
        sides = (f"<div>{_pieces(side, images, svg.NARROW)}</div>" for side in (piece.left, piece.right))
        return f'<div class="sides">{"".join(sides)}</div>'
    if isinstance(piece, LineChart):
        return _lines(piece, width)
    if isinstance(piece, BarChart):
        return _figure(piece, svg.bar_chart(piece, width))
    if isinstance(piece, ScatterChart):
        return _figure(piece, svg.scatter_chart(piece, width))
    if isinstance(piece, Table):
        return _table(piece)
    return _gallery(piece) if isinstance(piece, Gallery) else _notice(piece)


def _notice(notice: Notice) -> str:
    return f'<figure class="notice"><strong>{escape(notice.title)}</strong>{escape(notice.text)}</figure>'


def _lines(chart: LineChart, width: int) -> str:
    drawn = svg.line_chart(chart, width)
    if not drawn:
        return _notice(Notice(chart.title, "There are no positive values for a logarithmic axis."))
    items = (f"<li>{svg.key_of(line.color, line.dash)}{escape(line.name)}</li>" for line in chart.lines)
    return _figure(chart, f'{drawn}<ul class="legend">{"".join(items)}</ul>')


def _figure(chart: LineChart | BarChart | ScatterChart, body: str) -> str:
    data = base64.b64encode(csv_of(chart).encode()).decode()
    name = "".join(c if c.isalnum() else "-" for c in chart.title[:60]).strip("-") or "chart"
    link = f'<a download="{escape(name)}.csv" href="data:text/csv;charset=utf-8;base64,{data}">Download data</a>'
    caption = f"<figcaption><span>{escape(chart.note)}</span>{link}</figcaption>"
    return f"<figure><h3>{escape(chart.title)}</h3>{body}{caption}</figure>"


def _table(table: Table) -> str:
    kinds = ['class="number"' if i in table.numbers else "" for i in range(len(table.columns))]
    head = "".join(f"<th {kind}>{escape(name)}</th>" for kind, name in zip(kinds, table.columns, strict=True))
    rows = "".join(
        "<tr>" + "".join(f"<td {kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in table.rows
    )
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    if not table.rows:
        rows = f'<tr><td colspan="{len(table.columns)}">No runs match.</td></tr>'
    body = f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f"<figure>{title}{body}{note}</figure>"


def _gallery(gallery: Gallery) -> str:
    note = f'<p class="note">{escape(gallery.note)}</p>' if gallery.note else ""
    items = "".join(f"<div>{_medium(item)}<p>{escape(item.caption)}</p></div>" for item in gallery.items)
    return f'<figure><h3>{escape(gallery.title)}</h3><div class="media">{items}</div>{note}</figure>'


def _medium(item: Medium) -> str:
    if item.blob is None:
        return f"<pre>{escape(item.text)}</pre>"
    address = _data_address(item.blob)
    if not address:
        return f'<div class="missing">{escape(item.blob.problem)}</div>'
    return f'<img src="{address}" alt="{escape(item.caption)}">'


def _data_address(blob: Blob) -> str:
    if blob.data is None:
        return ""
    return f"data:{blob.media_type};base64,{base64.b64encode(blob.data).decode()}"
