"""Cards as safe HTML: GitHub's Markdown, then an allow-list; addresses point into the repository."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote, urlsplit

MAX_CARD = 1_000_000  # characters
_TAG_NAMES = """\
a abbr b blockquote br caption center code col colgroup dd del details div dl dt em figcaption figure h1
h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p picture pre q s samp section small span strike strong sub
summary sup table tbody td tfoot th thead tr u ul var
"""
_TAGS = set(_TAG_NAMES.split())
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title", "id"},
    "img": {"src", "alt", "title", "width", "height", "align"},
    "li": {"id"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "ol": {"start"},
    "details": {"open"},
    "p": {"align"},
    "div": {"align"},
    **{heading: {"id", "align"} for heading in _HEADINGS},
}
# What our own style sheet knows; a card may use them too, and gains nothing by it.
_ALERTS = ("note", "tip", "important", "warning", "caution")
_CLASSES = {
    "div": {"scroll", "markdown-alert", *(f"markdown-alert-{kind}" for kind in _ALERTS)},
    "p": {"formula", "markdown-alert-title"},
    "li": {"task-list-item"},
    "section": {"footnotes"},
}
# In what nh3 writes every "<" outside of tags and every quote in a value is escaped.
_TAG = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')
_ALT = re.compile(r' alt="([^"]*)"')
_ANCHORED = ("h1", "h2", "h3", "h4")
_SIZE = re.compile(r"\d{1,4}(?:px|%)?")


def render(text: str, base: str, revision: str, folder: str = "") -> str:
    """The HTML of a card's Markdown body. `base` is the repository's page (`/ns/name`).

    Relative images come from `base/resolve/revision/`, relative links go to `base/blob/revision/`. Images
    from other hosts are left out (their alternative text stays): looking at a page must not call anybody.
    They are relative to `folder`, a path in the repository.
    """
    import nh3

    clean = nh3.clean(
        _parser().render(text[:MAX_CARD]),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_address_filter(base, quote(revision, safe=""), folder),
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return _TAG.sub(_told, clean)


def _told(tag: re.Match[str]) -> str:
    """A picture that was left out as its alternative text; any other tag as it is."""
    if not tag[0].startswith(("<img ", "<img>")) or ' src="' in tag[0]:
        return tag[0]
    text = _ALT.search(tag[0])
    return text[1].replace("<", "&lt;").replace(">", "&gt;") if text else ""


def _address_filter(base: str, revision: str, folder: str) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return _inside(value, f"{base}/resolve/{revision}", folder, images=True)
        if name == "href":
            return _inside(value, f"{base}/blob/{revision}", folder, images=False)
        if name in ("width", "height"):
            return value if _SIZE.fullmatch(value) else None
        return value

    return keep


def _inside(value: str, root: str, folder: str, images: bool) -> str | None:
    """A relative address put below `root`; other addresses unchanged for links, refused for images."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return None if images else value
    if not parts.path:
        return value
    path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
    if path.startswith(("/", "..")):
        return None if images else value
    return f"{root}/{quote(path)}" + (f"#{parts.fragment}" if parts.fragment else "")


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin
    from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

    from localhub.pages import mathematics

    parser = MarkdownIt("commonmark", {"html": True, "alerts": True, "tasklists": True})
    parser.enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False)
    parser.use(gfm_autolink_plugin).use(mathematics.plugin)
    parser.core.ruler.push("anchors", _name_headings)
    parser.core.ruler.push("alignment", _align_cells)
    parser.add_render_rule("list_item_open", _list_item)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _name_headings(state: Any) -> None:
    """An id for each heading: its words as GitHub joins them, and a number where it stands a second time.

    The numbers of a heading go on from the last one given, so that many equal headings stay linear.
    """
    taken: set[str] = set()
    last: dict[str, int] = {}
    for heading, line in pairwise(state.tokens):
        if heading.type != "heading_open" or heading.tag not in _ANCHORED:
            continue
        name = slug = _slug(line)
        while name in taken:
            last[slug] = last.get(slug, 0) + 1
            name = f"{slug}-{last[slug]}"
        if name:
            taken.add(name)
            heading.attrSet("id", name)


def _slug(line: Any) -> str:
    """The words of a heading in lower case, joined by hyphens, without punctuation."""
    words = "".join(part.content for part in line.children if part.type in ("text", "code_inline"))
    return re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")


def _align_cells(state: Any) -> None:
    """Column alignment as an attribute: the style that markdown-it writes is refused by our own CSP."""
    for token in state.tokens:
        style = token.attrs.pop("style", None) if token.type in ("td_open", "th_open") else None
        if style:
            token.attrSet("align", str(style).removeprefix("text-align:"))


def _list_item(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """A task's box as a character: a real check box would ask to be ticked."""
    box = (tokens[index].meta or {}).get("checked")
    opened: str = self.renderToken(tokens, index, options, env)
    return opened if box is None else f"{opened}{'☑' if box else '☐'} "
