"""Settings: arguments first, then `TRACKER_*` variables, then `.tracker/settings.toml` in the directory, then the
user's.

`SETTINGS` lists them all; `docs/reference/settings.md` documents each and a test holds the two together.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from . import credentials, places, trust, typed
from .errors import SettingsError, warn_once
from .names import NAME_RULE, is_project_name, normal_name, random_id
from .runlog.records import COLOR, RUN_ID

MODES = ("online", "offline", "disabled")
CONSOLES = ("off", "wrap", "redirect")
_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(?=/|$)")
_MOST = 1 << 20  # bytes of a settings file


class Setting(NamedTuple):
    """One setting: its name in files and in `init(settings=…)`, its variable, type, default and one line about it."""

    name: str
    variable: str
    kind: type
    default: Any
    about: str


SETTINGS = (
    Setting("mode", "TRACKER_MODE", str, "online", "online, offline (alias dryrun) or disabled"),
    Setting("project", "TRACKER_PROJECT", str, "uncategorized", "the project that runs belong to"),
    Setting("entity", "TRACKER_ENTITY", str, None, "the user or team that owns the project; default: your login name"),
    Setting("base_url", "TRACKER_BASE_URL", str, None, "address of the server; default: your own server on this machine, found by itself"),
    Setting("api_key", "TRACKER_API_KEY", str, None, "key for the server (the token that `tracker server` prints)"),
    Setting("dir", "TRACKER_DIR", str, None, "run directories are made in `<dir>/.tracker/runs`; default: the working directory"),
    Setting("id", "TRACKER_RUN_ID", str, None, "id of the run; default: random"),
    Setting("name", "TRACKER_NAME", str, None, "name of the run; default: two readable random words and a number"),
    Setting("group", "TRACKER_RUN_GROUP", str, None, "group that joins the runs of many processes"),
    Setting("job_type", "TRACKER_JOB_TYPE", str, None, "what the run does within its group, such as train or eval"),
    Setting("tags", "TRACKER_TAGS", list, None, "tags of the run; in the variable separated by commas"),
    Setting("notes", "TRACKER_NOTES", str, None, "a remark about the run"),
    Setting("color", "TRACKER_COLOR", str, None, "in what colour the run is drawn, as #rrggbb; default: one of the palette, in turn"),
    Setting("resume", "TRACKER_RESUME", str, None, "allow, must, never or auto: what to do if the id exists already"),
    Setting("resume_timeout", "TRACKER_RESUME_TIMEOUT", float, 10.0, "seconds that `init` waits for the server if the run to be resumed is not in this directory"),
    Setting("reinit", "TRACKER_REINIT", str, None, "what `init` does while a run is active: return_previous, finish_previous or create_new; default: in scripts return it unless another one is named, in notebooks finish_previous"),
    Setting("silent", "TRACKER_SILENT", bool, False, "print nothing"),
    Setting("save_code", "TRACKER_SAVE_CODE", bool, False, "keep the main script or notebook with the run"),
    Setting("capture", "TRACKER_CAPTURE", list, None, "what is kept of how the run was made: some of command, variables, host, packages, git, diff, untracked; default: all"),
    Setting("capture_variables", "TRACKER_CAPTURE_VARIABLES", list, None, "names of further variables of the environment to keep"),
    Setting("capture_limit", "TRACKER_CAPTURE_LIMIT", float, 1.0, "MiB of an untracked or source file; larger ones are left out"),
    Setting("disable_code", "TRACKER_DISABLE_CODE", bool, False, "keep nothing of the code: no commit, diff, untracked file or source file"),
    Setting("disable_git", "TRACKER_DISABLE_GIT", bool, False, "do not run git"),
    Setting("ignore_globs", "TRACKER_IGNORE_GLOBS", list, None, "captured files with such names, such as *.patch, stay on this machine"),
    Setting("console", "TRACKER_CONSOLE", str, "wrap", "off, wrap or redirect: how what the process prints is kept"),
    Setting("console_limit", "TRACKER_CONSOLE_LIMIT", float, 64.0, "MiB of printed lines kept of each process; of the rest the last lines only"),
    Setting("sync_tensorboard", "TRACKER_SYNC_TENSORBOARD", bool, False, "follow the TensorBoard event files that the process writes"),
    Setting("allow_stop", "TRACKER_ALLOW_STOP", bool, None, "whether the run may be stopped through the server; default: if that is on this machine"),
    Setting("alert_interval", "TRACKER_ALERT_INTERVAL", float, 60.0, "seconds after an alert in which others with its title are left out"),
    Setting("live_interval", "TRACKER_LIVE_INTERVAL", float, 10.0, "seconds between looks at files saved with the policy live"),
    Setting("fsync_interval", "TRACKER_FSYNC_INTERVAL", float, 1.0, "seconds between flushes of the log to the disk by the agent; a power cut loses no more than that"),
    Setting("upload_interval", "TRACKER_UPLOAD_INTERVAL", float, 1.0, "seconds between uploads by the agent"),
    Setting("upload_timeout", "TRACKER_UPLOAD_TIMEOUT", float, 30.0, "seconds after which an unanswered request is tried again"),
    Setting("drain_timeout", "TRACKER_DRAIN_TIMEOUT", float, 3600.0, "seconds for which the agent goes on trying to upload after training has ended; `tracker sync` completes what is left"),
    Setting("finish_timeout", "TRACKER_FINISH_TIMEOUT", float, "auto", "seconds for which `finish` waits for the upload to complete; 0: it returns once the run is on disk; auto: as long as the upload advances, 60 at most, in containers and under schedulers, else 0"),
    Setting("stats_disabled", "TRACKER_STATS_DISABLED", bool, False, "collect no system metrics"),
    Setting("stats_sample_interval", "TRACKER_STATS_SAMPLE_INTERVAL", float, 2.0, "seconds between samples of system metrics"),
    Setting("stats_average_over", "TRACKER_STATS_AVERAGE_OVER", float, 30.0, "seconds over which samples are averaged into one logged row"),
    Setting("stats_sources", "TRACKER_STATS_SOURCES", list, None, "the sources of system metrics, separated by commas: cpu, memory, disk, network, process, nvidia; default: all"),
)  # fmt: skip
_BY_NAME = {s.name: s for s in SETTINGS}
_SOURCES = ("cpu", "memory", "disk", "network", "process", "nvidia")
_PARTS = ("command", "variables", "host", "packages", "git", "diff", "untracked")
_CHOSEN = {"stats_sources": _SOURCES, "capture": _PARTS}  # lists of words; "none" chooses none of them
_WORDS = ("mode", "resume", "reinit", "console", *_CHOSEN)  # in which capitals do not matter
_SWITCHED = {"resume": ("allow", "never"), "reinit": ("finish_previous", "return_previous")}  # what true and false mean
_POSITIVE = (
    "resume_timeout",
    "live_interval",
    "upload_interval",
    "upload_timeout",
    "stats_sample_interval",
    "stats_average_over",
)


class Settings:
    """Resolved settings, one attribute each (see `SETTINGS`), and `sources`: where each value came from."""

    mode: str
    project: str
    entity: str
    base_url: str | None
    api_key: str | None
    dir: str | None
    id: str | None
    name: str | None
    group: str | None
    job_type: str | None
    tags: list[str] | None
    notes: str | None
    color: str | None
    resume: str | None
    resume_timeout: float
    reinit: str | None
    silent: bool
    save_code: bool
    capture: list[str] | None
    capture_variables: list[str] | None
    capture_limit: float
    disable_code: bool
    disable_git: bool
    ignore_globs: list[str] | None
    console: str
    console_limit: float
    sync_tensorboard: bool
    allow_stop: bool | None
    alert_interval: float
    live_interval: float
    fsync_interval: float
    upload_interval: float
    upload_timeout: float
    drain_timeout: float
    finish_timeout: float | Literal["auto"]
    stats_disabled: bool
    stats_sample_interval: float
    stats_average_over: float
    stats_sources: list[str] | None

    def __init__(self, arguments: Mapping[str, Any] | None = None) -> None:
        """Resolve from `arguments` (None values count as not given), variables and files.

        Raises `SettingsError` for a name that does not exist or a value that cannot be used; it says where that stood.
        """
        given = {k: v for k, v in (arguments or {}).items() if v is not None}
        unknown = sorted(set(given) - set(_BY_NAME))
        if unknown:
            raise SettingsError(f"there is no setting {', '.join(unknown)}; there are: {', '.join(_BY_NAME)}")
        arguments = _cleaned(given)
        variables = _cleaned({s.name: os.environ.get(s.variable) for s in SETTINGS}, quotes=True)
        self.sources: dict[str, str] = {}
        self._resolve(_BY_NAME["dir"], {"argument": arguments, "variable TRACKER_DIR": variables})  # where a file is
        self._resolve(_BY_NAME["silent"], {"argument": arguments, "variable TRACKER_SILENT": variables})
        directory = _cleaned(read_directory_file(directory_file(self.dir), self.silent))
        user = _cleaned(read_file(user_file()))
        for setting in SETTINGS:
            sources = {
                "argument": arguments,
                f"variable {setting.variable}": variables,
                "the directory's .tracker/settings.toml": directory,
                str(user_file()): user,
            }
            self._resolve(setting, sources)
        self._choose_key(arguments, variables, directory, user)
        self._check()

    def _resolve(self, setting: Setting, sources: Mapping[str, Mapping[str, Any]]) -> None:
        """Set a setting to what the first source says that says anything."""
        for source, values in sources.items():
            if setting.name in values:
                setattr(self, setting.name, _convert(setting, values[setting.name], source))
                self.sources[setting.name] = source
                return
        setattr(self, setting.name, setting.default)
        self.sources[setting.name] = "default"

    def _choose_key(
        self,
        arguments: Mapping[str, Any],
        variables: Mapping[str, Any],
        directory: Mapping[str, Any],
        user: Mapping[str, Any],
    ) -> None:
        """Set `api_key` to one that is for `base_url`; see `tracker.credentials`."""
        sources = [
            credentials.given("argument", arguments),
            credentials.given("variable TRACKER_API_KEY", variables),
            credentials.given("the directory's .tracker/settings.toml", directory, directory=True),
            credentials.given(str(user_file()), user),
        ]
        named_by = next((one for one in sources if one.base_url), None)
        chosen = credentials.key_for(self.base_url, named_by, sources)
        self.api_key, self.sources["api_key"] = chosen or (None, "default")

    def _check(self) -> None:
        self.mode = "offline" if self.mode == "dryrun" else self.mode
        if self.mode not in MODES:
            raise self._bad("mode", f"must be one of {', '.join(MODES)} (or dryrun, which is offline)")
        if self.entity is None:
            self.entity = places.login_name()
        for name in ("project", "entity"):
            setattr(self, name, normal_name(getattr(self, name)))
            if not is_project_name(getattr(self, name)):
                raise self._bad(name, NAME_RULE)
        if self.id is not None and not RUN_ID.fullmatch(self.id):
            raise self._bad("id", "must be 1–64 letters, digits or _ -")
        if self.color is not None and not COLOR.fullmatch(self.color):
            raise self._bad("color", "must read #rrggbb, such as #d62728")
        if self.base_url is not None:
            try:
                self.base_url = typed.address(self.base_url)
            except ValueError as error:
                raise self._bad("base_url", str(error)) from None
        if self.api_key is not None and not re.fullmatch(r"[!-~]+", self.api_key):
            raise SettingsError(f"api_key (from {self.sources['api_key']}) must be plain characters without spaces")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise self._bad(name, "must be more than 0 seconds")
        if self.console not in CONSOLES:
            raise self._bad("console", f"must be one of {', '.join(CONSOLES)}")
        if not self.capture_limit >= 0:
            raise self._bad("capture_limit", "must be 0 MiB or more")
        for name, words in _CHOSEN.items():
            if not set(getattr(self, name) or ()) <= set(words):
                raise self._bad(name, f"must be some of {', '.join(words)}, or none")

    def __copy__(self) -> Settings:
        return self._like({name: list(v) if isinstance(v, list) else v for name, v in vars(self).items()})

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return Settings._like, ({**without_key(vars(self)), "api_key": None},)  # a pickle goes anywhere

    @staticmethod
    def _like(values: dict[str, Any]) -> Settings:
        settings = object.__new__(Settings)
        vars(settings).update(values)
        return settings

    def _bad(self, name: str, must: str) -> SettingsError:
        return SettingsError(f"{name} {getattr(self, name)!r} (from {self.sources[name]}) {must}")

    def captures(self, part: str) -> bool:
        """Tell whether this part of how a run is made (see the setting `capture`) is to be kept."""
        chosen = _PARTS if self.capture is None else self.capture
        if part not in ("git", "diff", "untracked"):
            return part in chosen
        return part in chosen and "git" in chosen and not self.disable_code and not self.disable_git

    def captures_anything(self) -> bool:
        """Tell whether anything of how a run is made is to be kept."""
        return any(map(self.captures, _PARTS)) or (self.save_code and not self.disable_code)

    @property
    def stoppable(self) -> bool:
        """Whether the run may be stopped through the server: as `allow_stop` says, else if it is on this machine."""
        return self.allow_stop if self.allow_stop is not None else self.base_url is None or is_local(self.base_url)

    def given(self) -> dict[str, Any]:
        """Return the settings that came from arguments and variables, as arguments that give them again."""
        return {
            name: getattr(self, name)
            for name, source in self.sources.items()
            if source.split()[0] in ("argument", "variable") and getattr(self, name) is not None
        }

    def environment(self) -> dict[str, str]:
        """Return the settings as `TRACKER_*` variables, for a process that shall resolve them to the same."""
        variables = {s.variable: _text(s, getattr(self, s.name)) for s in SETTINGS if getattr(self, s.name) is not None}
        # A key in our own environment that is for another address must not be taken for this one's.
        return {"TRACKER_API_KEY": "", **variables} if self.base_url is not None else variables


def without_key(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they may go to where they are not known to be kept, such as into a pickle."""
    return {name: value for name, value in settings.items() if name != "api_key"}


