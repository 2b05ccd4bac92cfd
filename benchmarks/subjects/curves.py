"""Make the runs for the dashboards of all subjects: falling losses, as many as needed."""

from __future__ import annotations

import random
from collections.abc import Iterator

START = 1_790_000_000.0


def keys(count: int) -> list[str]:
    """Return the names of the metrics."""
    return [f"train/m{number:02}" for number in range(count)]


def rows(run: int, metrics: int, steps: int) -> Iterator[tuple[float, list[float]]]:
    """Yield the time and the values of each step of a run."""
    chance = random.Random(run)
    scales = [chance.uniform(0.5, 1.5) for _ in range(metrics)]
    for step in range(steps):
        loss = 2.5 / (1 + 8 * step / steps) * (0.95 + 0.1 * chance.random())
        yield START + 60 * run + 0.05 * step, [scale * loss for scale in scales]
