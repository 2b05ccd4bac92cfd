"""What commands print: names and messages in it come from others, and are shown without orders to the terminal."""

from __future__ import annotations

import json
from typing import Any

import click
import orjson

from tracker.terminal import clean


def echo(text: object = "", err: bool = False) -> None:
    """Print text, which may have several lines, with what terminals take for orders replaced."""
    click.echo(clean(text, lines=True), err=err)


def echo_json(value: Any) -> None:
    """Print a JSON object in a line; characters that a terminal takes for orders are written as escapes of JSON."""
    text = orjson.dumps(value).decode()
    click.echo(text if text.isprintable() else json.dumps(orjson.loads(text), separators=(",", ":")))
