"""Derive what a run is (config, summary, state, files, …) from its records.

The same code runs where a run directory is read and on the server, so both always tell the same.
"""

from __future__ import annotations

import math
from typing import Any

from .alerts import Alert, add_alert, alert_of
from .exits import MEMBERS
from .metric_definitions import Definitions
from .records import Record, jsonable, restore, restore_members
from .stats import Stats
from .validation import environment_order, is_count, is_file, is_heartbeat, is_metric, is_pid, is_session, meta_of

STATES = ("running", "finished", "failed", "killed", "crashed", "preempted")
"""All states of a run; the later five from best to worst."""

UNPROMISED = 720.0
"""Seconds that stand for the promise of an agent that has given none, see `Fold.promise`."""

_HEADER = ("id", "entity", "project", "host", "program", "python", "forked_from")
_END = ("closed", "at_exit", "settled", *MEMBERS)
"""Members of a stream's entry that say how its process ended."""


class Fold:
    """The running result of a run's records, taken in stream by stream, each stream in file order.

    `to_json` and `from_json` keep it between batches; taking records in two batches gives the same as in one.
    """

    def __init__(self) -> None:
        self.header: dict[str, Any] = {}
        """From the `run` lines: id, entity, project, host, program, python, and `started` (Unix time)."""
        self.meta: dict[str, Any] = {}
        """name, group, job_type, tags, notes, color: the latest of what headers and `meta` records said."""
        self.config: dict[str, Any] = {}
        self.by_hand: dict[str, Any] = {}
        """Summary values that were set by hand."""
        self.definitions = Definitions()
        self.stats: dict[str, Stats] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.environment: dict[str, Any] = {}
        """The payload of the `environment` record that stands for the run, by the rule in FORMAT.md; {} without one."""
        self.alerts: list[Alert] = []
        """The newest ones, the oldest first."""
        self.stop: float | None = None
        """The Unix time of the latest `stop` record; see `stop_requested`."""
        self.streams: dict[str, dict[str, Any]] = {}
        """By stream name: opened, last, closed (Unix times), state, parent, rows, corrupt, lost, unknown, suspect,
        event_file (`wire.EventFile`), added, step (of the last row), preempting, allow_stop, heartbeat, after, goes_on,
        exit_code, signal, error, traceback, at_exit; `settled` if an agent has told how its process ended.
        """
        self.touched: set[str] = set()
        """The streams whose entries were looked up by `stream`, to be emptied by whoever keeps them."""
        self.updated: float = 0.0
        """The latest time of any record of the run's own processes and agents, later edits not counted."""

    def stream(self, name: str) -> dict[str, Any]:
        """Return the entry of a stream, made on first use."""
        self.touched.add(name)
        entry = self.streams.get(name)
        if entry is None:
            entry = self.streams[name] = {"rows": 0, "corrupt": 0, "lost": 0, "unknown": 0}
        return entry

    def apply(self, stream: str, record: Record) -> None:
        """Take in one record other than a `log`, `points`, `system` or `console` line (those go to `add_rows`)."""
        entry = self.stream(stream)
        entry["last"] = max(entry.get("last", record.time), record.time)
        payload = record.payload
        if not isinstance(payload, dict):
            entry["corrupt"] += 1
            return
        if record.kind == "run" and payload.get("added") is True:
            entry["added"] = True
        if not stream.startswith("edits") and not entry.get("added"):
            self.updated = max(self.updated, record.time)
        handler = _HANDLERS.get(record.kind)
        if handler is None:
            entry["unknown"] += 1
            return
        try:
            handler(self, stream, record.time, payload)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            # A payload of a shape that nobody foresaw must not keep all later lines of the stream from being read.
            entry["corrupt"] += 1

    def add_rows(self, stream: str, rows: int, stats: dict[str, Stats], until: float, step: int | None = None) -> None:
        """Take in `rows` rows of a stream, summed up per key; `until` is the latest time of them, `step` that of the
        last one if they have steps.
        """
        entry = self.stream(stream)
        entry["rows"] += rows
        entry["last"] = max(entry.get("last", until), until)
        if step is not None:
            entry["step"] = step
        if not entry.get("added"):
            self.updated = max(self.updated, until)
        self._reopen(entry, until)
        for key, more in stats.items():
            have = self.stats.get(key)
            if have is None:
                have = self.stats[key] = Stats()
            have.merge(more)

    def ended(self, stream: str) -> bool:
        """Whether a stream is there and closed."""
        return "closed" in self.streams.get(stream, {})

    def refuse(self, stream: str, count: int) -> None:
        """Count values of rows that are not kept; see `records.RESERVED` and `records.MAX_KEYS`."""
        if count:
            entry = self.stream(stream)
            entry["refused"] = entry.get("refused", 0) + count

    def _reopen(self, entry: dict[str, Any], time: float) -> None:
        # By time, not by arrival: an agent's word that the process vanished may arrive before the last rows do.
        if time > entry.get("closed", math.inf):
            for member in _END:
                entry.pop(member, None)
            entry["opened"] = time

    # -- what the records add up to ---------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The state of the run by the rule in FORMAT.md."""
        streams = self._deciding()
        if not streams or any("closed" not in s for s in streams):
            return "running"
        ends = [_end(s) for s in streams if s["closed"] >= self._latest]
        return max(ends, key=STATES.index)

    @property
    def error(self) -> str | None:
        """What the process said whose end is the state of the run; of several, the one that ended last."""
        state = self.state
        said = [
            (s["closed"], str(s["error"]))
            for s in self._deciding()
            if "closed" in s and s.get("error") is not None and _end(s) == state
        ]
        return max(said)[1] if said and state != "running" else None

    def _deciding(self) -> list[dict[str, Any]]:
        """The streams of the run's own processes, but for forked children and processes that others came after.

        Who came after whom, a process says that knew of the others: the clocks of two machines do not.
        """
        own = {n: s for n, s in self.streams.items() if n.startswith("history") and "opened" in s and _decides(s)}
        before = {name for s in own.values() for name in s.get("after", ())}
        return [s for n, s in own.items() if n not in before] or list(own.values())

    @property
    def _latest(self) -> float:
        """When the process that came last opened its stream."""
        return max((s["opened"] for s in self._deciding()), default=-math.inf)

    def deciding(self, ended: bool = False) -> list[str]:
        """Return the names of the streams that decide the state; of those that have ended, if that is asked."""
        chosen = self._deciding()
        return [n for n, s in self.streams.items() if any(s is c for c in chosen) and (not ended or "closed" in s)]

    @property
    def last_step(self) -> int | None:
        """The greatest of the steps at which the streams end; None if there are no rows."""
        return max((s["step"] for s in self.streams.values() if "step" in s), default=None)

    @property
    def allow_stop(self) -> bool:
        """Whether a process that still runs lets itself be stopped."""
        return any(s.get("allow_stop") for s in self._deciding() if "closed" not in s)

    @property
    def stop_requested(self) -> float | None:
        """When the processes that opened the run last were asked to stop; None if they were not."""
        return self.stop if self.stop is not None and self.stop >= self._latest else None

    @property
    def heartbeat(self) -> float | None:
        """The longest that an agent which serves the run's last processes lets pass between two lines, in seconds;
        None if no agent has said so.
        """
        told = [s for n, s in self.streams.items() if n.startswith("system") and "last" in s]
        agents = [s for s in told if s["last"] >= self._latest]
        return max((s["heartbeat"] for s in agents if "heartbeat" in s), default=None)

    @property
    def promise(self) -> float | None:
        """The same, and `UNPROMISED` if no agent has said so, as when its machine died first or the run was only synced
        while it went on. None if a process runs of which no agent could ever tell that it has gone.
        """
        if any("pid" not in s for s in self._deciding() if "closed" not in s):
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
        result.update(self.by_hand)
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
        """The payloads of `metric` records, without the members that a later one of the same name replaces."""
        return list(self.definitions)

    def metric(self, key: str, member: str) -> dict[str, Any]:
        """Return the definition that rules `member` for `key`; see `Definitions.ruling`."""
        return self.definitions.ruling(key, member)

    @property
    def event_files(self) -> dict[str, Any]:
        """By stream, the TensorBoard event files that streams hold the values of (`wire.EventFile`)."""
        return {name: s["event_file"] for name, s in self.streams.items() if "event_file" in s}

    @property
    def corrupt(self) -> int:
        """How many lines of all streams could not be read."""
        return sum(s["corrupt"] for s in self.streams.values())

    @property
    def lost(self) -> int:
        """How many records the logging processes reported as not written."""
        return sum(s["lost"] for s in self.streams.values())

    @property
    def refused(self) -> int:
        """How many values of rows were not kept, for having a reserved name or one key too many."""
        return sum(s.get("refused", 0) for s in self.streams.values())

    # -- keeping it ---------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `orjson` can write and `from_json` takes back."""
        return {
            "header": jsonable(self.header),
            "meta": jsonable(self.meta),
            "config": jsonable(self.config),
            "by_hand": jsonable(self.by_hand),
            "metrics": jsonable(self.metrics),
            "stats": {key: stats.to_json() for key, stats in self.stats.items()},
            "files": jsonable(self.files),
            "environment": jsonable(self.environment),
            "alerts": self.alerts,
            "stop": self.stop,
            "streams": jsonable(self.streams),
            "updated": self.updated,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fold:
        """Return the fold that `to_json` described."""
        fold = cls()
        for member in ("header", "meta", "config", "by_hand", "files", "environment", "streams"):
            setattr(fold, member, restore_members(data.get(member, {})))
        fold.definitions = Definitions(restore_members(metric) for metric in data["metrics"])
        fold.alerts, fold.stop = data.get("alerts", []), data.get("stop")
        fold.updated = data["updated"]
        for key, stats in data["stats"].items():
            n, *numbers, last = restore(stats) if any(type(part) is dict for part in stats) else stats
            low, high, total = numbers or (math.inf, -math.inf, 0.0)
            fold.stats[key] = Stats(n, low, high, total, last)
        return fold

    # -- one handler per kind -----------------------------------------------------------------------------------

    def _run(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        entry = self.stream(stream)
        entry.setdefault("opened", time)
        if "closed" in entry:  # an agent's word came first
            entry["closed"] = max(entry["closed"], entry["opened"])
        for member in ("parent", "host", "pid_start"):
            if payload.get(member) is not None:
                entry[member] = payload[member]
        if is_pid(payload.get("pid")):
            entry["pid"] = payload["pid"]
        if payload.get("allow_stop") is True:
            entry["allow_stop"] = True
        if _names(payload.get("after")):
            entry["after"] = _names(payload["after"])
        if is_heartbeat(payload.get("heartbeat")):
            entry["heartbeat"] = payload["heartbeat"]
        source = payload.get("event_file")
        if isinstance(source, dict) and isinstance(source.get("name"), str):
            version = source.get("version")
            sound = version is None or (isinstance(version, (int, float)) and not isinstance(version, bool))
            made = {"name": source["name"], "version": version if sound else None, "starts": []}
            entry.setdefault("event_file", made)
        if not stream.startswith("history") or payload.get("parent") or entry.get("added"):
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
        self.by_hand.update(payload)

    def _metric(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        if not is_metric(payload) or not self.definitions.add(payload):
            self.stream(stream)["corrupt"] += 1

    def _meta(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        sound, whole = meta_of(payload)
        self.meta.update(sound)
        self.stream(stream)["corrupt"] += not whole

    def _save(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """Until an agent has its digest, a saved file is not content anyone could fetch; `saved` concerns agents."""

    def _file(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        if not is_file(payload):
            self.stream(stream)["corrupt"] += 1
            return
        name = payload["name"]
        # By time, not by arrival: the streams of two agents, one after the other, arrive in any order.
        if name not in self.files or time >= self.files[name]["time"]:
            self.files[name] = {**{m: payload.get(m) for m in ("digest", "size", "path")}, "time": time}

    def _environment(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        order, best = environment_order(payload), environment_order(self.environment)
        if order is None:
            self.stream(stream)["corrupt"] += 1
        elif best is None or order >= best:
            self.environment = payload

    def _code(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """A request to the agent, or the agent's word that it was served: the files tell what came of it."""

    def _lost(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        count = payload.get("count", 1)
        if is_count(count):
            self.stream(stream)["lost"] += count
        else:
            self.stream(stream)["corrupt"] += 1

    def _suspect(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        self.stream(str(payload.get("stream", stream)))["suspect"] = str(payload.get("reason", ""))

    def _session(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        entry = self.stream(stream)
        if not is_session(payload):
            entry["corrupt"] += 1
        elif payload.get("status") == "start" and "event_file" in entry:
            entry["event_file"]["starts"].append([payload["row"], payload["step"]])

    def _event_file(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """Which event files shall be followed, and that they were, concerns agents."""

    def _source(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """How far an importer got concerns nobody else."""

    def _alert(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        alert = alert_of(time, payload)
        if alert is None:
            self.stream(stream)["corrupt"] += 1
        else:
            add_alert(self.alerts, alert)

    def _preempting(self, stream: str, _time: float, _payload: dict[str, Any]) -> None:
        self.stream(stream)["preempting"] = True

    def _stop(self, _stream: str, time: float, _payload: dict[str, Any]) -> None:
        self.stop = time if self.stop is None else max(self.stop, time)

    def _stopped(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """That an agent has passed on a request to stop concerns other agents."""

    def _alive(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """That it came is what it says."""

    def _rebuilt(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        corrupt = payload.get("corrupt")
        self.stream(stream)["corrupt"] += corrupt if is_count(corrupt) else 1
        self.refuse(stream, payload["refused"] if is_count(payload.get("refused")) else 0)

    def _tensorboard(self, _stream: str, _time: float, _payload: dict[str, Any]) -> None:
        """What else an event file says of itself is no part of what the run is."""

    def _goes_on(self, stream: str, _time: float, payload: dict[str, Any]) -> None:
        entry = self.stream(stream)
        entry["goes_on"] = True
        entry["after"] = [*entry.get("after", ()), *_names(payload.get("after"))]

    def _finish(self, stream: str, time: float, payload: dict[str, Any]) -> None:
        own = "stream" not in payload
        entry = self.stream(stream if own else str(payload["stream"]))
        if own:
            entry.setdefault("opened", time)  # its first line may be damaged
        # The streams arrive in any order. What a process said while it was leaving gives way to what its agent saw.
        if entry.get("settled") if own and "at_exit" in payload else not own and _is_final(entry):
            return
        closed = max(time, entry.get("opened", time))
        for member in _END:
            entry.pop(member, None)
        entry["closed"] = closed
        entry.update({m: payload[m] for m in MEMBERS if payload.get(m) is not None})
        entry["state"] = _ended_as(payload.get("state"))
        if not own:
            entry["settled"] = True
        elif "at_exit" in payload:
            entry["at_exit"] = _ended_as(payload["at_exit"])

    def settle(self, stream: str, end: dict[str, Any]) -> None:
        """Take in how the process of a stream has really ended (a `finish` payload), as its agent would note it."""
        self._finish("", self.stream(stream)["closed"], {**end, "stream": stream})


def _is_final(entry: dict[str, Any]) -> bool:
    """Tell whether a process has said how it ended, and knew."""
    return "closed" in entry and not entry.keys() & {"at_exit", "settled"}


def _ended_as(state: Any) -> str:
    return state if state in STATES[1:] else "crashed"


def _decides(entry: dict[str, Any]) -> bool:
    return not entry.get("added") and (not entry.get("parent") or bool(entry.get("goes_on")))


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _end(stream: dict[str, Any]) -> str:
    """The state in which a process ended."""
    state: str = stream["state"]
    return "preempted" if stream.get("preempting") and state != "finished" else state


_HANDLERS = {
    "run": Fold._run,
    "config": Fold._config,
    "summary": Fold._summary,
    "metric": Fold._metric,
    "meta": Fold._meta,
    "save": Fold._save,
    "saved": Fold._save,
    "file": Fold._file,
    "environment": Fold._environment,
    "code": Fold._code,
    "lost": Fold._lost,
    "suspect": Fold._suspect,
    "session": Fold._session,
    "event_file": Fold._event_file,
    "followed": Fold._event_file,
    "source": Fold._source,
    "tensorboard": Fold._tensorboard,
    "rebuilt": Fold._rebuilt,
    "alert": Fold._alert,
    "preempting": Fold._preempting,
    "stop": Fold._stop,
    "stopped": Fold._stopped,
    "alive": Fold._alive,
    "goes_on": Fold._goes_on,
    "finish": Fold._finish,
}
