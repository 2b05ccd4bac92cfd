"""Hold the config of a run: the choices before training, such as hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from tracker.runlog.records import decode_special_members

from .values.config_values import Members, read_config


class CopiedValues(dict[str, Any]):
    """A copy of a config or summary: a dict whose members are also attributes, and which belongs to no run."""

    def as_dict(self) -> dict[str, Any]:
        """Return a copy."""
        return dict(self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}; there are: {', '.join(self) or 'none'}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Config(MutableMapping[str, Any]):
    """The config of a run: a dict of its inputs. Each change is in the run log when the call returns.

        run.config["lr"] = 1e-3
        run.config.update(vars(args))
        run.config.lr  # 0.001

    Values are read back as they are kept: numbers, text, lists and dicts. To change a member of a nested dict, assign
    the whole dict (`config["optimizer"] = {…}`): changes inside it are not seen.
    """

    _values: dict[str, Any]
    _write: Callable[[dict[str, Any]], None]

    def __init__(self, write: Callable[[dict[str, Any]], None]) -> None:
        """`write` appends a `config` record with the changed members."""
        object.__setattr__(self, "_values", {})
        object.__setattr__(self, "_write", write)

    def _start_with(self, values: dict[str, Any]) -> None:
        """Take the members that the run already has, without writing them again."""
        self._values.update(values)

    def update(self, *sources: Any, allow_val_change: bool = True, **members: Any) -> None:  # noqa: ARG002
        """Set several members at once.

            run.config.update({"lr": 1e-3}, seed=1)

        Members that cannot be read are kept as text, with one warning.

        Args:
            sources: Dicts, argparse namespaces, dataclasses, pydantic and attrs objects, omegaconf-like mappings, or
                other objects with attributes.
            allow_val_change: Accepted for scripts that pass it; changes are always allowed, and the log keeps them all.
            members: Members by name.

        Raises:
            TypeError: A source has no members.
        """
        self._take(read_config(*sources, members))

    def setdefaults(self, source: Any) -> None:
        """Set those members of `source` that are not set yet. Raises TypeError if it has no members."""
        self._take(read_config(source).without(self._values))

    def _take(self, members: Members) -> None:
        members.warn()
        if members.values:
            self._values.update(decode_special_members(members.values))
            self._write(members.values)

    def as_dict(self) -> dict[str, Any]:
        """Return a copy of the members as a dict."""
        return dict(self._values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise TypeError("config members can be changed, not removed: the log keeps every value")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy, pickle and inspect ask for these
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(
                f"config has no {name!r}; it has: {', '.join(self._values) or 'nothing yet'}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return CopiedValues, (self._values,)

    def __repr__(self) -> str:
        return f"Config({self._values!r})"
