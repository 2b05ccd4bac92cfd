"""The methods of `TrackerLogger` that log media."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tracker

from .rank import rank


class MediaMethods:
    """Each method ends in `log_metrics`.

    Lists of different lengths are an error on all ranks. If only one rank failed, the others would wait for it.
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
        """Log a table from `columns` and `data` (rows), or from a data frame."""
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
        """Log a list of texts, or a table as `log_table` does."""
        if texts is None:
            self.log_table(key, columns, data, dataframe, step)
        else:
            self._log_media(tracker.Text, key, texts, step, {})

    def log_image(self, key: str, images: list[Any], step: int | None = None, **lists: list[Any]) -> None:
        """Log a list of images, each anything that `tracker.Image` takes.

            logger.log_image("samples", [a, b], caption=["first", "second"])

        Args:
            key: The key of the images.
            images: The images.
            step: The step of the row.
            **lists: More arguments of `tracker.Image`, each a list with one item for each image.

        Raises:
            TypeError: If `images` is not a list.
            ValueError: If a list has another length than `images`.
        """
        self._log_media(tracker.Image, key, images, step, lists)

    def log_audio(self, key: str, audios: list[Any], step: int | None = None, **lists: list[Any]) -> None:
        """Log a list of sounds, as `log_image` logs images: `log_audio("speech", [a], sample_rate=[16000])`."""
        self._log_media(tracker.Audio, key, audios, step, lists)

    def log_video(self, key: str, videos: list[Any], step: int | None = None, **lists: list[Any]) -> None:
        """Log a list of videos, as `log_image` logs images: `log_video("episode", ["a.mp4"], caption=["first"])`."""
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
