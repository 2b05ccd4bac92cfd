"""Turn arrays of any layout into interleaved 8-bit pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

from .arrays import names, plain
from .scale import to_uint8

CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}
"""The number of channels of each mode."""


class Pixels(NamedTuple):
    """Frames of equal size; each is a flat buffer of rows from the top with interleaved channels."""

    frames: list[memoryview[Any]]
    width: int
    height: int
    channels: int


def pixels(value: Any, frames: bool, mode: str | None = None) -> Pixels:
    """Return the pixels of one image, or with `frames` of a sequence of images along the first axis.

    An image is height x width (grey), height x width x channels, or channels x height x width as in PyTorch, with
    1 (grey), 3 (RGB) or 4 (RGBA) channels. The last axis is the channels if its length is 1, 3 or 4, otherwise the
    first is; so a layout that could be both is read as height x width x channels. A `mode` (`L`, `RGB`, `RGBA`)
    sets the number of channels, and only axes of that length count. Extra leading axes of length 1 are dropped.
    Values are scaled by `to_uint8`, all frames alike.

    Raises TypeError if `value` holds no numbers, and ValueError for other layouts.
    """
    if mode is not None and mode not in CHANNELS:
        raise ValueError(f"mode {mode!r} is not one of {', '.join(CHANNELS)}")
    data = plain(value)
    shape = data.shape
    while len(shape) > 3 + frames and shape[0] == 1:
        shape = shape[1:]
    layout = _layout(shape[1:] if frames else shape, (CHANNELS[mode],) if mode else (1, 3, 4))
    if layout is None or 0 in shape:
        raise ValueError(_complaint(data.shape, frames, mode))
    height, width, channels, planar = layout
    flat = to_uint8(data)
    size = height * width * channels
    cut = [flat[at : at + size] for at in range(0, len(flat), size)]
    if planar and channels > 1:
        cut = [_interleaved(frame, channels) for frame in cut]
    return Pixels(cut, width, height, channels)


def is_pil_image(value: Any) -> bool:
    """Tell whether `value` is a Pillow image."""
    return ("PIL", "Image") in names(type(value))


def _layout(shape: tuple[int, ...], allowed: tuple[int, ...]) -> tuple[int, int, int, bool] | None:
    """Return height, width, channels, and whether the channels come first."""
    if len(shape) == 2 and 1 in allowed:
        return shape[0], shape[1], 1, False
    if len(shape) != 3:
        return None
    if shape[2] in allowed:
        return shape[0], shape[1], shape[2], False
    if shape[0] in allowed:
        return shape[1], shape[2], shape[0], True
    return None


def _interleaved(planes: memoryview[Any], channels: int) -> memoryview[Any]:
    result, size = bytearray(len(planes)), len(planes) // channels
    for channel in range(channels):
        result[channel::channels] = planes[channel * size : (channel + 1) * size]
    return memoryview(result)


def _complaint(shape: tuple[int, ...], frames: bool, mode: str | None) -> str:
    wanted = f"{CHANNELS[mode]} (mode {mode})" if mode else "1, 3 or 4"
    if frames:
        return (
            f"an array of shape {shape} is not a video: frames x height x width (x channels) or "
            f"frames x channels x height x width, with {wanted} channels, is needed, and nothing empty"
        )
    batch = "; log a batch as a list of images" if len(shape) == 4 else ""
    return (
        f"an array of shape {shape} is not an image: height x width (x channels) or channels x height x width, "
        f"with {wanted} channels, is needed, and nothing empty{batch}"
    )
