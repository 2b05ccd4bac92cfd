"""Smooth a line as the dashboard does: see `server/web/src/lib/smoothing.ts`, which explains the formulas."""

from __future__ import annotations

import math


def smooth(x: list[float], y: list[float], n: list[float], kind: str, weight: float) -> list[float]:
    """Return the smoothed values; an entry stands for `n` points. Values that are not finite stay."""
    if kind == "none" or len(set(y)) <= 1 or weight <= (1 if kind == "mean" else 0):
        return list(y)
    if kind == "mean":
        return _running_mean(y, n, weight)
    unit = (x[-1] - x[0]) / 1000 or 1.0
    out = list(y)
    weighted = weights = last = 0.0
    for i, value in enumerate(y):
        if not math.isfinite(value):
            continue
        size = max(1.0, n[i])
        if kind == "ema":
            kept, added = weight**size, (1 - weight**size) / (1 - weight)
        else:
            kept, added = weight ** (max(0.0, x[i] - last) / unit), size
        weighted = weighted * (kept if weights else 0.0) + value * added
        weights = weights * (kept if weights else 0.0) + added
        last = x[i]
        out[i] = weighted / weights
    return out


def _running_mean(y: list[float], n: list[float], window: float) -> list[float]:
    out = list(y)
    half = (window - 1) / 2
    for i, value in enumerate(y):
        if not math.isfinite(value):
            continue
        total, count = value * n[i], n[i]
        for step in (-1, 1):
            reach, j = half - (n[i] - 1) / 2, i + step
            while 0 <= j < len(y) and reach > 0:
                part = min(reach, n[j])
                reach -= n[j]
                if math.isfinite(y[j]):
                    total += y[j] * part
                    count += part
                j += step
        out[i] = total / count
    return out
