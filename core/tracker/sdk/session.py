"""Start runs with `tracker.init`, and keep track of the current run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.discovery import resolve
from tracker.errors import NoRun, NotARun, SettingsError, silence, warn_once
from tracker.machine.paths import absolute
from tracker.random_names import random_id, random_name
from tracker.runlog.directory import JOIN
from tracker.runlog.reader import read_header
from tracker.runlog.safe_open import ignore
from tracker.settings import Settings
from tracker.settings.parsing import cleaned

from . import exit_hooks, repeated_init
from .config import Config
from .exit import notebook
from .pickling import join_with
from .resume import auto_resume, resume_state
from .run import Run
from .summary import Summary
from .values.config_values import read_config

if TYPE_CHECKING:
    from .resume.fork_from import Parent

_REINIT = ("return_previous", "finish_previous", "create_new")
_RESUME = ("allow", "must", "never", "auto")

_current: Run | None = None
_has_joined = False
"""Whether this process has joined the run of the `tracker run` around it. It does so once."""


def init(
    project: str | None = None,
    entity: str | None = None,
    name: str | None = None,
    id: str | None = None,
    config: Any = None,
    group: str | None = None,
    job_type: str | None = None,
    tags: list[str] | tuple[str, ...] | str | None = None,
    notes: str | None = None,
    dir: str | os.PathLike[str] | None = None,
    mode: str | None = None,
    resume: str | bool | None = None,
    reinit: str | bool | None = None,
    settings: Mapping[str, Any] | None = None,
    save_code: bool | None = None,
    sync_tensorboard: bool | None = None,
    fork_from: str | None = None,
    color: str | None = None,
) -> Run:
    """Start a run and make it the current one.

        run = tracker.init(project="digits", config={"lr": 1e-3}, tags=["baseline"])

    It creates the run directory, writes the first lines and starts the agent, which uploads them and collects system
    metrics. It waits neither for the network nor for another process, unless `resume` or `fork_from` needs the server.
    Settings that are not passed come from `TRACKER_*` variables and settings files (docs/reference/settings.md).

    While a run is active, a second call returns that run. If its arguments name another run or contradict the active
    run's config, it starts a new run beside it. `reinit` changes this.

    Args:
        project: The project; it is created with its first run.
        entity: The user or team that owns the project.
        name: A readable name; random words by default.
        id: The run's id, unique in its project; random by default.
        config: Hyperparameters, as anything that `run.config.update` takes: a dict, a namespace, a dataclass, ….
        group: A name shared by runs that belong together, such as the folds of a cross-validation.
        job_type: What the run does in its group, such as "train" or "eval".
        tags: One tag, or several.
        notes: A remark.
        dir: The directory in which `.tracker/runs/` is created; the working directory by default.
        mode: "online"; "offline" (or "dryrun") to keep the run here until `tracker sync`; "disabled" to do nothing.
        resume: Whether to continue the run `id`. "allow" (or True) continues it if it exists, "must" raises an error
            if it does not exist, "never" (or False) raises an error if it exists. "auto" needs no `id`: it continues
            the newest run of this directory, project and program that was started with "auto" and did not end well.
            The server is asked only for a run that is not in this directory, for at most `resume_timeout` seconds.
        reinit: What to do while a run is active. "return_previous" (or False) returns it and reports the arguments
            that had no effect, "finish_previous" (or True; the default in notebooks) finishes it first, "create_new"
            starts a run beside it.
        settings: Further settings by name.
        save_code: Whether to keep the script's source file with the run.
        sync_tensorboard: Whether to bring the TensorBoard event files that this process writes into the run.
        fork_from: "id?_step=N" or "entity/project/id?_step=N": begin with the config and the rows of that run up to
            step N. They are copied from the directory beside this one or from the server, however long that takes.
            It has no effect if `resume` continues a run.
        color: The run's color in charts, as "#rrggbb".

    Returns:
        The run, which is also `tracker.run`.

    Raises:
        SettingsError: A setting cannot be used, or `resume` or `fork_from` cannot be carried out.
        TypeError: `config` has no members.

    Both are raised before anything is written.
    """
    global _current, _has_joined
    given = {
        "project": project, "entity": entity, "name": name, "id": id, "group": group, "job_type": job_type,
        "tags": tags, "notes": notes, "color": color, "dir": dir, "mode": mode, "save_code": save_code,
        "sync_tensorboard": sync_tensorboard,
        "resume": {True: "allow", False: "never"}.get(resume) if isinstance(resume, bool) else resume,
        "reinit": {True: "finish_previous", False: "return_previous"}[reinit] if isinstance(reinit, bool) else reinit,
    }  # fmt: skip
    joined = _arguments_to_join(given) if id is None else {}
    given.update(joined)
    resolved = Settings({**(settings or {}), **{k: v for k, v in given.items() if v is not None}})
    _check_words(resolved)
    members = read_config(config)
    active = _settle_previous(resolved, members.values, fork_from is not None)
    if active is not None:
        _current = active
        return repeated_init.take_up(active, resolved, members)
    silence(resolved.silent)
    parent = None if fork_from is None else _parent(fork_from, resolved)
    run = _disabled(resolved) if resolved.mode == "disabled" else _prepare(resolved, bool(joined), parent)
    run.config._take(members)
    run.begin()
    _adopt(run)
    _has_joined = _has_joined or bool(joined)
    return run


def _arguments_to_join(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the arguments that make the first `init` under `tracker run` join its run; {} elsewhere."""
    directory = cleaned(os.environ.get(JOIN), quotes=True)
    if not directory or _has_joined:
        return {}
    try:
        header = read_header(Path(directory))
    except NotARun as error:
        warn_once(f"{JOIN} is ignored: {error}")
        return {}
    known = {name: header[name] for name in ("id", "entity", "project") if header.get(name)}
    ignored = [name for name in ("entity", "project") if cleaned(given[name]) not in (None, header.get(name))]
    if ignored:
        warn_once(
            f"this process joins the run of the `tracker run` around it; {', '.join(ignored)} of tracker.init() had no "
            "effect (pass an id to start another run)"
        )
    return {**known, "dir": str(Path(directory).parents[2]), "resume": "allow"}


