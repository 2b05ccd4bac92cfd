"""Define the blocks of reports, as requests must have them. Members of panels are the dashboard's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXT = 500_000
MAX_BLOCKS = 200
MAX_RUNS = 1000

_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="Unique within the report")]
_Name = Annotated[str, Field(min_length=1, max_length=1000)]
_RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_RunIds = Annotated[
    list[_RunId], Field(max_length=MAX_RUNS, description="Ids of runs of the project; empty: those that match `filter`")
]
_Filter = Annotated[str, Field(max_length=20_000, description="An expression such as `summary.acc >= 0.9`")]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: _Id


class MarkdownBlock(_Block):
    """Text. A part of it that is fenced as `panel` is shown as a panel."""

    kind: Literal["markdown"]
    text: str = Field(max_length=MAX_TEXT)


class SortOf(BaseModel):
    """A column to sort by."""

    model_config = ConfigDict(extra="forbid")

    column: _Name
    descending: bool = False


class PanelBlock(_Block):
    """A chart, media or other panel of the dashboard, with the runs that it shows."""

    kind: Literal["panel"]
    panel: dict[str, Any] = Field(description="A panel as in saved views: `kind`, and members that depend on it")
    runs: _RunIds = []
    filter: _Filter = ""
    limit: int = Field(10, ge=1, le=MAX_RUNS)
    view: dict[str, Any] = Field({}, description="Settings of charts that differ from the default, as in saved views")


class TableBlock(_Block):
    """A table of runs."""

    kind: Literal["table"]
    title: str = Field("", max_length=1000)
    columns: list[_Name] = Field(max_length=100)
    runs: _RunIds = []
    filter: _Filter = ""
    sort: list[SortOf] = Field([], max_length=10)
    limit: int = Field(20, ge=1, le=MAX_RUNS)


class MediaBlock(_Block):
    """Media that a run logged with a key at a step; without a step the latest."""

    kind: Literal["media"]
    run: _RunId
    key: _Name
    step: int | None = Field(None, ge=-(2**53), le=2**53)
    caption: str = Field("", max_length=10_000)


PlainBlock = Annotated[Union[MarkdownBlock, PanelBlock, TableBlock, MediaBlock], Field(discriminator="kind")]  # noqa: UP007 - evaluated


class ColumnsBlock(_Block):
    """Blocks side by side, such as a text beside a chart."""

    kind: Literal["columns"]
    left: list[PlainBlock] = Field(max_length=MAX_BLOCKS)
    right: list[PlainBlock] = Field(max_length=MAX_BLOCKS)


Block = Annotated[
    Union[MarkdownBlock, PanelBlock, TableBlock, MediaBlock, ColumnsBlock],  # noqa: UP007 - evaluated
    Field(discriminator="kind"),
]


def all_blocks(blocks: list[Any]) -> Iterator[_Block]:
    """Yield the blocks, and those inside columns."""
    for block in blocks:
        yield block
        if isinstance(block, ColumnsBlock):
            yield from block.left
            yield from block.right
