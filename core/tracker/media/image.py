"""Log images from files, arrays, Pillow and matplotlib."""

from __future__ import annotations

from io import BytesIO
from types import ModuleType
from typing import Any

from .arrays import Array
from .base import Media, Store, caption_text, file_content, is_path, stored
from .headers import image_size
from .pixels import is_pil_image, pixels
from .png import encode_png
from .scale import to_uint8

_FORMATS = ("png", "jpg", "gif", "webp", "bmp", "svg")
_PNG_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16")  # modes that Pillow can write as PNG


class Image(Media):
    """An image from a file, an array, Pillow or matplotlib.

        run.log({"samples": tracker.Image(array, caption="first batch")})

    Args:
        data_or_path: A path, or the bytes, of a PNG, JPEG, GIF, WebP, BMP or SVG file, stored as it is; an array of any
            library or nested lists, stored as 8-bit PNG (`pixels.pixels` says which layouts, `scale.to_uint8` how
            values become pixels); a Pillow image; a matplotlib figure, or axes for their whole figure; or the module
            `matplotlib.pyplot` for its current figure.
        mode: "L", "RGB" or "RGBA": how many channels to expect of an array, or what to convert a Pillow image to.
        caption: A text to show with the image.
        file_type: The format to store: "png" (the default), or through Pillow "jpg", "webp", "gif" or "bmp". A file
            must have this format.

    Raises:
        OSError: The file cannot be read; FileNotFoundError if there is none.
        TypeError: The value is not an image.
        ValueError: The array has another layout, the file another format, or a side is over 65,535 pixels.
    """

    def __init__(
        self, data_or_path: Any, mode: str | None = None, caption: str | None = None, file_type: str | None = None
    ) -> None:
        wanted = _normal(file_type)
        self.caption = caption_text(caption)
        if is_path(data_or_path) or isinstance(data_or_path, (bytes, bytearray)):
            if mode is not None:
                raise ValueError("mode is for arrays and Pillow images; an image file is stored as it is")
            self._content, self.format = file_content(data_or_path, "an image", _FORMATS, wanted)
            return
        if wanted == "svg":
            raise ValueError("file_type 'svg' is for files; pixels are stored as png, jpg, webp, gif or bmp")
        self.format = "png" if wanted is None else wanted
        content = _png(data_or_path, mode)
        self._content = content if self.format == "png" else _convert(content, self.format)

    def record(self, store: Store) -> dict[str, Any]:
        """Return `_type` image, without `width` and `height` if the file does not give them (SVG)."""
        content = self._content if isinstance(self._content, bytes) else self._content.read_bytes()
        width, height = image_size(content, self.format) or (None, None)
        return stored("image", content, self.format, store, width=width, height=height, caption=self.caption)


def _normal(file_type: str | None) -> str | None:
    if file_type is None:
        return None
    name = file_type.lower().lstrip(".")
    name = "jpg" if name == "jpeg" else name
    if name not in _FORMATS:
        raise ValueError(f"file_type {file_type!r} is not one of {', '.join(_FORMATS)}")
    return name


def _png(value: Any, mode: str | None) -> bytes:
    if isinstance(value, ModuleType) and hasattr(value, "gcf"):
        value = value.gcf()
    if hasattr(value, "get_figure") and not hasattr(value, "savefig"):
        value = _whole_figure(value)
    if hasattr(value, "savefig"):
        file = BytesIO()
        value.savefig(file, format="png")
        return file.getvalue()
    if is_pil_image(value):
        return _pil_png(value, mode)
    image = pixels(value, frames=False, mode=mode)
    return encode_png(image.frames[0], image.width, image.height, image.channels)


def _whole_figure(part: Any) -> Any:
    """Return the figure that can be saved, of matplotlib axes or a sub-figure."""
    figure = part.get_figure()
    while figure is not None and not hasattr(figure, "savefig") and figure.figure is not figure:
        figure = figure.figure
    if figure is None:
        raise ValueError(f"this {type(part).__name__} does not belong to a figure, or no longer does")
    return figure


def _pil_png(image: Any, mode: str | None) -> bytes:
    if mode is not None:
        image = image.convert(mode)
    elif image.mode in ("F", "I"):  # 32-bit floats and integers have no fixed range, so they are scaled like an array
        kind = image.mode.lower()
        values = memoryview(image.tobytes()).cast(kind)
        return encode_png(to_uint8(Array(image.size, kind, values)), image.width, image.height, 1)
    elif image.mode not in _PNG_MODES:
        image = image.convert("RGB")
    file = BytesIO()
    image.save(file, format="png")
    return file.getvalue()


def _convert(png: bytes, extension: str) -> bytes:
    try:
        from PIL import Image as Pillow  # only here: PNG, the default, needs no library
    except ImportError:
        raise ImportError(f"file_type={extension!r} needs Pillow (pip install pillow); 'png' does not") from None
    image: Any = Pillow.open(BytesIO(png))
    if extension == "jpg" and image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    file = BytesIO()
    image.save(file, format={"jpg": "jpeg"}.get(extension, extension))
    return file.getvalue()
