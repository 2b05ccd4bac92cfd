"""Prove to a client on this machine that this is its user's server, before it sends the key.

Clients find the server through a file that says where it listens. Once it is gone, anything else may listen there. So a
client first asks a random question, and only who knows the key can answer it.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qs

import orjson
from starlette.responses import Response
from starlette.types import Scope

from tracker import discovery
from tracker_server.services import json_response

_QUESTION = re.compile(r"[0-9a-f]{64}")


def is_question(scope: Scope) -> bool:
    """Tell whether a request asks for the proof."""
    return bool(scope["path"] == discovery.PROOF_PATH and scope["method"] == "GET")


def answer(scope: Scope, token: str) -> Response:
    """Answer it, to clients of this machine only: nobody else finds the server so."""
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
