from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tracker.media

LIBRARIES = ("numpy", "PIL", "matplotlib", "pandas", "torch", "jax", "plotly", "polars", "tensorflow")

IMPORT = f"""
import sys
import io, pathlib, struct, zlib, tracker.runlog.records
import time
start = time.process_time()
import tracker.media
cost = time.process_time() - start
for name in tracker.media.__all__:
    getattr(tracker.media, name)
tracker.media.as_media([1.0])
assert not set(sys.modules) & set({LIBRARIES}), set(sys.modules) & set({LIBRARIES})
print(cost)
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
    assert all(isinstance(getattr(tracker.media, name), object) for name in tracker.media.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Molecule'"):
        _ = tracker.media.Molecule


@pytest.mark.extras
def test_importing_costs_under_3_ms_and_loads_nobodys_library(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)  # the first round compiles, the others find it done
    costs = [
        float(subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, check=True).stdout)
        for _ in range(4)
    ]
    assert min(costs[1:]) < 0.003
