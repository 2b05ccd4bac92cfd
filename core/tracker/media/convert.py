"""Find out which values are media, by the names of their classes and without importing their libraries."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from .arrays import count, is_array_type, names
from .base import Media, MediaList

SMALL = 32
"""Arrays of at most this many elements are kept as lists; larger ones become histograms."""

_Converter = Callable[[Any], "Media | None"]


def as_media(value: Any) -> Media | None:
    """Return `value` as media, or None if it is not media.

    Media stay as they are. Figures and axes of matplotlib, `matplotlib.pyplot` (its current figure) and Pillow
    images become `Image`; Plotly figures `Plotly`; data frames of pandas and Polars `Table`; arrays of more than
    32 numbers `Histogram`; lists and tuples of only Media, figures and Pillow images a `MediaList`. All other
    values, including small arrays and empty lists, give None. The conversion of each class is looked up once.

    Raises what the constructors of the media raise.
    """
    convert = _converter_of(type(value))
    return None if convert is None else convert(value)


def _converter_of(kind: type) -> _Converter | None:
    try:
        return _converters[kind]
    except KeyError:
        convert = _converters[kind] = _converter(kind)
        return convert


def _converter(kind: type) -> _Converter | None:
    if issubclass(kind, Media):
        return _itself
    if issubclass(kind, (list, tuple)):
        return _list
    if issubclass(kind, ModuleType):
        return _module
    for name in names(kind) & _BY_CLASS.keys():
        return _BY_CLASS[name]
    return _array if is_array_type(kind) else None


def _itself(value: Media) -> Media:
    return value


def _image(value: Any) -> Media:
    return _class("Image")(value)


def _plotly(value: Any) -> Media:
    return _class("Plotly")(value)


def _table(value: Any) -> Media:
    return _class("Table")(dataframe=value)


def _class(name: str) -> Callable[..., Media]:
    # Imported when needed: most runs log no media, and Table imports this module to convert its cells.
    found: Callable[..., Media] = getattr(import_module(f".{name.lower()}", __package__), name)
    return found


def _module(value: ModuleType) -> Media | None:
    return _image(value) if value.__name__ == "matplotlib.pyplot" else None


def _list(values: Any) -> Media | None:
    if not values or not all(_converter_of(type(value)) in _IN_LISTS for value in values):
        return None
    media = map(as_media, values)
    return MediaList([item for item in media if item is not None])


def _array(value: Any) -> Media | None:
    if count(value) <= SMALL or getattr(value.dtype, "kind", "f") not in _NUMERIC:
        return None
    return _class("Histogram")(value)


_NUMERIC = "biufcV"  # NumPy's kinds of dtype; V has bfloat16 and similar types; c gets an error that says what to do
_IN_LISTS = (_itself, _image, _plotly)
_BY_CLASS: dict[tuple[str, str], _Converter] = {
    ("matplotlib", "FigureBase"): _image,
    ("matplotlib", "_AxesBase"): _image,
    ("PIL", "Image"): _image,
    ("plotly", "BaseFigure"): _plotly,
    ("pandas", "DataFrame"): _table,
    ("polars", "DataFrame"): _table,
}
_converters: dict[type, _Converter | None] = {}
