"""List the modules of a model in a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tracker

_COLUMNS = ("name", "type", "parameters", "trainable")


def module_table(model: Any, example: Any = None) -> tracker.Table:
    """Return one row for each module, the model itself first.

    The columns are name, type, and the numbers of parameters and of trainable parameters, submodules included. The
    numbers are None if a lazy module does not know them yet. With `example`, an input of the model, the model runs on
    it (in evaluation mode, without gradients), and the column `output` has the shapes that the modules return.
    """
    rows = [[name, _type_name(module), *_counts(module)] for name, module in model.named_modules()]
    if example is None:
        return tracker.Table(columns=_COLUMNS, data=rows)
    shapes = _outputs(model, example)
    return tracker.Table(columns=[*_COLUMNS, "output"], data=[[*row, shapes.get(row[0])] for row in rows])


def _type_name(module: Any) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"


def _counts(module: Any) -> tuple[int | None, int | None]:
    try:
        sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    except ValueError:  # lazy modules have no sizes before their first input
        return None, None
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)


def _outputs(model: Any, example: Any) -> dict[str, str]:
    import torch

    shapes: dict[str, str] = {}

    def note(name: str) -> Callable[[Any, Any, Any], None]:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            shapes[name] = _shape(output)

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in model.named_modules()]
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            model(*example) if isinstance(example, tuple) else model(example)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training
    return shapes


def _shape(output: Any) -> str:
    if hasattr(output, "shape"):
        return str(list(output.shape))
    if isinstance(output, (list, tuple)):
        return f"({', '.join(map(_shape, output))})"
    if isinstance(output, dict):
        return "{" + ", ".join(f"{key}: {_shape(value)}" for key, value in output.items()) + "}"
    return type(output).__name__
