"""Write a report as Markdown: texts as they are, charts as tables of their values."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .content import BarChart, Blob, Content, Gallery, LineChart, Notice, Piece, ScatterChart, Sides, Table, Text
from .numbers import moment, number


def markdown(content: Content, server: str) -> str:
    """Return the document. Images stay on the server, whose address is `server`."""
    about = [f"{content.entity}/{content.project}", *([content.author] if content.author else [])]
    about += [moment(content.saved), f"version {content.version}"]
    parts = [f"# {_line(content.title)}", _line(" · ".join(about)), *_pieces(content.pieces, server)]
    end = f"Exported from tracker, {moment(content.exported)}."
    parts.append(f"---\n\n{end}" + (f" [Open the live report](<{content.address}>)" if content.address else ""))
    return "\n\n".join(parts) + "\n"


def _pieces(pieces: Iterable[Piece], server: str) -> list[str]:
    return [text for piece in pieces for text in _piece(piece, server)]


def _piece(piece: Piece, server: str) -> list[str]:
    if isinstance(piece, Text):
        return [piece.markdown.strip("\n").replace("](/api/runs/", f"]({server}/api/runs/")]
    if isinstance(piece, Sides):
        return [*_pieces(piece.left, server), *_pieces(piece.right, server)]
    if isinstance(piece, Notice):
        return [f"> **{_line(piece.title)}**: {_line(piece.text)}"]
    if isinstance(piece, Gallery):
        items = [_medium(item.caption, item.blob, item.text, server) for item in piece.items]
        return [f"**{_line(piece.title)}**", *items]
    if isinstance(piece, Table):
        title = [f"**{_line(piece.title)}**"] if piece.title else []
        return [*title, _table(piece.columns, piece.rows, piece.numbers), *([piece.note] if piece.note else [])]
    return [f"**{_line(piece.title)}**", _chart(piece), *([piece.note] if piece.note else [])]


def _chart(chart: LineChart | BarChart | ScatterChart) -> str:
    if isinstance(chart, BarChart):
        return _table(["run", chart.value], [[bar.name, number(bar.x)] for bar in chart.bars], {1})
    if isinstance(chart, ScatterChart):
        rows = [[point.name, number(point.x), number(point.y)] for point in chart.points]
        return _table(["run", chart.x, chart.y], rows, {1, 2})
    rows = []
    for line in chart.lines:
        there = [value for value in line.mean if math.isfinite(value)]
        low = [value for value in line.low if math.isfinite(value)]
        high = [value for value in line.high if math.isfinite(value)]
        last = number(there[-1]) if there else "–"
        rows.append([line.name, last, number(min(low)) if low else "–", number(max(high)) if high else "–"])
    return _table(["line", "last", "min", "max"], rows, {1, 2, 3})


def _table(columns: list[str], rows: list[list[str]], numbers: set[int]) -> str:
    rule = ["---:" if i in numbers else "---" for i in range(len(columns))]
    lines = [[_line(name) for name in columns], rule, *([_line(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _medium(caption: str, blob: Blob | None, text: str, server: str) -> str:
    if blob is None:
        return "\n".join(["    " + line for line in text.splitlines()]) + f"\n\n{_line(caption)}"
    address = f"{server}/api/runs/{'/'.join(blob.run)}/media/{blob.digest}?type=image"
    return f"![{_line(caption)}](<{address}>)"


def _line(text: str) -> str:
    """Return text as one line in which nothing is markup."""
    text = " ".join(text.split())
    return "".join("\\" + c if c in "\\`*_{}[]<>()#+!|~&" else c for c in text)
