"""A real OpenID Connect provider on loopback, in a process of its own. It insists on PKCE."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests


class Provider:
    """A running provider, and a person's browser on its pages."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def know(self, subject: str, **claims: Any) -> None:
        """Give a person these claims."""
        response = requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=60)
        assert response.status_code == 204, response.text

    def sign_in(self, url: str, subject: str) -> dict[str, str]:
        """Sign in at the page with this address; return the query that the browser takes back."""
        response = requests.post(url, data={"sub": subject}, allow_redirects=False, timeout=60)
        assert response.status_code == 302, response.text
        return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run the provider until the block ends."""
    command = [sys.executable, os.path.abspath(__file__)]
    # It uses libraries that warn of each other.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdecimal()
        yield Provider(f"http://localhost:{port}")
    finally:
        process.terminate()
        process.communicate()


def _serve() -> None:
    import flask
    import oidc_provider_mock
    import werkzeug.serving

    app = oidc_provider_mock.app(require_nonce=True)
    challenges: dict[str, str] = {}

    def refuse_without_verifier() -> Any:
        if not flask.request.path.endswith("/token"):
            return None
        digest = hashlib.sha256(flask.request.form["code_verifier"].encode()).digest()
        expected = challenges.get(flask.request.form["code"])
        if expected != base64.urlsafe_b64encode(digest).decode().rstrip("="):
            return {"error": "invalid_grant"}, 400
        return None

    def note_challenge(response: flask.Response) -> flask.Response:
        codes = parse_qs(urlsplit(response.headers.get("location", "")).query).get("code")
        if codes and flask.request.args.get("code_challenge_method") == "S256":
            challenges[codes[0]] = flask.request.args["code_challenge"]
        return response

    app.before_request(refuse_without_verifier)
    app.after_request(note_challenge)
    server = werkzeug.serving.make_server("localhost", 0, app, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
