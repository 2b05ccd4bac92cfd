"""Read the file that names the OpenID Connect providers with which people sign in."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args
from urllib.parse import urlsplit

from .principal import Role

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SETTINGS = (
    "label",
    "issuer",
    "client_id",
    "client_secret",
    "client_secret_env",
    "scopes",
    "allowed_domains",
    "create_accounts",
    "groups_claim",
    "groups",
)


class BadProviders(ValueError):
    """The file cannot be used; the message says why and what to do."""


class TeamRole(NamedTuple):
    """What a group of the provider gives."""

    team: str
    role: Role


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    allowed_domains: frozenset[str] = frozenset()
    """Domains of email addresses that may sign in; empty for all."""
    create_accounts: bool = False
    """Whether whoever signs in gets an account."""
    groups_claim: str = "groups"
    groups: Mapping[str, tuple[TeamRole, ...]] = field(default_factory=dict)
    """The roles in teams that the groups in `groups_claim` give."""


@dataclass(frozen=True)
class Providers:
    """How people sign in to a team's server."""

    passwords: bool = True
    """Whether accounts may sign in with a password."""
    by_name: Mapping[str, Provider] = field(default_factory=dict)


def read(path: Path) -> Providers:
    """Return what a file such as `providers.toml` says. Raises `BadProviders`, also if it cannot be read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadProviders(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # The error of the parser may quote a line, and with it a secret.
        where = re.search(r"at line \d+, column \d+", str(error))
        raise BadProviders(f"{path} is not valid TOML{f' ({where[0]})' if where else ''}") from None
    try:
        return _providers(content)
    except BadProviders as error:
        raise BadProviders(f"{path}: {error}") from None


def _providers(content: dict[str, Any]) -> Providers:
    _refuse_unknown(content, ("passwords", "providers"), "")
    passwords = _typed(content, "passwords", bool, True, "")
    tables = _typed(content, "providers", dict, {}, "")
    found = {name: _provider(name, table) for name, table in tables.items()}
    if not passwords and not found:
        raise BadProviders("passwords are switched off, and there is no provider: nobody could sign in")
    return Providers(passwords, found)


def _provider(name: str, table: Any) -> Provider:
    where = f"providers.{name[:40]}"
    if not _NAME.fullmatch(name) or name == "manual":
        raise BadProviders(f"[{where}]: a provider's name has small letters, digits and -, such as keycloak")
    if not isinstance(table, dict):
        raise BadProviders(f"{where} must be a table: [{where}]")
    _refuse_unknown(table, _SETTINGS, where)
    domains = frozenset(one.lower().lstrip("@") for one in _texts(table, "allowed_domains", (), where))
    create = _typed(table, "create_accounts", bool, False, where)
    if create and not domains:
        raise BadProviders(
            f"[{where}]: create_accounts needs allowed_domains, such as ['example.org']; ['*'] stands for all, whoever "
            "has an account there"
        )
    scopes = _texts(table, "scopes", ("openid", "email", "profile"), where)
    return Provider(
        name=name,
        label=_typed(table, "label", str, name.capitalize(), where)[:60],
        issuer=_issuer(_required(table, "issuer", where), where),
        client_id=_required(table, "client_id", where),
        client_secret=_secret(table, where),
        scopes=scopes if "openid" in scopes else ("openid", *scopes),
        allowed_domains=frozenset() if "*" in domains else domains,
        create_accounts=create,
        groups_claim=_typed(table, "groups_claim", str, "groups", where),
        groups={
            group: _roles(given, f"{where}.groups") for group, given in _typed(table, "groups", dict, {}, where).items()
        },
    )


def is_safe(url: str) -> bool:
    """Return whether nobody on the way can read or change what is exchanged with this address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _issuer(text: str, where: str) -> str:
    if not is_safe(text) or "?" in text or "#" in text:
        raise BadProviders(f"[{where}]: the issuer must be an address that begins with https://")
    return text


def _secret(table: dict[str, Any], where: str) -> str:
    inline = _typed(table, "client_secret", str, "", where)
    variable = _typed(table, "client_secret_env", str, "", where)
    if inline and variable:
        raise BadProviders(f"[{where}]: give client_secret or client_secret_env, not both")
    if variable and not os.environ.get(variable):
        raise BadProviders(f"[{where}]: the environment variable {variable[:80]} is not set")
    return inline or (os.environ[variable] if variable else "")


def _roles(given: Any, where: str) -> tuple[TeamRole, ...]:
    made = []
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, dict) or set(one) != {"team", "role"} or one["role"] not in get_args(Role):
            raise BadProviders(
                f"[{where}]: a group gives {{ team = 'NAME', role = 'viewer' }}; roles are {', '.join(get_args(Role))}"
            )
        made.append(TeamRole(str(one["team"]), one["role"]))
    return tuple(made)


def _required(table: dict[str, Any], name: str, where: str) -> str:
    value: str = _typed(table, name, str, "", where)
    if not value:
        raise BadProviders(f"[{where}] needs {name}")
    return value


def _typed(table: dict[str, Any], name: str, kind: type, default: Any, where: str) -> Any:
    value = table.get(name, default)
    if not isinstance(value, kind):
        words = {bool: "true or false", str: "a text in quotes", dict: "a table"}
        raise BadProviders(f"{f'[{where}]: ' if where else ''}{name} must be {words[kind]}")
    return value


def _texts(table: dict[str, Any], name: str, default: tuple[str, ...], where: str) -> tuple[str, ...]:
    value = table.get(name, default)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise BadProviders(f"[{where}]: {name} must be a list of texts")
    return tuple(value)


def _refuse_unknown(table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in table:
        if name not in known:
            place = f"[{where}]: " if where else ""
            raise BadProviders(f"{place}unknown setting {name[:60]!r}; there are {', '.join(known)}")
