"""Talk to a server over HTTP, for the agent, `Api` and the commands. `wire` describes the requests."""

from __future__ import annotations

import hmac
import os
import secrets
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import orjson
import requests
import zstandard

from . import discovery, server_response
from .discovery import resolve
from .errors import ServerError, SettingsError, Unreachable
from .machine.atomic_files import verified
from .names import RunKey
from .settings import Settings, is_local
from .terminal import clean
from .wire import FRAME_TYPE, Accepted, StreamOffsets, Upload, decode_frame, run_path

if TYPE_CHECKING:
    from typing import TypeGuard


_MOST_BYTES = 1 << 53  # more than any file has
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each attempt to continue a download that does not advance


class Answer(NamedTuple):
    """A whole response."""

    status: int
    content: bytes
    url: str


class Retry(ServerError):
    """The server may accept the request later; `after` is how many seconds it asked to wait, if it did."""

    def __init__(self, message: str, status: int = 0, after: float | None = None) -> None:
        super().__init__(message, status)
        self.after = after


class Client:
    """A session with the server at `base_url`. Not thread-safe: one client a thread.

    TLS is always verified. `REQUESTS_CA_BUNDLE` and proxies work as in `requests`; `.netrc` is ignored. Methods raise
    `Unreachable` if no response comes within `timeout` seconds, `Retry` for 429 and 5xx, and `ServerError` for other
    refusals and unreadable responses.
    """

    def __init__(self, base_url: str, api_key: str | None, timeout: float = 30.0) -> None:
        self.base_url = base_url
        self._given_timeout = timeout
        self._timeout = (min(10.0, timeout), timeout)  # to connect, and between bytes of the response
        self._session = _Session()
        self._session.auth = _Bearer(api_key)
        self._session.headers["Accept-Encoding"] = "gzip"  # `server_response` can limit what it inflates to
        # No key is sent before the server proves that it knows this token.
        self._unproven = discovery.token_at(base_url)
        if is_local(base_url):
            self._session.trust_env = False  # a proxy cannot reach this machine's loopback
            self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._compress = zstandard.ZstdCompressor(level=3).compress

    def __deepcopy__(self, memo: dict[int, Any]) -> Client:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.base_url, self._given_timeout)  # without the key

    def offsets(self, run: RunKey) -> StreamOffsets:
        """Return how far the server's copies of the run's streams go, and which blobs it lacks."""
        answer = _decode(self._answer("GET", run_path(*run) + "/streams", server_response.SMALL))
        offsets = answer.get("offsets")
        if not isinstance(offsets, dict) or not all(map(_is_offset, offsets.values())):
            raise Retry("the server's answer has no offsets")
        return {"offsets": offsets, "missing": _digests(answer)}

    def send(self, run: RunKey, stream: str, offset: int, lines: bytes) -> Accepted:
        """Upload the lines at `offset` of a stream.

        The response says where to continue, even if the server did not want these lines.
        """
        response = self._answer(
            "POST",
            f"{run_path(*run)}/streams/{quote(stream)}",
            server_response.SMALL,
            params={"offset": offset},
            data=self._compress(lines),
            headers={"Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"},
            accept=(200, 409),
        )
        answer = _decode(response)
        reached = answer.get("offset")
        # Without progress, the uploader would send the same lines forever.
        if not _is_offset(reached) or reached == offset:
            raise Retry("the server's answer has no new offset")
        return {"offset": reached, "missing": _digests(answer), "trashed": answer.get("trashed") is True}

    def readmit(self, run: RunKey) -> None:
        """Let the server accept a run again that was deleted there."""
        self._answer("DELETE", run_path(*run), server_response.SMALL, params={"readmit": "true"}, accept=(200, 204))

    def put_blob(self, run: RunKey, digest: str, content: bytes) -> None:
        """Upload a small file; the server verifies the digest."""
        self._answer(
            "PUT", f"{run_path(*run)}/blobs/{digest}", server_response.SMALL, data=content, accept=(200, 201, 204)
        )

    def upload(self, run: RunKey, digest: str, size: int) -> Upload:
        """Return how much the server has of a large file, which clients upload in parts."""
        path = f"{run_path(*run)}/uploads/{digest}"
        return _upload(_decode(self._answer("GET", path, server_response.SMALL, params={"size": size})), size)

    def send_part(self, run: RunKey, digest: str, size: int, offset: int, part: bytes) -> Upload:
        """Upload the bytes at `offset` of a large file.

        The response says where to continue, even if the server did not want these bytes, and whether it has the whole
        file and has verified it.
        """
        response = self._answer(
            "POST",
            f"{run_path(*run)}/uploads/{digest}",
            server_response.SMALL,
            params={"size": size, "offset": offset},
            data=part,
            headers={"Content-Type": "application/octet-stream"},
            accept=(200, 409),
        )
        return _upload(_decode(response), size)

    def json(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and return the JSON object in the response."""
        return _decode(self._answer(method, path, server_response.LARGE, **arguments))

    def frame(self, path: str, body: Any) -> tuple[dict[str, Any], list[memoryview[float]]]:
        """Post a JSON body and return the frame in the response (see `wire.decode_frame`)."""
        headers = {"Accept": FRAME_TYPE, "Content-Type": "application/json"}
        answer = self._answer("POST", path, server_response.LARGE, data=orjson.dumps(body), headers=headers)
        try:
            return decode_frame(answer.content)
        except (ValueError, TypeError, KeyError, OverflowError, struct.error) as error:
            raise Retry(f"{answer.url} sent an unreadable response ({type(error).__name__})", answer.status) from None

    def delete(self, path: str) -> None:
        """Send a DELETE request for a path."""
        self._answer("DELETE", path, server_response.SMALL, accept=(200, 204))

    def download(self, path: str, target: Path, digest: str, size: int | None = None) -> None:
        """Download a path to a file, which appears whole and verified, or not at all.

        An interrupted download continues where it stopped. Raises `TrackerError` if the sha256 of the content is not
        `digest`, or as soon as there are more bytes than `size`.
        """
        with verified(target, digest, size) as take:
            received = failures = 0
            while True:
                try:
                    for block in self._blocks(path, received):
                        take(block)
                        received, failures = received + len(block), 0
                    return
                except Unreachable:
                    failures += 1
                    if not received or failures > len(_PAUSES):
                        raise
                time.sleep(_PAUSES[failures - 1])

    def _blocks(self, path: str, start: int) -> Iterator[bytes]:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        with self._request("GET", path, (200, 206), headers=headers) as response:
            skip = start if response.status_code == 200 else 0  # a proxy may ignore Range
            for block in server_response.blocks(response):
                if len(block) > skip:
                    yield block[skip:]
                skip = max(0, skip - len(block))

    def _answer(self, method: str, path: str, most: int, **arguments: Any) -> Answer:
        response = self._request(method, path, **arguments)
        return Answer(response.status_code, server_response.read(response, most), clean(response.url))

    def _prove(self, token: str) -> None:
        """Have a server that was found on this machine prove that it knows its token, before it gets any key.

        It answers a random question with an HMAC, which needs the token and covers its address. So a program that
        listens on the port of a server that has ended learns nothing.
        """
        question = secrets.token_hex(32)
        self._unproven = None
        try:
            response = self._request("GET", discovery.PROOF_PATH, auth=_Bearer(None), params={"question": question})
            proof = (server_response.parse(server_response.read(response, server_response.SMALL)) or {}).get("proof")
        except (Unreachable, Retry):
            self._unproven = token
            raise
        except ServerError:
            proof = None
        right = discovery.proof(token, question, urlsplit(self.base_url).port or 80)
        if not isinstance(proof, str) or not hmac.compare_digest(proof.encode("utf-8", "replace"), right.encode()):
            self._unproven = token
            raise Unreachable(
                f"{self.base_url} is not your own server any more: it cannot prove that it knows its token"
            )

    def _request(
        self, method: str, path: str, accept: tuple[int, ...] = (200, 201, 204), **arguments: Any
    ) -> requests.Response:
        if self._unproven is not None:
            self._prove(self._unproven)
        try:
            response = self._session.request(
                method, self.base_url + path, timeout=self._timeout, allow_redirects=False, stream=True, **arguments
            )
        except requests.exceptions.SSLError as error:
            raise Unreachable(
                f"the certificate of {self.base_url} cannot be verified ({_cause(error)}); if your company has its own "
                "certificate authority, set REQUESTS_CA_BUNDLE to its file"
            ) from None
        except ValueError as error:  # requests and its libraries raise many kinds
            raise SettingsError(f"base_url {self.base_url!r} or its key cannot be used: {error}") from None
        except (requests.RequestException, OSError) as error:
            raise Unreachable(f"no answer from {self.base_url} ({type(error).__name__}: {_cause(error)})") from error
        if response.status_code in accept:
            return response
        message = f"{self.base_url} answered {response.status_code}: {server_response.message(response)}"
        if "data" in arguments:
            # Servers that refuse a body may close the connection, some without saying so: the next request would fail.
            self._session.close()
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise Retry(message, response.status_code, server_response.retry_after(response))
        raise ServerError(message, response.status_code)


def connect(settings: Settings) -> Client:
    """Return a client for the server of the settings, or for this user's own server on this machine.

    Raises `SettingsError` if there is neither.
    """
    base_url, api_key = resolve(settings.base_url, settings.api_key)
    if base_url is None:
        raise SettingsError(
            "no server: start one on this machine with `tracker server`, "
            "or set its address with `tracker login` or TRACKER_BASE_URL"
        )
    return Client(base_url, api_key, settings.upload_timeout)


def _unpickled(base_url: str, timeout: float) -> Client:
    """Return the client of a pickle, with this process's own key for the address."""
    try:
        return connect(Settings({"base_url": base_url, "upload_timeout": timeout}))
    except SettingsError:  # the user sees the server's refusal
        return Client(base_url, None, timeout)


class _Session(requests.Session):
    """Ignore redirects: the key is for one address, and `requests` would read a whole response to look for the next."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class _Bearer(requests.auth.AuthBase):
    """Send the key. Setting `auth` also keeps requests from sending a `.netrc` password instead."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _is_offset(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MOST_BYTES


def _upload(answer: dict[str, Any], size: int) -> Upload:
    offset, complete = answer.get("offset"), answer.get("complete")
    if not _is_offset(offset) or offset > size or not isinstance(complete, bool):
        raise Retry("the server's answer does not say how much of the file it has")
    return {"offset": offset, "complete": complete}


def _digests(answer: dict[str, Any]) -> list[str]:
    missing = answer.get("missing")
    return [digest for digest in missing if isinstance(digest, str)] if isinstance(missing, list) else []


def _decode(answer: Answer) -> dict[str, Any]:
    found = server_response.parse(answer.content)
    if found is None:
        raise Retry(f"{answer.url} sent an unreadable response; is this a tracker server?", answer.status)
    return found


def _cause(error: BaseException) -> BaseException:
    """Return the innermost cause, which has the most helpful text."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    return getattr(error, "reason", None) or error
