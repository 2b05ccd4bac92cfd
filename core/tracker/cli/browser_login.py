"""Sign in through a browser, on this machine or another one: the device flow of RFC 8628."""

from __future__ import annotations

import socket
import time
import webbrowser
from typing import Any
from urllib.parse import quote

from tracker.client import Client, Retry
from tracker.errors import ServerError, Unreachable
from tracker.machine.display import has_display
from tracker.machine.paths import login_name
from tracker.settings.logins import key_id

from .output import echo

_SECONDS = 10.0  # that the server has to answer
_SLOWER = 5.0  # seconds between questions that are added when the server asks for it
_LONGEST = 3600.0  # seconds that a server may have the command wait
_NOT_THERE = (401, 403, 404, 405)  # what servers answer that do not sign in this way


def sign_in(base_url: str) -> str | None:
    """Have the user confirm a short code in a browser, and return the new key; None if the server cannot do this.

    Raises `Unreachable` if the server does not answer, `ServerError` if the user refuses or does not come.
    """
    client = Client(base_url, None, _SECONDS)
    about = {"user": login_name(), "host": socket.gethostname()}
    try:
        started = client.json("POST", "/api/login/device", json=about)
    except ServerError as error:
        if error.status in _NOT_THERE:
            return None
        raise
    device_code, code, page = (started.get(name) for name in ("device_code", "user_code", "verification_url"))
    if not isinstance(device_code, str) or not isinstance(code, str) or not _is_page(page):
        raise ServerError(f"{base_url} sent an unreadable response; is this a tracker server?")
    # The code gives no access: the key goes only to who knows the device code, which never leaves this process.
    address = f"{page}?code={quote(code)}"
    if has_display():
        echo(f"Confirm the code {code} in your browser. If none opens, go to {address}")
        webbrowser.open(address)
    else:
        echo(f"Go to {page} in a browser, on any machine, and enter the code {code}")
    return _wait(client, device_code, started)


def _wait(client: Client, device_code: str, started: dict[str, Any]) -> str:
    interval = _seconds(started.get("interval"), 5.0)
    deadline = time.monotonic() + _seconds(started.get("expires_in"), 600.0)
    while time.monotonic() < deadline:
        time.sleep(interval)
        try:
            key = client.json("POST", "/api/login/device/token", json={"device_code": device_code}).get("key")
        except Unreachable:
            interval *= 2  # RFC 8628, section 3.5
        except Retry as error:
            interval = max(interval + _SLOWER, error.after or 0.0)
        except ServerError as error:
            if error.status == 410:
                break
            if error.status != 428:
                raise
        else:
            if isinstance(key, str) and key:
                return key
            raise ServerError("the server's answer has no key")
    raise ServerError("the code was refused, or not confirmed in time")


def revoke(base_url: str, key: str) -> str | None:
    """Have the server revoke a key; return why it could not, None if the key is of no use any more."""
    try:
        Client(base_url, key, _SECONDS).delete(f"/api/login/{key_id(key)}")
    except ServerError as error:
        return None if error.status == 401 else str(error)
    return None


def _is_page(address: object) -> bool:
    return isinstance(address, str) and address.startswith(("http://", "https://")) and address.isprintable()


def _seconds(value: object, otherwise: float) -> float:
    known = isinstance(value, (int, float)) and 0.0 < value <= _LONGEST
    return float(value) if known else otherwise  # type: ignore[arg-type]
