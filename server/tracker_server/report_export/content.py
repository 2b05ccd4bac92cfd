"""What a report holds once its panels and tables are filled with data, whatever file it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracker.names import RunKey


@dataclass
class Text:
    """Markdown of a user."""

    markdown: str


@dataclass
class Notice:
    """Why something is not shown."""

    title: str
    text: str


@dataclass
class Line:
    """One line of a chart; missing numbers are NaN, and x ascends."""

    name: str
    color: str
    """`0` to `6`, a slot of the palette, or `#rrggbb`."""
    dash: int
    x: list[float]
    y: list[float]
    """What is drawn, perhaps smoothed."""
    mean: list[float]
    """What was logged, or the means of buckets."""
    low: list[float]
    high: list[float]
    buckets: bool
    """Whether an entry stands for several points, from `low` to `high`."""


@dataclass
class LineChart:
    """Lines on common axes."""

    title: str
    x: str
    log_x: bool
    log_y: bool
    lines: list[Line]
    note: str = ""


@dataclass
class Mark:
    """A bar or a point of one run."""

    name: str
    color: str
    x: float
    y: float


@dataclass
class BarChart:
    """A bar for each run, as long as its `x`."""

    title: str
    value: str
    bars: list[Mark]
    note: str = ""


@dataclass
class ScatterChart:
    """A point for each run."""

    title: str
    x: str
    y: str
    log_x: bool
    log_y: bool
    points: list[Mark]
    note: str = ""


@dataclass
class Table:
    """Texts in rows; `numbers` are the columns of numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    numbers: set[int]
    note: str = ""


@dataclass
class Blob:
    """Content that a run names. `data` is there once it was read."""

    run: RunKey
    digest: str
    data: bytes | None = None
    media_type: str = ""
    problem: str = "This image is not there."
    """Why there is no data."""


@dataclass
class Medium:
    """An image (with `blob`) or a text of a run."""

    caption: str
    blob: Blob | None = None
    text: str = ""


@dataclass
class Gallery:
    """Media of runs."""

    title: str
    items: list[Medium]
    note: str = ""


@dataclass
class Sides:
    """What is side by side."""

    left: list[Piece]
    right: list[Piece]


Piece = Text | Notice | LineChart | BarChart | ScatterChart | Table | Gallery | Sides


@dataclass
class Content:
    """A report with its data."""

    title: str
    entity: str
    project: str
    version: int
    author: str | None
    saved: float
    exported: float
    address: str
    """The address of the live report; empty if it is unknown."""
    pieces: list[Piece] = field(default_factory=list)
    images: dict[str, Blob] = field(default_factory=dict)
    """Images of this server in texts, by their address there."""


def blobs_of(content: Content) -> list[Blob]:
    """Return all blobs that the file holds, in order."""
    found = list(content.images.values())
    todo: list[Piece] = list(content.pieces)
    for piece in todo:
        if isinstance(piece, Sides):
            todo += [*piece.left, *piece.right]
        elif isinstance(piece, Gallery):
            found += [item.blob for item in piece.items if item.blob is not None]
    return found