def is_local(url: str) -> bool:
    """Tell whether a URL is of this machine's loopback interface."""
    return _LOCAL.match(url) is not None


def directory_file(directory: str | None = None) -> Path:
    """Return the path of the directory's settings file, which need not exist."""
    return Path(directory or ".") / ".tracker" / "settings.toml"


def user_file() -> Path:
    """Return the path of the user's settings file, which need not exist."""
    # Without a home it is where no file can ever be.
    return Path(places.user_folder("XDG_CONFIG_HOME", ".config") or os.devnull) / "tracker" / "settings.toml"


def read_directory_file(path: Path, silent: bool = False) -> dict[str, Any]:
    """Return what is taken of a directory's settings file: all if the user trusts it, else what is harmless.

    What is left out is told once, unless `silent`. Raises `SettingsError` naming the file and the mistake.
    """
    found = trust.read(path)
    values = {} if found is None else _parsed(found.content, path)
    left_out = sorted(set(values) - trust.HARMLESS)
    if found is None or not left_out or trust.is_trusted(path, found):
        return values
    doubt = found.doubt or "you have not said that you trust this file as it is now"
    if not silent:
        warn_once(
            f"{path} sets {', '.join(left_out)}, which is left out: {doubt}. If that is what you want, run `tracker "
            f"trust` in {path.absolute().parent.parent}",
            f"untrusted {path}",
        )
    return {name: value for name, value in values.items() if name in trust.HARMLESS}


