from __future__ import annotations

from pathlib import Path

import pytest

# Warnings of writers and TensorFlow about themselves.
_OF_WRITERS = (
    "ignore:.*torch.jit.*is deprecated:DeprecationWarning",
    "ignore:.*is deprecated.*:FutureWarning",
    "ignore:.*:DeprecationWarning:tensorflow",
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for line in _OF_WRITERS:
                item.add_marker(pytest.mark.filterwarnings(line))
