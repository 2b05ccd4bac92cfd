"""Choose the API key for an address: a key is sent only to the address that it was given with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Given(NamedTuple):
    """The address and the keys in one source of settings."""

    source: str
    base_url: str | None
    api_key: str | None
    keys: Mapping[str, str] = {}
    directory: bool = False
    """Whether the source is a directory's file. Its address may come from someone else: it gets only its own key."""


def given(source: str, values: Mapping[str, Any], directory: bool = False) -> Given:
    """Return the address and the keys in a source's values; empty text counts as not given."""
    base_url, api_key = (str(values.get(name) or "").strip() or None for name in ("base_url", "api_key"))
    keys = values.get("keys")
    by_address = {str(url): str(key) for url, key in keys.items()} if isinstance(keys, dict) else {}
    return Given(source, base_url, api_key, by_address, directory)


def key_for(address: str | None, named_by: Given | None, sources: list[Given]) -> tuple[str, str] | None:
    """Return the key for an address and the name of its source; None if there is no key.

    A key beside an address is for that address. A key alone, as in a variable, is for the address that the user gives
    elsewhere, and never for one that only a directory gives.

    Args:
        address: The address; None is the user's own server on this machine.
        named_by: The source that gives the address.
        sources: All sources, in order of precedence.
    """
    for given in sources:
        if given.api_key and _fits(given, address, named_by):
            return given.api_key, given.source
        for url, key in given.keys.items():
            if address is not None and same(url, address):
                return key, given.source
    return None


def same(one: str, other: str) -> bool:
    """Tell whether two addresses are the same apart from case, default port and a trailing slash."""
    return _plain(one) == _plain(other)


def _fits(given: Given, address: str | None, named_by: Given | None) -> bool:
    if given is named_by:
        return True
    if given.base_url:
        return address is not None and same(given.base_url, address)
    return not given.directory and (named_by is None or not named_by.directory)


def _plain(address: str) -> str:
    scheme, separator, rest = address.strip().rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    host, scheme = host.casefold(), scheme.casefold()
    default = {"http": ":80", "https": ":443"}.get(scheme, "")
    return scheme + separator + (host.removesuffix(default) if default else host) + slash + path


def kept(values: Mapping[str, Any], base_url: str) -> dict[str, str]:
    """Return the keys by address that a file must keep when `base_url` becomes its address, with the former key."""
    former = given("", values)
    keys = dict(former.keys)
    if former.base_url and former.api_key:
        keys[former.base_url] = former.api_key
    return {url: key for url, key in keys.items() if not same(url, base_url)}
