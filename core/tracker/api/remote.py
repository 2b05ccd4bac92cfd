"""Read and change runs on a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote

import orjson

from tracker.client import Client, connect
from tracker.errors import ServerError, TrackerError
from tracker.names import RunKey, normal_name
from tracker.runlog.alerts import Alert
from tracker.runlog.records import decode_special
from tracker.settings import Settings
from tracker.wire import EventFile, Filter, Folded, ProjectInfo, RowPage, RunInfo, Series, run_path

from .added_rows import Append
from .files import File
from .restarts import Row
from .run_reader import Kind, RunReader
from .validate_response import check_names, checked

_PAGE = 10_000  # rows per request


class Api:
    """Read and change the runs on a server.

        api = tracker.Api()
        for run in api.runs("digits", filters='summary.acc > 0.9 and state == "finished"', order="-summary.acc"):
            print(run.name, run.config["lr"], run.summary["acc"])

    All methods raise `Unreachable` if the server does not answer, and `ServerError` if it refuses.
    """

    def __init__(self, base_url: str | None = None, api_key: str | None = None, timeout: float = 30.0) -> None:
        """Choose the server; no request is sent yet.

        Args:
            base_url: The address of the server. Default: that of the settings (`TRACKER_BASE_URL`, `tracker login`), or
                else your own server on this machine.
            api_key: The key to the server. Default: the one that the settings have for this address.
            timeout: Seconds after which an unanswered request fails.

        Raises:
            SettingsError: No server is named, and none of yours runs on this machine.
        """
        settings = Settings({"base_url": base_url, "api_key": api_key, "upload_timeout": timeout})
        self._client = connect(settings)
        self._entity = settings.entity

    @property
    def base_url(self) -> str:
        """The address of the server."""
        return self._client.base_url

    def projects(self) -> list[ProjectInfo]:
        """Return all projects, the most recently active first.

        Returns:
            Dicts with the members of `wire.ProjectInfo`.
        """
        projects: list[ProjectInfo] = checked(self._client.json("GET", "/api/projects"), _Projects)["projects"]
        return projects

    def runs(self, path: str, filters: Filter | str | None = None, order: str = "-created") -> Runs:
        """Return the runs of a project that match a filter.

        The runs are fetched page by page while you iterate.

        Args:
            path: `entity/project`, or `project` of your own entity.
            filters: Text such as `config.lr < 1e-3 and state == "finished"` (docs/reference/filters.md), or a dict such
                as `{"config.lr": {"$lt": 1e-3}, "state": "finished"}` (docs/reference/python.md). Default: all runs.
            order: Columns to sort by, such as `-summary.acc,created`; `-` sorts descending. Default: newest first.

        Raises:
            ValueError: `path` has another form.
        """
        entity, project = self._split(path, 1)
        return Runs(self._client, entity, project, filters or {}, order)

    def run(self, path: str) -> RemoteRun:
        """Return one run.

        Args:
            path: `entity/project/id`, or `project/id` of your own entity.

        Raises:
            ServerError: There is no such run; its `status` is 404.
            ValueError: `path` has another form.
        """
        entity, project, run_id = self._split(path, 2)
        info = self._client.json("GET", run_path(entity, project, run_id))
        return RemoteRun(self._client, from_answer(info))

    def _split(self, path: str, names: int) -> list[str]:
        parts = normal_name(path.strip().strip("/")).split("/")
        if len(parts) == names:
            parts.insert(0, self._entity)
        if len(parts) != names + 1 or not all(parts):
            raise ValueError(f"{path!r} must be {'entity/project' if names == 1 else 'entity/project/id'}")
        return parts


class Runs:
    """The runs that match a query.

    Iterating fetches them page by page. `len` returns how many there are, and an index returns one of them.
    """

    def __init__(self, client: Client, entity: str, project: str, filters: Filter | str, order: str) -> None:
        self._client = client
        self._path = f"/api/runs/{quote(entity, safe='')}/{quote(project, safe='')}"
        text = filters if isinstance(filters, str) else orjson.dumps(filters).decode()
        self._parameters = {"filters": text, "order": order}
        self._total: int | None = None

    def __iter__(self) -> Iterator[RemoteRun]:
        cursor = None
        while True:
            page = self._page(100, cursor)
            for info in page["runs"]:
                yield RemoteRun(self._client, from_answer(info))
            cursor = page["cursor"]
            if cursor is None:
                return

    def __len__(self) -> int:
        if self._total is None:
            self._page(1, None)
        assert self._total is not None
        return self._total

    def __getitem__(self, index: int) -> RemoteRun:
        if index < 0:
            index += len(self)
        for at, run in enumerate(self):
            if at == index:
                return run
        raise IndexError(f"there are {len(self)} runs")

    def _page(self, limit: int, cursor: str | None) -> dict[str, Any]:
        page = self._client.json("GET", self._path, params={**self._parameters, "limit": limit, "cursor": cursor})
        self._total = checked(page, _RunPage)["total"]
        return page


class RemoteRun(RunReader):
    """Read a run on a server, and change it there; `Api.run` and `Api.runs` return such objects."""

    def __init__(self, client: Client, info: RunInfo) -> None:
        self._client = client
        super().__init__(info)

    @property
    def _key(self) -> RunKey:
        return RunKey(self.entity, self.project, self.id)

    @property
    def _path(self) -> str:
        return run_path(*self._key)

    @property
    def url(self) -> str:
        """The address of the run's page."""
        return f"{self._client.base_url}/runs/{quote(self.entity)}/{quote(self.project)}/{self.id}"

    def reload(self) -> None:
        """Read the run again. Changes that were not stored with `update` are lost."""
        self._take(from_answer(self._client.json("GET", self._path)))

    def keys(self, kind: Kind = "history") -> list[str]:
        """Return the names of all logged keys, sorted."""
        answer = self._client.json("GET", self._path + "/keys", params={"kind": kind})
        return sorted(entry["key"] for entry in checked(answer, _Keys)["keys"])

    def _batches(self, kind: Kind, keys: Sequence[str] | None) -> Iterator[tuple[str, Iterable[Row]]]:
        cursor = None
        while True:
            parameters: dict[str, Any] = {"kind": kind, "limit": _PAGE, "cursor": cursor, "keys": keys}
            page = self._client.json("GET", self._path + "/history", params=parameters)
            rows = _page_rows(checked(page, RowPage))
            for span in page["streams"]:
                yield span["stream"], islice(rows, span["count"])
            cursor = page["cursor"]
            if cursor is None:
                return

    def _event_files(self) -> dict[str, EventFile]:
        return from_answer(self._client.json("GET", self._path))["event_files"]

    def _series(self, kind: Kind, keys: Sequence[str], samples: int) -> Iterable[Series]:
        if not keys:
            return
        x = "_step" if kind == "history" else "_timestamp"
        query = {"runs": [self.path], "keys": list(keys), "kind": kind, "x": x, "buckets": samples}
        yield from decode_special(self._client.json("POST", "/api/charts", json=query)["series"])

    def console(self) -> Iterator[dict[str, Any]]:
        """Yield the lines that the processes printed, as dicts with `time`, `stream` and `text`.

        `time` is in Unix seconds, `stream` is stdout or stderr.
        """
        cursor = None
        while True:
            page = self._client.json("GET", self._path + "/console", params={"limit": _PAGE, "cursor": cursor})
            yield from checked(page, _Lines)["lines"]
            cursor = page["cursor"]
            if cursor is None:
                return

    def alerts(self) -> list[Alert]:
        """Return the newest 100 alerts of the run, the oldest of them first.

        They are dicts with `time` (Unix seconds), `title`, `text` and `level`.
        """
        alerts: list[Alert] = checked(self._client.json("GET", self._path + "/alerts"), _Alerts)["alerts"]
        return alerts

    def files(self) -> list[File]:
        """Return the saved files of the run that have arrived on the server."""
        answer = self._client.json("GET", self._path + "/files")
        return [self._file(entry) for entry in checked(answer, _Files)["files"] if entry["stored"]]

    def _file(self, entry: dict[str, Any]) -> File:
        path = f"{self._path}/blobs/{quote(entry['digest'], safe='')}"
        digest, size = entry["digest"], entry["size"]
        return File(entry["name"], size, digest, lambda target: self._client.download(path, target, digest, size))

    def media(self, value: dict[str, Any], target: str | Path) -> Path:
        """Write the content of a logged media value to a file and return its path.

        Args:
            value: The value in the row, a dict with `digest`.
            target: The file to write; an existing one is replaced.

        Raises:
            TrackerError: The content is damaged.
        """
        digest, size = value["digest"], value.get("size")
        self._client.download(f"{self._path}/blobs/{quote(digest)}", Path(target), digest, size)
        return Path(target)

    def _folded(self) -> Folded:
        answer: Folded = self._client.json("GET", self._path + "/fold")  # type: ignore[assignment]
        return answer

    def delete(self) -> None:
        """Delete the run from the server for good. Run directories are not touched."""
        self._client.delete(self._path)

    def stop(self) -> None:
        """Ask the run to stop. Its agents interrupt the processes as Ctrl-C does, within a few seconds.

        The run ends as `killed` unless the program handles the interrupt.

        Raises:
            TrackerError: The run is not running, or was started without the setting `allow_stop`.
        """
        self.reload()
        if self.state != "running":
            raise TrackerError(f"run {self.path} is {self.state}: there is nothing to stop")
        if not self._info["allow_stop"]:
            raise TrackerError(f"run {self.path} cannot be stopped: it was started without `allow_stop`")
        # By the run's clock: the request must come after everything the run did, and before it is started again.
        self._edit({"stop": {}}, self._info["updated"] + 0.001)
        self.reload()

    def _appender(self) -> Append:
        return partial(_append, self._client, self._key)


