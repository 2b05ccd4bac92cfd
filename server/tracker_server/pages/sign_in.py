"""What a browser sees that has not shown the token."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from starlette.responses import HTMLResponse

from .document import respond

_HOW = """<main>
<p class="brand">tracker</p>
<h1>Sign in</h1>
<p>This server shows its runs only to those who have its token.</p>
<ol>
<li>Look at the terminal in which <code>tracker server</code> runs.</li>
<li>Open the address it printed; it ends in <code>/?token=…</code></li>
</ol>
<p>The browser is then signed in on this machine. The token is also in the file <code>token</code> in the server's
data directory. Someone else's server? Ask them for the address.</p>
<form action="{root}/" method="get">
<label for="token">Or paste the token</label>
<div class="field"><input id="token" name="token" type="password" autocomplete="off" required autofocus>
<button>Sign in</button></div>
</form>
</main>"""


def page(root: str = "") -> HTMLResponse:
    """Say how to sign in; `root` is the prefix of the server's paths."""
    return respond("Sign in · tracker", _HOW.replace("{root}", escape(root)), 401)


def again(path: str, query: str) -> HTMLResponse:
    """Ask for the same address once more, so that the browser sends the cookie it keeps from other sites' links."""
    # One slash: two would name another host.
    target = quote("/" + path.lstrip("/\\"), safe="/-_.~") + (f"?{quote(query, safe='=&%-_.~+')}" if query else "")
    head = f'<meta http-equiv="refresh" content="0; url={escape(target)}">\n'
    body = f'<main><p class="brand">tracker</p><p><a href="{escape(target)}">Continue</a></p></main>'
    return respond("tracker", body, 401, head)
