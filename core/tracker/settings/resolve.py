"""Resolve settings from arguments, variables and files, in this order."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from tracker.errors import SettingsError
from tracker.machine import paths
from tracker.names import NAME_RULE, is_project_name, normal_name
from tracker.runlog.records import COLOR, RUN_ID

from . import credentials, logins, parsing
from .files import directory_file, read_directory_file, read_file, user_file
from .parsing import is_local
from .table import BY_NAME, CHOSEN, CONSOLES, MODES, PARTS, POSITIVE, SETTINGS, SWITCHED, WORDS, Setting


class Settings:
    """The settings in force, one attribute each (see `SETTINGS`), and `sources`: where each value comes from.

    settings = Settings({"project": "digits"})
    print(settings.base_url, settings.sources["base_url"])
    """

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
        """Resolve each setting from the first source that has it: `arguments`, variables, files, its default.

        Args:
            arguments: Values by the names of settings; None counts as not given.

        Raises:
            SettingsError: A name does not exist, or a value cannot be used; the text says where it comes from.
        """
        given = {k: v for k, v in (arguments or {}).items() if v is not None}
        unknown = sorted(set(given) - set(BY_NAME))
        if unknown:
            raise SettingsError(f"there is no setting {', '.join(unknown)}; there are: {', '.join(BY_NAME)}")
        arguments = _cleaned(given)
        variables = _cleaned({s.name: os.environ.get(s.variable) for s in SETTINGS}, quotes=True)
        self.sources: dict[str, str] = {}
        self._resolve(BY_NAME["dir"], {"argument": arguments, "variable TRACKER_DIR": variables})  # decides the file
        self._resolve(BY_NAME["silent"], {"argument": arguments, "variable TRACKER_SILENT": variables})
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
        """Set a setting to its value in the first source that has one."""
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
        """Set `api_key` to the key for `base_url`; see `credentials`."""
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
            self._choose_entity()
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
                self.base_url = parsing.address(self.base_url)
            except ValueError as error:
                raise self._bad("base_url", str(error)) from None
        if self.api_key is not None and not re.fullmatch(r"[!-~]+", self.api_key):
            raise SettingsError(f"api_key (from {self.sources['api_key']}) must be plain characters without spaces")
        for name in POSITIVE:
            if not getattr(self, name) > 0:
                raise self._bad(name, "must be more than 0 seconds")
        if self.console not in CONSOLES:
            raise self._bad("console", f"must be one of {', '.join(CONSOLES)}")
        if not self.capture_limit >= 0:
            raise self._bad("capture_limit", "must be 0 MiB or more")
        for name, words in CHOSEN.items():
            if not set(getattr(self, name) or ()) <= set(words):
                raise self._bad(name, f"must be some of {', '.join(words)}, or none")

    def _choose_entity(self) -> None:
        """Set `entity` to the account or team of the key, as `tracker login` learned it, else to the login name."""
        login = logins.login_for(self.base_url, self.api_key)
        if login is None:
            self.entity = paths.login_name()
        else:
            self.entity, self.sources["entity"] = login.entity, "tracker login"

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
        """Tell whether a part of how a run is started (see the setting `capture`) is stored."""
        chosen = PARTS if self.capture is None else self.capture
        if part not in ("git", "diff", "untracked"):
            return part in chosen
        return part in chosen and "git" in chosen and not self.disable_code and not self.disable_git

    def captures_anything(self) -> bool:
        """Tell whether anything of how a run is started is stored."""
        return any(map(self.captures, PARTS)) or (self.save_code and not self.disable_code)

    @property
    def stoppable(self) -> bool:
        """Whether the run may be stopped through the server: by `allow_stop`, else if the server is on this machine."""
        return self.allow_stop if self.allow_stop is not None else self.base_url is None or is_local(self.base_url)

    def given(self) -> dict[str, Any]:
        """Return the settings that come from arguments and variables, as arguments."""
        return {
            name: getattr(self, name)
            for name, source in self.sources.items()
            if source.split()[0] in ("argument", "variable") and getattr(self, name) is not None
        }

    def environment(self) -> dict[str, str]:
        """Return the settings as `TRACKER_*` variables, from which a process resolves the same settings."""
        variables = {s.variable: _text(s, getattr(self, s.name)) for s in SETTINGS if getattr(self, s.name) is not None}
        # A key for another address in this process's environment must not be used for this address.
        return {"TRACKER_API_KEY": "", **variables} if self.base_url is not None else variables


def without_key(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without the API key, for places that are not secret, such as a pickle."""
    return {name: value for name, value in settings.items() if name != "api_key"}


def _cleaned(values: Mapping[str, Any], quotes: bool = False) -> dict[str, Any]:
    """Return values without spaces and quotes around them, and without empty ones."""
    found = {name: parsing.cleaned(value, quotes) for name, value in values.items()}
    return {name: value for name, value in found.items() if value is not None}


def _convert(setting: Setting, value: Any, source: str) -> Any:
    name = setting.name
    try:
        if setting.kind is bool:
            return parsing.truth(value)
        if setting.kind is float:
            return "auto" if str(value).lower() == setting.default == "auto" else parsing.number(value)
        if name in WORDS and isinstance(value, str):
            value = value.lower()
        if setting.kind is list:
            return [] if name in CHOSEN and value == "none" else parsing.items(value)
        if name in SWITCHED and (isinstance(value, bool) or value in ("true", "false")):
            return SWITCHED[name][not parsing.truth(value)]
        if name == "dir":
            return _directory(str(value), source)
        return str(value)
    except (TypeError, ValueError) as error:
        if isinstance(error, SettingsError):
            raise
        kind = {bool: "true or false", float: "a number", list: "a list"}.get(setting.kind, "a text")
        raise SettingsError(f"{name} {value!r} (from {source}) must be {kind}") from None


def _directory(text: str, source: str) -> str:
    path = paths.expand(text)
    if path.startswith("~") and not os.path.lexists(path):
        raise SettingsError(
            f"dir {text!r} (from {source}) must be a directory: there is no home {path.partition('/')[0]}"
        )
    return path


def _text(setting: Setting, value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    return ",".join(value) or ("none" if setting.name in CHOSEN else "")
