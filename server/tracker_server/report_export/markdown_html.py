"""Turn users' Markdown into HTML that cannot do anything: no HTML of theirs, no scripts, nothing from other sites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import unquote

from markdown_it.token import Token

from tracker_server.markdown_parser import parse, parser

_TAGS = set(
    "h1 h2 h3 h4 h5 h6 p br hr ul ol li blockquote pre code em strong s table thead tbody tr th td a img".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "code": {"class"},
}
_LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")


def to_html(text: str, images: Mapping[str, str], under: int = 1) -> str:
    """Return sanitized HTML.

    Args:
        text: The Markdown. HTML in it is shown as text.
        images: Addresses of images on this server, and the `data:` addresses to show instead.
        under: The level of the heading above; headings in the text go below it.
    """
    import nh3

    tokens = parse(text)
    _adapt(tokens, images, under)
    html: str = parser().renderer.render(tokens, parser().options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _adapt(tokens: list[Token], images: Mapping[str, str], under: int) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + under)}"
        if token.type in ("th_open", "td_open") and "text-align" in str(token.attrGet("style")):
            token.attrSet("align", str(token.attrGet("style")).partition(":")[2])
        if token.children:
            token.children = [_adapted(child, images) for child in token.children]


def _adapted(token: Token, images: Mapping[str, str]) -> Token:
    """Return an image with its content inside, or as text if it is from elsewhere: loading it would tell who reads."""
    if token.type != "image":
        return token
    source = str(token.attrGet("src") or "")
    name = unquote(source.partition("?")[0])
    if name in images:
        token.attrSet("src", images[name])
        return token
    if _DATA_IMAGE.fullmatch(source):
        return token
    made = Token("html_inline", "", 0)
    alt = escape(token.content or source or "image")
    is_link = re.match(r"https?://", source, re.IGNORECASE)
    made.content = f'<a href="{escape(source)}">{alt}</a>' if is_link else alt
    return made


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href":
        return value if _LINK.match(value) else None
    if attribute == "src":
        return value if _DATA_IMAGE.fullmatch(value) else None
    if tag == "code" and attribute == "class":
        return value if re.fullmatch(r"language-[\w+-]{1,30}", value) else None
    return value
