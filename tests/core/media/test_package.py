from __future__ import annotations

import subprocess
import sys

import pytest

import tracker.media

LIBRARIES = ("numpy", "PIL", "matplotlib", "pandas", "torch", "jax", "plotly", "polars", "tensorflow")

IMPORT = f"""
import sys
import tracker
print(*sys.modules)
import tracker.media
for name in tracker.media.__all__:
    getattr(tracker.media, name)
tracker.media.as_media([1.0])
assert not set(sys.modules) & set({LIBRARIES}), set(sys.modules) & set({LIBRARIES})
"""


def test_the_package_offers_exactly_its_media() -> None:
    assert sorted(tracker.media.__all__) == [
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
    found = {name: getattr(tracker.media, name) for name in tracker.media.__all__}
    assert callable(found.pop("as_media"))
    assert all(issubclass(kind, tracker.media.Media) and kind.__name__ == name for name, kind in found.items())
    with pytest.raises(AttributeError, match="no attribute 'Molecule'"):
        _ = tracker.media.Molecule


@pytest.mark.extras
def test_training_imports_no_media_module_and_no_library() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("tracker.media")} == {
        "tracker.media",
        "tracker.media.arrays",
        "tracker.media.base",
        "tracker.media.convert",
        "tracker.media.headers",
    }
    assert not loaded & {"wave", *LIBRARIES}