def _check_words(settings: Settings) -> None:
    if settings.resume is not None and settings.resume not in _RESUME:
        raise SettingsError(f"resume {settings.resume!r} must be one of {', '.join(_RESUME)}")
    if settings.resume == "must" and settings.id is None:
        raise SettingsError("resume='must' needs the id of the run to continue")
    if settings.reinit is not None and settings.reinit not in _REINIT:
        raise SettingsError(f"reinit {settings.reinit!r} must be one of {', '.join(_REINIT)}")


def _settle_previous(settings: Settings, members: Mapping[str, Any], forks: bool) -> Run | None:
    """Return the active run if `init` returns it, else None. Finish it first if `reinit` asks for that."""
    how = settings.reinit or ("finish_previous" if notebook.in_notebook() else None)
    named = next((run for run in exit_hooks.live() if repeated_init.is_named(run, settings)), None)
    if how is None and named is not None:
        return named
    if _current is None or _current.finished:
        return None
    if how == "finish_previous":
        _current.finish()
    if how is None:
        others = repeated_init.others(_current, settings, members) + (["fork_from"] if forks else [])
        if others:
            repeated_init.warn_still_open(_current, others)
        return None if others else _current
    return _current if how == "return_previous" else None


def _prepare(settings: Settings, joined: bool, parent: Parent | None) -> Run:
    """Decide id, name, directory and server, and return the run. `joined`: see `_arguments_to_join`."""
    runs = Path(absolute(settings.dir or "."), ".tracker", "runs")
    if settings.mode == "online":
        settings.base_url, settings.api_key = resolve(settings.base_url, settings.api_key)
    if settings.resume == "auto" and settings.id is None:
        settings.id = auto_resume.claim(runs, settings)
    given = settings.id is not None
    settings.id = settings.id or random_id()
    directory = runs / settings.id
    known = resume_state.find(settings, directory, given)
    resumed = known is not None and (known.step > 0 or not joined)
    if parent is not None and known is None and (os.path.isdir(directory) or parent.id == settings.id):
        raise SettingsError(f"fork_from begins a new run, and there is a run {settings.id} already; choose another id")
    for member, value in known.fold.meta.items() if known is not None else ():
        if getattr(settings, member) is None:
            setattr(settings, member, value)
    settings.name = settings.name or random_name()
    try:
        (directory / "files").mkdir(parents=True, exist_ok=True)
        ignore(runs.parent, "runs/")  # settings.toml may be committed, runs are not
        if parent is not None and known is None:
            known = _forked(parent, settings, directory)
    except OSError as error:
        warn_once(f"cannot make {directory} ({error}); nothing of this run will be kept")
    run = Run(settings, str(directory), resumed, joined)
    if known is not None:
        run._start_with(known)
    return run


# These functions import modules that few runs need, so that `import tracker` stays fast.


def _disabled(settings: Settings) -> Run:
    from .disabled_run import DisabledRun

    return DisabledRun(settings)


def _join(ticket: Mapping[str, Any]) -> Run:
    from .joined_run import join

    return join(ticket)


def _parent(fork_from: str, settings: Settings) -> Parent:
    from .resume.fork_from import parent_of

    return parent_of(fork_from, settings)


def _forked(parent: Parent, settings: Settings, directory: Path) -> resume_state.ResumeState:
    from .resume.fork_from import start_fork

    try:
        return start_fork(parent, settings, directory)
    except SettingsError:
        import shutil

        shutil.rmtree(directory, ignore_errors=True)  # it was made for this run
        raise


# -- the current run ------------------------------------------------------------------------------------------------


def current() -> Run | None:
    """Return the current run, the last one that was started; None if there is none or it is finished."""
    return None if _current is None or _current.finished else _current


def require() -> Run:
    """Return the current run. Raises `NoRun` if there is none."""
    run = current()
    if run is None:
        raise NoRun("there is no current run: call tracker.init() first")
    return run


class _OfCurrent:
    """Stands for one member of the current run; raises `NoRun` when used without a run."""

    def __init__(self, member: str) -> None:
        object.__setattr__(self, "_member", member)

    def _target(self) -> Any:
        return getattr(require(), object.__getattribute__(self, "_member"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # inspecting the module does not use a run
            raise AttributeError(name)
        return getattr(self._target(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._target(), name, value)

    def __getitem__(self, key: str) -> Any:
        return self._target()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._target()[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._target()

    def __iter__(self) -> Iterator[str]:
        return iter(self._target())

    def __len__(self) -> int:
        return len(self._target())

    def __repr__(self) -> str:
        run = current()
        return "<no current run>" if run is None else repr(self._target())


config: Config = _OfCurrent("config")  # type: ignore[assignment]
"""The config of the current run."""
summary: Summary = _OfCurrent("summary")  # type: ignore[assignment]
"""The summary of the current run."""


def _adopt(run: Run) -> None:
    global _current
    _current = run
    exit_hooks.adopt(run)


join_with(_join)
