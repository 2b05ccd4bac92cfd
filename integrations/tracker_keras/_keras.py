"""Import Keras, which has no types, once for this package. Raises ImportError if it is not Keras 3."""

from __future__ import annotations

import keras  # type: ignore[import-untyped, import-not-found, unused-ignore] # installed or not

if not str(getattr(keras, "__version__", "")).startswith("3."):
    raise ImportError(f"Keras 3 is needed, and keras is {getattr(keras, '__version__', keras)}")

__all__ = ["keras"]
