"""Print the output of commands without control characters, since names and messages in it come from others."""

from __future__ import annotations

import json
from typing import Any

import click
import orjson

from tracker.terminal import clean


def echo(text: object = "", err: bool = False) -> None:
    """Print text of one or more lines, with control characters replaced."""
    click.echo(clean(text, lines=True), err=err)


def echo_json(value: Any) -> None:
    """Print a JSON object in one line, with control characters as JSON escapes."""
    text = orjson.dumps(value).decode()
    click.echo(text if text.isprintable() else json.dumps(orjson.loads(text), separators=(",", ":")))