def read_file(path: Path) -> dict[str, Any]:
    """Return what a settings file says; {} if there is none. What is there and is no readable file of a sensible size
    is ignored with one warning. Raises `SettingsError` naming the file and the mistake.
    """
    content = _content(path)
    return {} if content is None else _parsed(content, path)


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        values: dict[str, Any] = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from None
    unknown = sorted(set(values) - set(_BY_NAME) - {"keys"})
    if unknown:
        raise SettingsError(f"{path}: there is no setting {', '.join(unknown)}; there are: {', '.join(_BY_NAME)}")
    return values


def write_directory_file(path: Path, values: Mapping[str, str | float | bool | None]) -> None:
    """Change settings in a directory's file, as `write_file` does, and trust the file if nothing else speaks against it.

    Raises `SettingsError` if the file is not the user's, or holds more than harmless settings that the user has not
    trusted: to write in it must not be to trust them.
    """
    if os.path.islink(path.parent) or os.path.islink(path):
        raise SettingsError(f"{path} is a link or lies behind one: remove the link first")
    found = trust.read(path)
    there = {} if found is None else _parsed(found.content, path)
    strange = sorted(set(there) - trust.HARMLESS - set(values))
    if found is not None and (found.doubt or strange) and not trust.is_trusted(path, found):
        what = found.doubt or f"it sets {', '.join(strange)}, and you have not said that you trust it"
        raise SettingsError(f"{path} is left as it is: {what}. Run `tracker trust` first, or remove what is not yours")
    write_file(path, values)
    trust.trust(path)


