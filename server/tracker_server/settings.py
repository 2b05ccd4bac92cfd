"""The settings of the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The settings of the application."""

    token: str
    """The access token that every request must carry."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names that clients may use, besides loopback names and plain IP addresses."""
    visits: set[str] = field(default_factory=set)
    """One-time codes that `/?token=…` accepts in place of the token."""
    root_path: str = ""
    """The path prefix that a reverse proxy adds, such as `/tracker`."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses of proxies whose `X-Forwarded-Proto` and `X-Forwarded-For` are trusted."""
    user_header: str = ""
    """The header in which a proxy names the account that it has signed in; empty for none."""
    user_proxies: tuple[str, ...] = ()
    """Addresses of the proxies whose `user_header` is trusted."""
    sessions: Path | None = None
    """The file that stores the sessions of browsers; None keeps them in memory."""
    url: str = ""
    """The server's own URL, for links; empty if unknown."""
    webhook: str | None = None
    """The address to which alerts are forwarded; None for no forwarding."""
    max_blob: int = 64 * 1024**3
    """Largest size of a media or saved file in bytes; larger ones are refused with 413."""
    max_in_flight: int = 256 * 1024**2
    """Bytes of uploads that all clients together may hold in memory; uploads beyond that get 429."""
