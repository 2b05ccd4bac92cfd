"""The sign-in page, for browsers without a session."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from starlette.responses import HTMLResponse

from .document import respond

_BODY = """<main>
<p class="brand">tracker</p>
<h1>Sign in</h1>
<p>To see runs, you need this server's token.</p>
<ol>
<li>Go to the terminal that runs <code>tracker server</code>.</li>
<li>Open the address printed there. It ends in <code>/?token=…</code></li>
</ol>
<p>This browser then stays signed in. The token is also in the file <code>token</code> in the server's data directory.
If someone else runs the server, ask them for the address.</p>
<form action="{root}/" method="get">
<label for="token">Or paste the token</label>
<div class="field"><input id="token" name="token" type="password" autocomplete="off" required autofocus>
<button>Sign in</button></div>
</form>
</main>"""


def page(root: str = "") -> HTMLResponse:
    """Return the page that explains how to sign in; `root` is the prefix of the server's paths."""
    return respond("Sign in · tracker", _BODY.replace("{root}", escape(root)), 401)


def reload(path: str, query: str, status: int = 401) -> HTMLResponse:
    """Return a page that reloads the same address, so that the browser sends its cookie.

    Browsers withhold a strict cookie when a link on another site is followed.
    """
    # Exactly one slash, since two would begin a host name.
    target = quote("/" + path.lstrip("/\\"), safe="/-_.~") + (f"?{quote(query, safe='=&%-_.~+')}" if query else "")
    head = f'<meta http-equiv="refresh" content="0; url={escape(target)}">\n'
    body = f'<main><p class="brand">tracker</p><p><a href="{escape(target)}">Continue</a></p></main>'
    return respond("tracker", body, status, head)
