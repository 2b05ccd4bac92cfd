"""Store members of config and summary with the run when they are set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracker.runlog.records import decode_special_members

from .added_rows import plain


class Written(dict[str, Any]):
    """A dict that stores its members with the run when they are set, each call as one edit.

    If storing fails, the call raises and the dict stays as it was. Changes inside a nested dict or list are not
    noticed: `RunReader.update` stores them. Copies are plain dicts, and change nothing in the run.
    """

    def __init__(self, values: Mapping[str, Any], write: Callable[[dict[str, Any]], None]) -> None:
        """`write` stores changed members, in a form that JSON can write."""
        super().__init__(values)
        self._write = write

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, *sources: Any, **members: Any) -> None:
        """Set several members at once. Raises TypeError unless they are numbers, text, lists or dicts."""
        changed = {str(name): plain(value, str(name)) for name, value in dict(*sources, **members).items()}
        if changed:
            self._write(changed)
            super().update(decode_special_members(changed))

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a member; set it to `default` first if there is none."""
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, other: Any) -> Written:  # type: ignore[override, misc]
        self.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        """Return a plain dict."""
        return dict(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
