"""Log texts that are shown as text, such as generated samples."""

from __future__ import annotations

from typing import Any

from .base import Media, Store, clean_text

MAX_TEXT = 1024**2
"""Most characters of one text, which is written into the row itself."""


class Text(Media):
    """A text that is shown as text, such as a generated sample.

        run.log({"sample": tracker.Text(generated)})

    Raises:
        TypeError: The value is not a string.
        ValueError: The text is longer than 1,048,576 characters.
    """

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"Text takes a string, not {type(value).__name__}")
        if len(value) > MAX_TEXT:
            raise ValueError(f"a text of {len(value):,} characters; at most {MAX_TEXT:,}. Use tracker.save for a file")
        self.value = clean_text(str(value))

    def record(self, store: Store) -> dict[str, Any]:  # noqa: ARG002 -- it is in the row itself
        """Return `_type` text."""
        return {"_type": "text", "value": self.value}
