"""The page of a share link that gives no access any more."""

from __future__ import annotations

from starlette.responses import HTMLResponse

from .document import respond

_BODY = """<main>
<p class="brand">tracker</p>
<h1>This link does not work</h1>
<p>It does not exist, has expired or was revoked. Ask whoever sent it for a new one.</p>
</main>"""


def gone() -> HTMLResponse:
    """Return the page."""
    return respond("Link · tracker", _BODY, 404)
