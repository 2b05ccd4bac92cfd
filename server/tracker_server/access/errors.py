"""What can go wrong with accounts and rights; `tracker_server.errors` turns it into responses."""

from __future__ import annotations


class Forbidden(Exception):
    """The principal may not do this (403). The text says what to do, and nothing about what it may not read."""


class Refused(ValueError):
    """The change is not possible as asked (400): a bad name, a password that is too short, …"""


class Conflict(Exception):
    """The change does not fit the present state (409): a name that is taken, the last admin, …"""


class Missing(LookupError):
    """There is no such account, team, key or link, or the principal may not know of it (404)."""


class OverQuota(Exception):
    """The content does not fit into what the account or team may keep (507); nothing of it was stored."""
