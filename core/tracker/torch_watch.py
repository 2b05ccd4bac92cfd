"""Log histograms of a torch model's gradients and parameters while it trains.

Torch is never imported here: a process that has a model has imported it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import contained
from .media import Histogram

KINDS = ("gradients", "parameters")
BINS = 64
_EXACT = 1 << 24  # the greatest count that a float32 can reach in steps of 1

Log = Callable[[dict[str, Histogram], "int | None"], object]


class Watch:
    """Log `gradients/<parameter>` and `parameters/<parameter>` of every `every`th backward pass.

    The histograms are computed on the device of the tensors, and copied to the host in one transfer per device.
    Gradients are those of this process, as accumulated at that moment. The hooks cost about a microsecond per parameter
    and pass.
    """

    def __init__(
        self,
        model: Any,
        kinds: tuple[str, ...],
        every: int,
        log: Log,
        step: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Install the hooks.

        Args:
            model: A torch module.
            kinds: Some of `KINDS`.
            every: Log every so many backward passes.
            log: Called with the histograms of a pass, and the step.
            step: Called when a pass begins; returns its step.
        """
        self.model = model
        self._current_step = step
        self._kinds = kinds
        self._every = every
        self._log = log
        self._passes = 0
        self._due = False
        self._step: int | None = None
        self._arrived: set[str] = set()
        self._found: dict[str, Any] = {}
        parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        self._count = len(parameters)
        self._hooks = [p.register_post_accumulate_grad_hook(self._hook(name)) for name, p in parameters]

    def close(self) -> None:
        """Log the remaining histograms, and remove the hooks."""
        for hook in self._hooks:
            hook.remove()
        self.flush()

    def flush(self) -> None:
        """Log the histograms of the last pass once. Parameters without a gradient have none."""
        self._due = False
        if not self._found:
            return
        found, self._found = self._found, {}
        self._log(_histograms(found), self._step)

    def _hook(self, name: str) -> Callable[[Any], None]:
        guard = contained("watching a model")  # one for all passes: the hook is called for every parameter

        def hook(parameter: Any) -> None:
            with guard:
                self._take(name, parameter)

        return hook

    def _take(self, name: str, parameter: Any) -> None:
        if not self._arrived or name in self._arrived:
            self.flush()
            self._begin()
        self._arrived.add(name)
        if self._due and "gradients" in self._kinds:
            _note(self._found, f"gradients/{name}", parameter.grad)
        if len(self._arrived) == self._count:
            self.flush()

    def _begin(self) -> None:
        self._arrived.clear()
        self._passes += 1
        self._due = self._passes % self._every == 0
        if not self._due:
            return
        self._step = self._current_step()
        if "parameters" in self._kinds:
            for name, parameter in self.model.named_parameters():
                _note(self._found, f"parameters/{name}", parameter)


def kinds_of(log: str, log_freq: int) -> tuple[str, ...]:
    """Return the kinds that `log` names. Raises ValueError for an unknown `log`, or a `log_freq` below 1."""
    if log not in (*KINDS, "all"):
        raise ValueError(f'log {log!r} must be "gradients", "parameters" or "all"')
    if log_freq < 1:
        raise ValueError(
            f"log_freq is {log_freq!r}; it is the number of backward passes from one histogram to the next"
        )
    return KINDS if log == "all" else (log,)


def _note(found: dict[str, Any], key: str, tensor: Any) -> None:
    values = tensor.detach()
    values = values.to_local() if hasattr(values, "to_local") else values  # a shard of a distributed tensor
    values = values.coalesce().values() if values.is_sparse else values
    if values.numel():
        found[key] = _counted(values.flatten().float())


def _counted(values: Any) -> Any:
    """Return one tensor on the same device: minimum, maximum, count of values not finite, and counts of the bins."""
    torch = sys.modules["torch"]
    finite = values.isfinite()
    low, high = values.where(finite, math.inf).amin(), values.where(finite, -math.inf).amax()
    half = high / 2 - low / 2  # halves, because the difference of two huge numbers can be infinite
    # histc would wait for the device to learn the range; values scaled to 0…BINS have a known one.
    places = ((values / 2 - low / 2) / half * BINS).clamp(0, BINS)
    places = places.where(half > 0, BINS / 2).where(finite, -1.0)  # all equal: the middle; not finite: no bin
    wide = torch.float32 if values.device.type == "mps" else torch.float64
    with _any_algorithm():
        counts = sum(part.histc(BINS, 0, BINS).to(wide) for part in places.split(_EXACT))
    head = torch.stack([low, high, (~finite).sum()]).to(wide)
    return torch.cat([head, counts])


@contextmanager
def _any_algorithm() -> Iterator[None]:
    """Allow counting by atomic additions, which torch does not call deterministic although the counts are exact."""
    torch = sys.modules["torch"]
    if not torch.are_deterministic_algorithms_enabled():
        yield
        return
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True, warn_only=warn_only)


def _histograms(found: dict[str, Any]) -> dict[str, Histogram]:
    torch = sys.modules["torch"]
    by_device: dict[Any, list[str]] = {}
    for key, counted in found.items():
        by_device.setdefault(counted.device, []).append(key)
    histograms: dict[str, Histogram] = {}
    for keys in by_device.values():
        for key, (low, high, nonfinite, *counts) in zip(
            keys, torch.stack([found[k] for k in keys]).tolist(), strict=True
        ):
            histograms[key] = Histogram(np_histogram=([int(n) for n in counts], _edges(low, high)))
            histograms[key].nonfinite = int(nonfinite)
    return histograms


def _edges(low: float, high: float) -> list[float]:
    if low > high:  # no value was finite
        low, high = 0.0, 1.0
    elif low == high:
        margin = max(0.5, abs(low) * 1e-6)
        low, high = low - margin, high + margin
    return [low + (high - low) * (i / BINS) for i in range(BINS)] + [high]