def _append(client: Client, run: RunKey, stream: str, size: int, lines: bytes) -> None:
    reached = client.send(run, stream, size, lines)["offset"]
    if reached != size + len(lines):
        raise ServerError(f"{client.base_url} has another stream {stream}; nothing was added")


class _Projects(TypedDict):
    projects: list[ProjectInfo]


class _RunPage(TypedDict):
    runs: list[dict[str, Any]]
    total: int
    cursor: str | None


class _Run(TypedDict):
    id: str
    entity: str
    project: str
    name: Any
    state: str
    group: Any
    job_type: Any
    tags: list[Any]
    notes: Any
    color: Any
    config: dict[str, Any]
    summary: dict[str, Any]
    created: float
    updated: float
    rows: int
    event_files: dict[str, Any]
    environment: dict[str, Any]


class _Key(TypedDict):
    key: str


class _Keys(TypedDict):
    keys: list[_Key]


class _Lines(TypedDict):
    lines: list[dict[str, Any]]
    cursor: str | None


class _Alerts(TypedDict):
    alerts: list[Alert]


class _StoredFile(TypedDict):
    name: str
    digest: str
    size: int
    stored: bool


class _Files(TypedDict):
    files: list[_StoredFile]


def from_answer(answer: dict[str, Any]) -> RunInfo:
    """Return the run in a server's response, with the special numbers decoded.

    Raises `ServerError` if the response has another shape, or names that no run may have.
    """
    info: RunInfo = checked(decode_special(answer), _Run)
    check_names(info)
    return info


def _page_rows(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Turn the columns of a `wire.RowPage` into rows."""
    rows: list[dict[str, Any]] = [{} for _ in range(page["count"])]
    for key, column in page["columns"].items():
        positions = range(page["count"]) if column["rows"] is None else column["rows"]
        for at, value in zip(positions, column["values"], strict=True):
            rows[at][key] = decode_special(value) if isinstance(value, (dict, list)) else value
    return iter(rows)
