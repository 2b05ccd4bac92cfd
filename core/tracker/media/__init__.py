"""Log values that are more than numbers and strings, such as `tracker.Image`.

Importing this package imports no library. Its modules are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base import Media, MediaList
from .convert import as_media

if TYPE_CHECKING:
    from .audio import Audio
    from .histogram import Histogram
    from .html import Html
    from .image import Image
    from .plotly import Plotly
    from .table import Table
    from .text import Text
    from .video import Video

__all__ = [
    "Audio",
    "Histogram",
    "Html",
    "Image",
    "Media",
    "MediaList",
    "Plotly",
    "Table",
    "Text",
    "Video",
    "as_media",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{name.lower()}"), name)
    return value
