"""Keras, which has no types: everything here takes it from this module. Raises ImportError where it is not Keras 3."""

from __future__ import annotations

import keras  # type: ignore[import-untyped, import-not-found, unused-ignore] # in all of its states one line

if not str(getattr(keras, "__version__", "")).startswith("3."):
    raise ImportError(f"keras is {getattr(keras, '__version__', keras)}, and Keras 3 is needed")

__all__ = ["keras"]
