"""The HTML document around a page, and its content policy: one inline style sheet and nothing else."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files

from starlette.responses import HTMLResponse

STYLE = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def respond(title: str, body: str, status: int = 200, head: str = "") -> HTMLResponse:
    """Return a page. `title` is plain text; `body` and `head` are HTML, in which the caller has escaped all values."""
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(title)}</title>\n'
        f"{head}<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
    return HTMLResponse(page, status, {"content-security-policy": POLICY})
