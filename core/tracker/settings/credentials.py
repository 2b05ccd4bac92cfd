"""Which key goes to which address: a key is for the address that it was given with, and for no other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Given(NamedTuple):
    """What one source of settings says: its name, its address, its key, and keys by address."""

    source: str
    base_url: str | None
    api_key: str | None
    keys: Mapping[str, str] = {}
    directory: bool = False
    """Whether it is a directory's file. Its address may have come from someone else: it gets its own key only."""


def given(source: str, values: Mapping[str, Any], directory: bool = False) -> Given:
    """Return what a source gives of addresses and keys; empty text gives nothing."""
    base_url, api_key = (str(values.get(name) or "").strip() or None for name in ("base_url", "api_key"))
    keys = values.get("keys")
    by_address = {str(url): str(key) for url, key in keys.items()} if isinstance(keys, dict) else {}
    return Given(source, base_url, api_key, by_address, directory)


def key_for(address: str | None, named_by: Given | None, sources: list[Given]) -> tuple[str, str] | None:
    """Return the key for an address (None: the user's own server on this machine) and the source that it is from.

    `named_by` is the source that named the address, `sources` are all of them, the first one first. A key that stands
    beside an address is for that address. One that stands alone, as in a variable, is for the address that the user
    named elsewhere, and never for one that only a directory names.
    """
    for given in sources:
        if given.api_key and _fits(given, address, named_by):
            return given.api_key, given.source
        for url, key in given.keys.items():
            if address is not None and same(url, address):
                return key, given.source
    return None


def same(one: str, other: str) -> bool:
    """Tell whether two addresses are of one server."""
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
    """Return the keys by address that a file has to hold once `base_url` becomes its address: the former one's, too."""
    former = given("", values)
    keys = dict(former.keys)
    if former.base_url and former.api_key:
        keys[former.base_url] = former.api_key
    return {url: key for url, key in keys.items() if not same(url, base_url)}
