"""Log videos and animations from files and arrays."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from .arrays import Array
from .base import Media, Store, caption_text, file_content, is_path, stored
from .pixels import Pixels, is_pil_image, pixels
from .png import encode_apng

_FORMATS = ("mp4", "webm", "mov", "ogg", "gif", "webp", "apng")
_WITH_ALPHA = ("RGBA", "LA", "PA", "P")  # modes of Pillow that can be transparent


class Video(Media):
    """A video from a file or from frames.

        run.log({"rollout": tracker.Video(frames, fps=30)})

    Args:
        data_or_path: A path, the bytes or a binary file object of an MP4, WebM, QuickTime, Ogg, GIF, WebP or animated
            PNG file, stored as it is; or an array of any library, or a list of frames that are arrays or Pillow images
            of one size: frames × height × width × channels, frames × channels × height × width, or frames × height ×
            width. Layout and values are as for `Image`; all frames are scaled alike. Frames take much space: encode
            longer clips as MP4 and pass the path.
        caption: A text to show with the video.
        fps: Frames per second, from 0.02 to 1000; does not apply to files.
        format: How to store frames: "apng" (the default: animated PNG, which is lossless and shown by all browsers) or
            "gif" through Pillow. A file must have this format.

    Raises:
        OSError: The file cannot be read; FileNotFoundError if there is none.
        TypeError: The value is not a video.
        ValueError: The array has another layout, the format is unknown, or `fps` is out of range.
    """

    def __init__(
        self, data_or_path: Any, caption: str | None = None, fps: float = 4, format: str | None = None
    ) -> None:
        wanted = None if format is None else {"png": "apng"}.get(format.lower(), format.lower())
        self.caption = caption_text(caption)
        self.fps: float | None = None
        if is_path(data_or_path) or isinstance(data_or_path, (bytes, bytearray)) or hasattr(data_or_path, "read"):
            known = {"png" if name == "apng" else name for name in _FORMATS}
            expected = {"apng": "png"}.get(wanted or "", wanted)
            self._content, found = file_content(data_or_path, "a video", known, expected)
            self.format = "apng" if found == "png" else found
            return
        if wanted not in (None, "apng", "gif"):
            raise ValueError(
                f"arrays are stored as 'apng' or 'gif', not {format!r}; encode the video yourself and give its path"
            )
        if not 0.02 <= fps <= 1000:
            raise ValueError(f"fps is {fps!r}; it must be from 0.02 to 1000")
        self.fps, self.format = fps, wanted or "apng"
        clip = pixels(_frames(data_or_path), frames=True)
        encode = _gif if self.format == "gif" else _apng
        self._content = encode(clip, fps)

    def record(self, store: Store) -> dict[str, Any]:
        """Return `_type` video; a video made from frames has `fps`."""
        return stored("video", self._content, self.format, store, fps=self.fps, caption=self.caption)


def _frames(value: Any) -> Any:
    """Return a list of Pillow images as pixels of one mode, and any other value unchanged."""
    if not isinstance(value, (list, tuple)) or not value or not all(map(is_pil_image, value)):
        return value
    mode = "RGBA" if any(frame.mode in _WITH_ALPHA for frame in value) else "RGB"
    return [
        Array((frame.height, frame.width, len(mode)), "i", memoryview(frame.convert(mode).tobytes())) for frame in value
    ]


def _apng(clip: Pixels, fps: float) -> bytes:
    return encode_apng(clip.frames, clip.width, clip.height, clip.channels, fps)


def _gif(clip: Pixels, fps: float) -> bytes:
    try:
        from PIL import Image as Pillow  # only here: animated PNG, the default, needs no library
    except ImportError:
        raise ImportError("format='gif' needs Pillow (pip install pillow); 'apng' does not") from None
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[clip.channels]
    size = (clip.width, clip.height)
    first, *others = [Pillow.frombytes(mode, size, bytes(frame)) for frame in clip.frames]
    file = BytesIO()
    first.save(file, format="gif", save_all=True, append_images=others, duration=round(1000 / fps), loop=0)
    return file.getvalue()
