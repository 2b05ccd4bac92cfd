"""The pages with which people sign in to a team's server: password, providers, one-time links, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import HTMLResponse

from .document import respond


class Button(NamedTuple):
    """A provider to sign in with."""

    name: str
    label: str


def sign_in(
    root: str,
    target: str = "/",
    *,
    passwords: bool = True,
    providers: Sequence[Button] = (),
    name: str = "",
    problem: str = "",
    notice: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Return the page to sign in with a password or a provider.

    Args:
        root: The prefix of the server's paths.
        target: The own address to open afterwards.
        passwords: Whether accounts may sign in with a password.
        providers: The providers to offer.
        name: The account's name that was given before.
        problem: Why it did not work, which is announced.
        notice: What else to say.
        status: The status of the response.
    """
    parts = ["<h1>Sign in</h1>", _message(notice, "notice"), _message(problem, "problem")]
    buttons = _buttons(root, providers, f"?next={quote(target, safe='')}")
    if passwords:
        parts.append(_password_form(root, target, name, bool(problem)))
        if buttons:
            parts.append('<p class="or">or</p>')
    parts.append(buttons)
    if not passwords and not providers:
        parts.append(_message("Passwords are switched off, and no provider is set up. Ask a server admin.", "problem"))
    if passwords:
        parts.append('<p class="aside">Forgot your password? A server admin can send you a new link.</p>')
    return _page("Sign in", parts, status)


def _password_form(root: str, target: str, name: str, wrong: bool) -> str:
    marks = ' aria-invalid="true" aria-describedby="problem"' if wrong else ""
    focus = ("", " autofocus") if name else (" autofocus", "")
    return (
        f'<form action="{escape(root)}/sign-in" method="post">'
        f'<input type="hidden" name="next" value="{escape(target)}">'
        '<label for="name">Name</label>'
        f'<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" maxlength="200" required{marks}{focus[0]}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" '
        f"required{marks}{focus[1]}>"
        "<button>Sign in</button></form>"
    )


def welcome(
    root: str,
    secret: str,
    name: str,
    *,
    is_new: bool,
    minimum: int,
    passwords: bool = True,
    providers: Sequence[Button] = (),
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Return the page behind a one-time link, where the first or a new password is set.

    Args:
        root: The prefix of the server's paths.
        secret: The secret in the link.
        name: The account's name.
        is_new: Whether the account has never been used; otherwise its password was forgotten.
        minimum: The least number of characters of a password.
        passwords: Whether accounts may sign in with a password.
        providers: The providers to offer instead.
        problem: Why it did not work, which is announced.
        status: The status of the response.
    """
    heading = "Welcome to tracker" if is_new else "Set a new password"
    shown = f'<strong class="name">{escape(name)}</strong>'
    parts = [f"<h1>{heading}</h1>", _message(problem, "problem")]
    if passwords:
        parts.append(f"<p>Your account is {shown}. Set its password, and you are signed in.</p>")
        described = "rule problem" if problem else "rule"
        marks = ' aria-invalid="true"' if problem else ""
        parts.append(
            f'<form action="{escape(root)}/welcome/{quote(secret, safe="")}" method="post">'
            # Password managers store the name with the password.
            f'<input class="unseen" name="name" value="{escape(name)}" autocomplete="username" readonly tabindex="-1" '
            'aria-hidden="true">'
            '<label for="password">New password</label>'
            f'<input id="password" name="password" type="password" autocomplete="new-password" minlength="{minimum}" '
            f'maxlength="1000" required autofocus aria-describedby="{described}"{marks}>'
            f'<p class="aside" id="rule">At least {minimum} characters. A sentence is easy to remember.</p>'
            '<label for="again">Repeat it</label>'
            '<input id="again" name="again" type="password" autocomplete="new-password" maxlength="1000" required>'
            "<button>Set password and sign in</button></form>"
        )
    else:
        parts.append(f"<p>Your account is {shown}. Choose how you sign in from now on.</p>")
    buttons = _buttons(root, providers, f"?link={quote(secret, safe='')}")
    if passwords and buttons:
        parts.append('<p class="or">or</p>')
    return _page(heading, [*parts, buttons], status)


def failure(heading: str, text: str, status: int, links: Sequence[tuple[str, str]] = ()) -> HTMLResponse:
    """Return a page that says what went wrong and what to do; `links` are addresses and their texts."""
    ways = "".join(f'<p><a href="{escape(address)}">{escape(label)}</a></p>' for address, label in links)
    return _page(
        heading,
        [f"<h1>{escape(heading)}</h1>", f'<p role="alert">{escape(text[:1].upper() + text[1:])}</p>', ways],
        status,
    )


def onward(address: str) -> HTMLResponse:
    """Return a page that opens an own address at once.

    A redirect would not do after a provider's page: the browser would still count it as a visit from there, and
    withhold the session's cookie.
    """
    head = f'<meta http-equiv="refresh" content="0; url={escape(address)}">\n'
    return _page("Signed in", ["<h1>Signed in</h1>", f'<p><a href="{escape(address)}">Continue</a></p>'], 200, head)


def _page(title: str, parts: Sequence[str], status: int, head: str = "") -> HTMLResponse:
    body = "\n".join(part for part in parts if part)
    response = respond(
        f"{title} · tracker", f'<main class="card"><p class="brand">tracker</p>\n{body}\n</main>', status, head
    )
    # With `no-referrer`, browsers send forms with `Origin: null`. The referrer still goes to no other site.
    response.headers["referrer-policy"] = "same-origin"
    return response


def _message(text: str, kind: str) -> str:
    if not text:
        return ""
    role = "alert" if kind == "problem" else "status"
    return f'<p class="{kind}" id="{kind}" role="{role}">{escape(text)}</p>'


def _buttons(root: str, providers: Sequence[Button], query: str) -> str:
    """Return links, because going to another site from a form is not what the content policy allows."""
    made = (
        f'<a class="button" href="{escape(root)}/sign-in/with/{quote(one.name, safe="")}{escape(query)}">'
        f"Sign in with {escape(one.label)}</a>"
        for one in providers
    )
    return "\n".join(made)
