"""Prove to a client on this machine that this is its user's server, before the client sends its key.

Clients find the server through a file that names its address. After the server has gone, another program may listen
there. So a client first sends a random question, which only a server with the right key can answer.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qs

import orjson
from starlette.responses import Response
from starlette.types import Scope

from tracker import discovery
from tracker_server.responses import json_response

_QUESTION = re.compile(r"[0-9a-f]{64}")


def is_question(scope: Scope) -> bool:
    """Return whether a request asks for the proof."""
    return bool(scope["path"] == discovery.PROOF_PATH and scope["method"] == "GET")


def answer(scope: Scope, token: str) -> Response:
    """Answer the question, for clients on this machine only; others do not find the server this way."""
    question = parse_qs(scope["query_string"].decode("latin-1")).get("question", [""])[-1]
    client, server = scope.get("client"), scope.get("server")
    if not _QUESTION.fullmatch(question) or client is None or server is None or not _is_loopback(client[0]):
        return json_response(orjson.dumps({"error": "there is no such question"}), 404)
    return json_response(orjson.dumps({"proof": discovery.proof(token, question, server[1])}))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