def write_file(path: Path, values: Mapping[str, str | float | bool | Mapping[str, str] | None]) -> None:
    """Change settings in a file, leaving all its other lines as they are; None removes one.

    The file and its directory are made if needed; the file is readable by its owner alone, since it may hold a key.
    """
    import json

    def text(value: str | float | bool | Mapping[str, str]) -> str:  # valid TOML, too
        if isinstance(value, Mapping):
            return "{ " + ", ".join(f"{text(name)} = {text(one)}" for name, one in value.items()) + " }"
        return json.dumps(value, ensure_ascii=False)

    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for name, value in values.items():
        lines = [line for line in lines if not re.match(rf"\s*{name}\s*=", line)]
        if value is not None:
            lines.insert(0, f"{name} = {text(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{random_id(12)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
    new.replace(path)


def _cleaned(values: Mapping[str, Any], quotes: bool = False) -> dict[str, Any]:
    """Return values without what stands around them by accident, and without those that say nothing."""
    found = {name: typed.cleaned(value, quotes) for name, value in values.items()}
    return {name: value for name, value in found.items() if value is not None}


def _content(path: Path) -> bytes | None:
    """Return the bytes of a regular file; None, with a warning where something is there, if it cannot be had."""
    try:
        # A pipe of that name must not make us wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if os.path.lexists(path) and not isinstance(error, FileNotFoundError):
            warn_once(f"{path} is ignored: {error.strerror}")
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            warn_once(f"{path} is ignored: it is not a file")
        elif status.st_size > _MOST:
            warn_once(f"{path} is ignored: it has {status.st_size:,} bytes, and settings need no more than {_MOST:,}")
        else:
            return os.read(descriptor, _MOST)
    except OSError as error:
        warn_once(f"{path} is ignored: {error.strerror}")
    finally:
        os.close(descriptor)
    return None


def _convert(setting: Setting, value: Any, source: str) -> Any:
    name = setting.name
    try:
        if setting.kind is bool:
            return typed.truth(value)
        if setting.kind is float:
            return "auto" if str(value).lower() == setting.default == "auto" else typed.number(value)
        if name in _WORDS and isinstance(value, str):
            value = value.lower()
        if setting.kind is list:
            return [] if name in _CHOSEN and value == "none" else typed.items(value)
        if name in _SWITCHED and (isinstance(value, bool) or value in ("true", "false")):
            return _SWITCHED[name][not typed.truth(value)]
        if name == "dir":
            return _directory(str(value), source)
        return str(value)
    except (TypeError, ValueError) as error:
        if isinstance(error, SettingsError):
            raise
        kind = {bool: "true or false", float: "a number", list: "a list"}.get(setting.kind, "a text")
        raise SettingsError(f"{name} {value!r} (from {source}) must be {kind}") from None


def _directory(text: str, source: str) -> str:
    path = places.expand(text)
    if path.startswith("~") and not os.path.lexists(path):
        raise SettingsError(
            f"dir {text!r} (from {source}) must be a directory: there is no home {path.partition('/')[0]}"
        )
    return path


def _text(setting: Setting, value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    return ",".join(value) or ("none" if setting.name in _CHOSEN else "")
