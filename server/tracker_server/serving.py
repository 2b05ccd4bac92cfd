"""Serve the application on one data directory: its lock, token and socket, and a clean shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple
from urllib.parse import urlsplit

import uvicorn

from tracker import discovery

from .access import providers
from .access.database import AccessDatabase
from .access.guard import Guard
from .access.providers import BadProviders, Providers
from .access.token import BadToken, checked_token, kept_token
from .app import create_app
from .blobs import open_blobs
from .connection_limits import BoundedProtocol, allow_connections
from .places import CannotServe, note_url
from .settings import Settings
from .storage.database_file import UnusableDatabase
from .storage.directory_lock import DirectoryInUse, sole_use
from .storage.sql import open_storage

GRACE = 2
"""Seconds that open requests get to finish when the server is asked to stop."""


LIMIT = 9
"""Seconds after which the process exits no matter what. All that it has acknowledged is on disk."""


def _end_after(seconds: float) -> None:
    time.sleep(seconds)
    logging.getLogger("tracker_server").error("the server did not stop within %s s and exits now", seconds)
    os._exit(1)


class SignInOptions(NamedTuple):
    """How people sign in to a team's server, besides passwords."""

    providers: Path | None = None
    """The file that names OpenID Connect providers; None for `providers.toml` in the data directory, if there."""
    user_header: str = ""
    """The header in which a proxy names the account that it has signed in."""
    user_proxies: tuple[str, ...] = ()
    """The addresses of the proxies whose header is believed."""


def serve(
    directory: Path,
    host: str,
    port: int,
    token: str | None,
    allowed_hosts: tuple[str, ...],
    started: Callable[[str, Settings, bool], None],
    webhook: str | None = None,
    root_path: str = "",
    trusted_proxies: tuple[str, ...] = (),
    sign_in: SignInOptions | None = None,
    public_url: str | None = None,
) -> None:
    """Serve `directory` until SIGINT or SIGTERM, then finish open requests and return.

    Args:
        directory: Holds the database, files and token; it is created if needed.
        host: The address to listen on.
        port: The port to listen on; 0 picks a free one.
        token: The access token; by default the one in the file `token` of the directory, which is created if needed.
        allowed_hosts: Host names that clients may use, besides loopback names and IP addresses.
        started: Called with the URL, the settings and whether there are accounts, as soon as requests are answered.
        webhook: The address to which alerts are forwarded.
        root_path: The path prefix that a reverse proxy adds.
        trusted_proxies: Addresses of proxies whose `X-Forwarded-Proto` and `X-Forwarded-For` are trusted, besides those
            on this machine.
        sign_in: How people sign in to a team's server.
        public_url: The address at which people reach the server, for links; clients may use its host name.

    Raises:
        CannotServe: If the directory, port, token or file of providers cannot be used.
    """
    sign_in = sign_in or SignInOptions()
    with contextlib.ExitStack() as stack:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(sole_use(directory))  # a second server would answer from caches that miss our writes
            key = checked_token(token) if token is not None else kept_token(directory)
            offered = _providers(directory, sign_in.providers)
            listener = stack.enter_context(_listen(host, port))
        except DirectoryInUse as error:
            raise CannotServe(
                f"another server{error.process} uses {directory}: stop it, or choose a different directory with --dir"
            ) from None
        except (BadToken, BadProviders) as error:
            raise CannotServe(str(error)) from None
        except OSError as error:
            raise CannotServe(f"cannot use the directory {directory}: {error.strerror}") from error
        names = (*allowed_hosts, *(() if is_loopback(host) else (host, socket.gethostname())))
        names = (*names, *(() if public_url is None else (urlsplit(public_url).netloc,)))
        url = f"http://{_reachable(host)}:{listener.getsockname()[1]}"
        settings = Settings(
            token=key,
            allowed_hosts=names,
            url=public_url or url,
            webhook=webhook,
            root_path=root_path,
            trusted_proxies=("127.0.0.1", "::1", *trusted_proxies),
            user_header=sign_in.user_header,
            user_proxies=sign_in.user_proxies,
            sessions=directory / "sessions.json",
        )
        try:
            storage = open_storage(directory, locked=True)
        except UnusableDatabase as error:
            raise CannotServe(str(error)) from error
        stack.callback(storage.close)
        app = create_app(storage, open_blobs(directory / "blobs"), settings, AccessDatabase(storage.engine), offered)

        published = stack.enter_context(contextlib.closing(_Published(url, key, directory)))

        def begin() -> None:
            note_url(directory, public_url or url + root_path)
            published.settle(app.gate.is_team)
            app.access.on_change(lambda: published.settle(app.gate.is_team))
            started(url, settings, app.gate.is_team)

        allow_connections()
        _Server(configuration(app), begin, app.stop).run(sockets=[listener])


def configuration(app: Guard) -> uvicorn.Config:
    """Return uvicorn's configuration for the application."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        # Agents send every few seconds; a longer time-out lets them keep their connections.
        timeout_keep_alive=75,
    )


def _providers(directory: Path, named: Path | None) -> Providers:
    path = named or directory / "providers.toml"
    if named is None and not path.exists():
        return Providers()
    if path.exists() and path.stat().st_mode & 0o077:
        log = logging.getLogger(__name__)
        log.warning("other users of this machine can read %s, which may hold secrets: chmod 600 it", path)
    return providers.read(path)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can connect to `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Published:
    """The file by which scripts of this user find the server; there is none once the token gives no access."""

    def __init__(self, url: str, token: str, directory: Path) -> None:
        self._entry = url, token, directory
        self._file: Path | None = None
        self._settled: bool | None = None

    def settle(self, is_team: bool) -> None:
        """Publish the file, or withdraw it if there are accounts."""
        if is_team == self._settled:
            return
        self._settled = is_team
        self.close()
        if not is_team:
            try:
                self._file = discovery.publish(*self._entry)
            except (OSError, RuntimeError) as error:  # for example without a home; clients can still be configured
                logging.getLogger(__name__).warning("scripts cannot find this server automatically: %s", error)

    def close(self) -> None:
        """Withdraw the file."""
        if self._file is not None:
            discovery.withdraw(self._file)
            self._file = None


class _Server(uvicorn.Server):
    """A uvicorn server that reports when it is ready, and treats a signal as a normal request to stop."""

    def __init__(self, config: uvicorn.Config, begin: Callable[[], None], stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._begin, self._stop = begin, stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await asyncio.get_running_loop().run_in_executor(None, self._begin)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again after a clean shutdown, which makes the process look killed.
        def stop(_signal: int, _frame: FrameType | None) -> None:
            self.force_exit = self.should_exit
            if not self.should_exit:
                threading.Thread(target=_end_after, args=[LIMIT], daemon=True).start()
            self.should_exit = True

        former = {sig: signal.signal(sig, stop) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in former.items():
                signal.signal(sig, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CannotServe(
            f"cannot listen on {host} port {port}: {why}. Choose another with --port; --port 0 picks a free one"
        ) from None
    # asyncio sets this only on sockets that it creates. Without it each response waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _reachable(host: str) -> str:
    """Return `host` as a URL on this machine names it."""
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
