"""Cards as safe HTML: CommonMark with tables, then an allow-list; addresses point into the repository."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

MAX_CARD = 1_000_000  # characters
_TAGS = set(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "picture",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "var",
    ]
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "align"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "ol": {"start"},
    "details": {"open"},
    "p": {"align"},
    "div": {"align"},
    **{heading: {"id", "align"} for heading in _HEADINGS},
}
_SIZE = re.compile(r"\d{1,4}(?:px|%)?")


def render(text: str, base: str, revision: str) -> str:
    """The HTML of a card's Markdown body. `base` is the repository's page (`/ns/name`).

    Relative images come from `base/resolve/revision/`, relative links go to `base/blob/revision/`. Images
    from other hosts are left out (their alternative text stays): looking at a page must not call anybody.
    """
    import nh3

    return nh3.clean(
        _parser().render(text[:MAX_CARD]),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_address_filter(base, quote(revision, safe="")),
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _address_filter(base: str, revision: str) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return _inside(value, f"{base}/resolve/{revision}", images=True)
        if name == "href":
            return _inside(value, f"{base}/blob/{revision}", images=False)
        if name in ("width", "height"):
            return value if _SIZE.fullmatch(value) else None
        return value

    return keep


def _inside(value: str, folder: str, images: bool) -> str | None:
    """A relative address put below `folder`; other addresses unchanged for links, refused for images."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return None if images else value
    if not parts.path:
        return value
    path = posixpath.normpath(unquote(parts.path))
    if path.startswith(("/", "..")):
        return None if images else value
    return f"{folder}/{quote(path)}" + (f"#{parts.fragment}" if parts.fragment else "")


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.anchors import anchors_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(anchors_plugin, max_level=4).use(footnote_plugin)
    parser.core.ruler.push("alignment", _align_cells)
    return parser


def _align_cells(state: Any) -> None:
    """Column alignment as an attribute: the style that markdown-it writes is refused by our own CSP."""
    for token in state.tokens:
        style = token.attrs.pop("style", None) if token.type in ("td_open", "th_open") else None
        if style:
            token.attrSet("align", str(style).removeprefix("text-align:"))
