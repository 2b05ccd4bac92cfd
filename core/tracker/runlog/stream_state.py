"""Derive the state of one stream from its records: its writer, its last row, and how its process ended."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .exits import MEMBERS
from .validation import is_heartbeat, is_pid

STATES = ("running", "finished", "failed", "killed", "crashed", "preempted")
"""All states of a run; after `running`, they go from best to worst."""

_END = ("closed", "at_exit", *MEMBERS)


@dataclass(eq=False)
class StreamState:
    """The state of one stream of a run. None means unknown. Times are Unix times in seconds."""

    rows: int = 0
    """Rows or console lines."""
    corrupt: int = 0
    """Lines that could not be read."""
    lost: int = 0
    """Records that the process reported as not written."""
    unknown: int = 0
    """Records of kinds that this version does not know."""
    refused: int = 0
    """Values of rows that are not kept: they have a reserved name, or the run has too many keys."""
    opened: float | None = None
    """When its process began to write, or wrote again after its end."""
    last: float | None = None
    """The latest time of any of its records."""
    closed: float | None = None
    """When its process ended; None while it runs."""
    step: int | None = None
    """The step of its last row."""
    parent: Any = None
    """The stream of the parent process, for a forked child."""
    host: Any = None
    pid: int | None = None
    pid_start: Any = None
    added: bool = False
    """Whether its rows were added through the API, or copied from a parent run."""
    allow_stop: bool = False
    """Whether its process can be stopped."""
    preempting: bool = False
    """Whether its process said that the machine is about to be taken away."""
    goes_on: bool = False
    """Whether a forked child continues the run after its parent has ended."""
    after: list[str] = field(default_factory=list)
    """The streams that had ended when its process began."""
    heartbeat: float | None = None
    """The longest time in seconds between two lines of its agent."""
    event_file: dict[str, Any] | None = None
    """The TensorBoard event file that its values come from (`wire.EventFile`)."""
    suspect: str | None = None
    """Why its values may be wrong."""
    state: str | None = None
    """How its process ended, one of `STATES`."""
    exit_code: Any = None
    signal: Any = None
    error: Any = None
    traceback: Any = None
    at_exit: str | None = None
    """The state that holds if the exit status turns out to be another one; see `exits`."""
    settled: bool = False
    """Whether an agent has said how the process ended."""

    def to_json(self) -> dict[str, Any]:
        """Return the counts, and the other members that are known."""
        members = ((name, getattr(self, name)) for name in _NAMES)
        return {name: value for name, value in members if value is not None and value is not False and value != []}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StreamState:
        """Return the state that `to_json` described. Unknown members are ignored."""
        return cls(**{name: data[name] for name in _NAMES if name in data})

    @property
    def ended(self) -> bool:
        """Whether its process is known to have ended."""
        return self.closed is not None

    @property
    def decides(self) -> bool:
        """Whether its end can be that of the run: it is from a process of the run that is not a forked child."""
        return self.opened is not None and not self.added and (not self.parent or self.goes_on)

    @property
    def end_state(self) -> str:
        """The state in which its process ended."""
        return "preempted" if self.preempting and self.state != "finished" else str(self.state)

    def end(self) -> dict[str, Any]:
        """Return how the process ended: the members of `exits.MEMBERS` that are known."""
        return {name: getattr(self, name) for name in MEMBERS if getattr(self, name) is not None}

    def take_time(self, time: float) -> None:
        """Apply the time of a record."""
        self.last = time if self.last is None else max(self.last, time)

    def take_header(self, time: float, payload: dict[str, Any]) -> None:
        """Apply a `run` record."""
        if self.opened is None:
            self.opened = time
        if self.closed is not None:  # an agent's record came first
            self.closed = max(self.closed, self.opened)
        for member in ("parent", "host", "pid_start"):
            if payload.get(member) is not None:
                setattr(self, member, payload[member])
        if is_pid(payload.get("pid")):
            self.pid = payload["pid"]
        if payload.get("allow_stop") is True:
            self.allow_stop = True
        if _names(payload.get("after")):
            self.after = _names(payload["after"])
        if is_heartbeat(payload.get("heartbeat")):
            self.heartbeat = payload["heartbeat"]
        source = payload.get("event_file")
        if isinstance(source, dict) and isinstance(source.get("name"), str) and self.event_file is None:
            version = source.get("version")
            valid = version is None or (isinstance(version, (int, float)) and not isinstance(version, bool))
            self.event_file = {"name": source["name"], "version": version if valid else None, "starts": []}

    def take_goes_on(self, payload: dict[str, Any]) -> None:
        """Apply a `goes_on` record."""
        self.goes_on = True
        self.after = [*self.after, *_names(payload.get("after"))]

    def take_finish(self, time: float, payload: dict[str, Any], own: bool) -> None:
        """Apply a `finish` record: the process's `own`, or an agent's in another stream."""
        if own and self.opened is None:
            self.opened = time  # its first line may be damaged
        # Streams arrive in any order. The end that an agent saw replaces the one that the process wrote while it ended.
        if self.settled if own and "at_exit" in payload else not own and self._is_final():
            return
        self._forget_end()
        self.closed = time if self.opened is None else max(time, self.opened)
        for member in MEMBERS:
            setattr(self, member, payload.get(member))
        self.state = _ended_as(payload.get("state"))
        if not own:
            self.settled = True
        elif "at_exit" in payload:
            self.at_exit = _ended_as(payload["at_exit"])

    def reopen(self, time: float) -> None:
        """Open the stream again if it ended before the time of a row.

        Time decides, not arrival: an agent's record that the process vanished may arrive before the last rows.
        """
        if self.closed is not None and time > self.closed:
            self._forget_end()
            self.opened = time

    def _forget_end(self) -> None:
        for member in _END:
            setattr(self, member, None)
        self.settled = False

    def _is_final(self) -> bool:
        """Tell whether the process has written how it ended, and knew it."""
        return self.closed is not None and self.at_exit is None and not self.settled


_NAMES = tuple(one.name for one in fields(StreamState))


def _ended_as(state: Any) -> str:
    return state if state in STATES[1:] else "crashed"


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
