"""Read paths on command lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tracker.machine.paths import expand


class PathArgument(click.Path):
    """A path with `~` expanded, which shells do not expand in `--dir=~/runs` and in quotes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(expand(value), param, ctx)
