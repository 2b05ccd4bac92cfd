"""The methods of a logger that take media."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tracker

from .rank import rank


class MediaMethods:
    """Everything here ends in `log_metrics`. Lists that do not match are an error on all ranks, or one rank alone would
    stop and leave the others waiting.
    """

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Append one row."""
        raise NotImplementedError

    def log_table(
        self,
        key: str,
        columns: list[str] | None = None,
        data: Any = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """Log a table, given as `columns` and `data` (rows) or as a data frame."""
        if rank() == 0:
            self.log_metrics({key: tracker.Table(columns=columns, data=data, dataframe=dataframe)}, step)

    def log_text(
        self,
        key: str,
        texts: list[str] | None = None,
        step: int | None = None,
        *,
        columns: list[str] | None = None,
        data: Any = None,
        dataframe: Any = None,
    ) -> None:
        """Log texts; or a table of them, as `log_table` does."""
        if texts is None:
            self.log_table(key, columns, data, dataframe, step)
        else:
            self._log_media(tracker.Text, key, texts, step, {})

    def log_image(self, key: str, images: list[Any], step: int | None = None, **lists: list[Any]) -> None:
        """Log images: whatever `tracker.Image` takes. Its other arguments are lists, one item an image:
        `log_image("samples", [a, b], caption=["first", "second"])`. Raises TypeError and ValueError otherwise.
        """
        self._log_media(tracker.Image, key, images, step, lists)

    def log_audio(self, key: str, audios: list[Any], step: int | None = None, **lists: list[Any]) -> None:
        """Log sounds, as `log_image` does images: `log_audio("speech", [a], sample_rate=[16000])`."""
        self._log_media(tracker.Audio, key, audios, step, lists)

    def log_video(self, key: str, videos: list[Any], step: int | None = None, **lists: list[Any]) -> None:
        """Log videos, as `log_image` does images: `log_video("episode", ["a.mp4"], caption=["first"])`."""
        self._log_media(tracker.Video, key, videos, step, lists)

    def _log_media(self, kind: Any, key: str, items: list[Any], step: int | None, lists: dict[str, list[Any]]) -> None:
        if not isinstance(items, list):
            raise TypeError(f"{key!r} needs a list of what tracker.{kind.__name__} takes, not a {type(items).__name__}")
        for name, values in lists.items():
            if len(values) != len(items):
                raise ValueError(f"{key!r} has {len(items)} items but {len(values)} of {name}; give one for each")
        if rank() == 0:
            each = [{name: values[i] for name, values in lists.items()} for i in range(len(items))]
            self.log_metrics({key: [kind(item, **more) for item, more in zip(items, each, strict=True)]}, step)
