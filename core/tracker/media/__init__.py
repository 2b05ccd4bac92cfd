"""Values of a row that are more than numbers and strings: what `tracker.Image` and its like are.

Importing this package imports no library outside Python's own but `orjson`.
"""

from __future__ import annotations

from .audio import Audio
from .base import Media, MediaList
from .convert import as_media
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
