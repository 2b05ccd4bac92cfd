"""Derive the state of a run (config, summary, files, how it ended, …) from its records.

Readers of a run directory and the server run the same code, so they always agree.
"""

from __future__ import annotations

import math
from typing import Any

from .alerts import Alert, add_alert, alert_of
from .metric_definitions import Definitions
from .records import Record, decode_special, decode_special_members, jsonable
from .stats import Stats
from .stream_state import STATES, StreamState
from .validation import environment_order, is_count, is_file, is_metric, is_session, meta_of

UNPROMISED = 720.0
"""Seconds that are assumed if no agent has promised a heartbeat; see `RunState.promise`."""

_HEADER = ("id", "entity", "project", "host", "program", "python", "forked_from")


class RunState:
    """The state of a run after some of its records. Each stream is applied in file order; streams may alternate.

    `to_json` and `from_json` store it between batches. Applying records in two batches gives the same as in one.
    """

    def __init__(self) -> None:
        self.header: dict[str, Any] = {}
        """From the `run` lines: id, entity, project, host, program, python, and `started` (Unix time)."""
        self.meta: dict[str, Any] = {}
        """name, group, job_type, tags, notes, color: the latest in headers and `meta` records."""
        self.config: dict[str, Any] = {}
        self.explicit_summary: dict[str, Any] = {}
        """Summary values that were set, not derived from rows."""
        self.definitions = Definitions()
        self.stats: dict[str, Stats] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.environment: dict[str, Any] = {}
        """The payload of the run's `environment` record, chosen by the rule in FORMAT.md; {} if there is none."""
        self.alerts: list[Alert] = []
        """The newest `MAX_ALERTS`, in order of time."""
        self.stop: float | None = None
        """The Unix time of the latest `stop` record; see `stop_requested`."""
        self.streams: dict[str, StreamState] = {}
        self.touched: set[str] = set()
        """The streams that `stream` returned; code that stores them empties it."""
        self.updated: float = 0.0
        """The latest time of any record of the run's own processes and agents. Edits do not count."""

    def stream(self, name: str) -> StreamState:
        """Return the state of a stream, which is made on first use."""
        self.touched.add(name)
        stream = self.streams.get(name)
        if stream is None:
            stream = self.streams[name] = StreamState()
        return stream

    def apply(self, stream: str, record: Record) -> None:
        """Apply one record other than a `log`, `points`, `system` or `console` line (see `add_rows`)."""
        state = self.stream(stream)
        state.take_time(record.time)
        payload = record.payload
        if not isinstance(payload, dict):
            state.corrupt += 1
            return
        if record.kind == "run" and payload.get("added") is True:
            state.added = True
        if not stream.startswith("edits") and not state.added:
            self.updated = max(self.updated, record.time)
        if record.kind in _OF_OTHERS:
            return
        handler = _HANDLERS.get(record.kind)
        if handler is None:
            state.unknown += 1
            return
        try:
            handler(self, stream, record.time, payload)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            # A payload of an unforeseen shape must not stop the later lines of the stream from being read.
            state.corrupt += 1

    def add_rows(self, stream: str, rows: int, stats: dict[str, Stats], until: float, step: int | None = None) -> None:
        """Add rows of a stream that were summarized by key.

        Args:
            stream: The name of the stream.
            rows: How many rows there are.
            stats: The statistics of these rows, by key.
            until: Their latest time.
            step: The step of the last row, if rows have steps.
        """
        state = self.stream(stream)
        state.rows += rows
        state.take_time(until)
        if step is not None:
            state.step = step
        if not state.added:
            self.updated = max(self.updated, until)
        state.reopen(until)
        for key, more in stats.items():
            have = self.stats.get(key)
            if have is None:
                have = self.stats[key] = Stats()
            have.merge(more)

    def ended(self, stream: str) -> bool:
        """Tell whether a stream exists and its process has ended."""
        return stream in self.streams and self.streams[stream].ended

    def refuse(self, stream: str, count: int) -> None:
        """Count values of rows that are not kept; see `records.RESERVED` and `records.MAX_KEYS`."""
        if count:
            self.stream(stream).refused += count

    # -- derived values -----------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The state of the run by the rule in FORMAT.md."""
        streams = self._deciding()
        if not streams or not all(s.ended for s in streams.values()):
            return "running"
        latest = self._latest
        return max((s.end_state for s in streams.values() if (s.closed or 0.0) >= latest), key=STATES.index)

    @property
    def error(self) -> str | None:
        """The error of the process that decides the state of the run; if several do, of the one that ended last."""
        state = self.state
        errors = [
            (s.closed, str(s.error))
            for s in self._deciding().values()
            if s.closed is not None and s.error is not None and s.end_state == state
        ]
        return max(errors)[1] if errors and state != "running" else None

    def _deciding(self) -> dict[str, StreamState]:
        """Return the streams of the run's own processes, without forked children and without predecessors.

        A process names the streams that had ended when it began, since the clocks of two machines may differ.
        """
        own = {name: s for name, s in self.streams.items() if name.startswith("history") and s.decides}
        before = {name for s in own.values() for name in s.after}
        return {name: s for name, s in own.items() if name not in before} or own

    @property
    def _latest(self) -> float:
        """When the last process opened its stream."""
        return max((s.opened for s in self._deciding().values() if s.opened is not None), default=-math.inf)

    def deciding(self, ended: bool = False) -> list[str]:
        """Return the names of the streams that decide the state; with `ended`, only of those that have ended."""
        return [name for name, s in self._deciding().items() if s.ended or not ended]

    @property
    def last_step(self) -> int | None:
        """The greatest of the steps at which the streams end; None if there are no rows."""
        return max((s.step for s in self.streams.values() if s.step is not None), default=None)

    @property
    def allow_stop(self) -> bool:
        """Whether a running process can be stopped."""
        return any(s.allow_stop for s in self._deciding().values() if not s.ended)

    @property
    def stop_requested(self) -> float | None:
        """When the last processes of the run were asked to stop; None if they were not."""
        return self.stop if self.stop is not None and self.stop >= self._latest else None

    @property
    def heartbeat(self) -> float | None:
        """The longest time in seconds between two lines of an agent of the last processes; None if none promised it."""
        latest = self._latest
        agents = [s for n, s in self.streams.items() if n.startswith("system") and s.last is not None]
        return max((s.heartbeat for s in agents if s.heartbeat is not None and (s.last or 0.0) >= latest), default=None)

    @property
    def promise(self) -> float | None:
        """The `heartbeat`, or `UNPROMISED` without one; None if a process runs whose end no agent can notice.

        There is no heartbeat if the machine died before the agent promised one, or the running run was only synced.
        """
        if any(s.pid is None for s in self._deciding().values() if not s.ended):
            return self.heartbeat
        return self.heartbeat or UNPROMISED

    @property
    def summary(self) -> dict[str, Any]:
        """One value per key, by the rules in FORMAT.md."""
        result: dict[str, Any] = {}
        for key, stats in self.stats.items():
            value = self._summarise(key, stats)
            if value is not None:
                result[key] = value
        result.update(self.explicit_summary)
        return result

    def _summarise(self, key: str, stats: Stats) -> Any:
        metric = self.metric(key, "summary")
        how = metric.get("summary", "last")
        if how == "best":
            how = "max" if metric.get("goal") == "maximize" else "min"
        if how == "none":
            return None
        if how == "last" or not stats.n:
            return stats.last
        return {"min": stats.min, "max": stats.max, "mean": stats.sum / stats.n}[how]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The payloads of `metric` records, without members that a later record of the same name replaces."""
        return list(self.definitions)

    def metric(self, key: str, member: str) -> dict[str, Any]:
        """Return the definition whose `member` applies to `key`; see `Definitions.definition_for`."""
        return self.definitions.definition_for(key, member)

    @property
    def event_files(self) -> dict[str, Any]:
        """The TensorBoard event files whose values are in streams (`wire.EventFile`), by stream."""
        return {name: s.event_file for name, s in self.streams.items() if s.event_file is not None}

    @property
    def corrupt(self) -> int:
        """How many lines of all streams could not be read."""
        return sum(s.corrupt for s in self.streams.values())

    @property
    def lost(self) -> int:
        """How many records the logging processes reported as lost."""
        return sum(s.lost for s in self.streams.values())

    @property
    def refused(self) -> int:
        """How many values of rows were refused: they have a reserved name, or the run has too many keys."""
        return sum(s.refused for s in self.streams.values())

    # -- storage ------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `orjson` can write and `from_json` takes back."""
        return {
            "header": jsonable(self.header),
            "meta": jsonable(self.meta),
            "config": jsonable(self.config),
            "explicit_summary": jsonable(self.explicit_summary),
            "metrics": jsonable(self.metrics),
            "stats": {key: stats.to_json() for key, stats in self.stats.items()},
            "files": jsonable(self.files),
            "environment": jsonable(self.environment),
            "alerts": self.alerts,
            "stop": self.stop,
            "streams": {name: jsonable(s.to_json()) for name, s in self.streams.items()},
            "updated": self.updated,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RunState:
        """Return the state that `to_json` described."""
        fold = cls()
        for member in ("header", "meta", "config", "explicit_summary", "files", "environment"):
            setattr(fold, member, decode_special_members(data.get(member, {})))
        fold.streams = {name: StreamState.from_json(decode_special(s)) for name, s in data.get("streams", {}).items()}
        fold.definitions = Definitions(decode_special_members(metric) for metric in data["metrics"])
        fold.alerts, fold.stop = data.get("alerts", []), data.get("stop")
        fold.updated = data["updated"]
        for key, stats in data["stats"].items():
            n, *numbers, last = decode_special(stats) if any(type(part) is dict for part in stats) else stats
            low, high, total = numbers or (math.inf, -math.inf, 0.0)
            fold.stats[key] = Stats(n, low, high, total, last)
        return fold

    # -- one handler per kind -----------------------------------------------------------------------------------

    def _run(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        state = self.stream(stream)
        state.take_header(time, payload)
        if not stream.startswith("history") or payload.get("parent") or state.added:
            for member in _HEADER:
                if self.header.get(member) is None:
                    self.header[member] = payload.get(member)
            return
        self.header["started"] = min(time, self.header.get("started", time))
        self.header.update({m: payload[m] for m in _HEADER if payload.get(m) is not None})
        self.meta.update({m: value for m, value in meta_of(payload)[0].items() if value is not None})

    def _config(self, _stream: str, _time: float, payload: dict[str, Any]) -> None:
        self.config.update(payload)

    def _summary(self, _stream: str, _time: float, payload: dict[str, Any]) -> None:
        self.explicit_summary.update(payload)

    def _metric(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        if not is_metric(payload) or not self.definitions.add(payload):
            self.stream(stream).corrupt += 1

    def _meta(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        valid, complete = meta_of(payload)
        self.meta.update(valid)
        self.stream(stream).corrupt += not complete

    def _file(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        if not is_file(payload):
            self.stream(stream).corrupt += 1
            return
        name = payload["name"]
        # By time, not by arrival: the streams of two agents, one after the other, arrive in any order.
        if name not in self.files or time >= self.files[name]["time"]:
            self.files[name] = {**{m: payload.get(m) for m in ("digest", "size", "path")}, "time": time}

    def _environment(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        order, best = environment_order(payload), environment_order(self.environment)
        if order is None:
            self.stream(stream).corrupt += 1
        elif best is None or order >= best:
            self.environment = payload

    def _lost(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        count = payload.get("count", 1)
        if is_count(count):
            self.stream(stream).lost += count
        else:
            self.stream(stream).corrupt += 1

    def _suspect(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        self.stream(str(payload.get("stream", stream))).suspect = str(payload.get("reason", ""))

    def _session(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        state = self.stream(stream)
        if not is_session(payload):
            state.corrupt += 1
        elif payload.get("status") == "start" and state.event_file is not None:
            state.event_file["starts"].append([payload["row"], payload["step"]])

    def _alert(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        alert = alert_of(time, payload)
        if alert is None:
            self.stream(stream).corrupt += 1
        else:
            add_alert(self.alerts, alert)

    def _preempting(self, stream: str, _time: float, _payload: dict[str, Any]) -> None:
        self.stream(stream).preempting = True

    def _stop(self, _stream: str, time: float, _payload: dict[str, Any]) -> None:
        self.stop = time if self.stop is None else max(self.stop, time)

    def _rebuilt(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        self.stream(stream).corrupt += payload["corrupt"] if is_count(payload.get("corrupt")) else 1
        self.refuse(stream, payload["refused"] if is_count(payload.get("refused")) else 0)

    def _goes_on(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        self.stream(stream).take_goes_on(payload)

    def _finish(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        own = "stream" not in payload
        self.stream(stream if own else str(payload["stream"])).take_finish(time, payload, own)

    def settle(self, stream: str, end: dict[str, Any]) -> None:
        """Apply how the process of an ended stream really ended (a `finish` payload), as its agent would.

        Raises KeyError if there is no such stream.
        """
        state = self.streams[stream]
        self.touched.add(stream)
        state.take_finish(state.closed or 0.0, end, own=False)


_OF_OTHERS = frozenset("save saved code event_file followed source tensorboard stopped alive".split())
"""Kinds that do not change the state: requests to the agent, notes of the agent and of importers, and heartbeats.

A saved file counts only when an agent has noted its digest: nobody could fetch it before.
"""

_HANDLERS = {
    "run": RunState._run,
    "config": RunState._config,
    "summary": RunState._summary,
    "metric": RunState._metric,
    "meta": RunState._meta,
    "file": RunState._file,
    "environment": RunState._environment,
    "lost": RunState._lost,
    "suspect": RunState._suspect,
    "session": RunState._session,
    "rebuilt": RunState._rebuilt,
    "alert": RunState._alert,
    "preempting": RunState._preempting,
    "stop": RunState._stop,
    "goes_on": RunState._goes_on,
    "finish": RunState._finish,
}
