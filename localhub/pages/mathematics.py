r"""Formulas in Markdown, left as they are written: no emphasis, no escapes, no headings inside.

Nothing here draws mathematics. What counts as a formula is what the Hub gives to KaTeX: `$...$`, `\(...\)`
and `\\(...\\)` in a line, `$$...$$` and `\\[...\\]` also over lines. A dollar sign before a space, or one
that would end before a digit, is money (the rule of Pandoc's tex_math_dollars).
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

_DOLLAR = re.compile(
    r"\$\$(?:\\.|[^$`\\])+\$\$"
    r"|\$(?![\s$])(?:\\.|[^$`\\])*(?<!\s)\$(?![\d$])",
    re.DOTALL,
)
_BACKSLASH = re.compile(
    r"(?P<open>\\{1,2})\((?:\\(?!\\?[()])|[^`\\])+(?P=open)\)|\\\\\[(?:\\(?!\\?[\[\]])|[^`\\])+\\\\\]",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#\w{1,8}|\w{2,31});")


def plugin(parser: Any) -> None:
    """Teach a MarkdownIt parser to pass over formulas."""
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.block.ruler.before("fence", "formula", _block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.add_render_rule("formula", lambda self, tokens, index, *_: shown(tokens[index].content))
    parser.add_render_rule("formula_block", _paragraph)


def shown(source: str) -> str:
    """A formula as HTML text. Entities are read first, as a browser does before KaTeX sees the formula."""
    return escape(_ENTITY.sub(lambda found: unescape(found[0]), source))


def _paragraph(self: Any, tokens: Any, index: int, *_: Any) -> str:
    return f'<p class="formula">{shown(tokens[index].content)}</p>\n'


def _inline(state: Any, silent: bool) -> bool:
    pattern = {"$": _DOLLAR, "\\": _BACKSLASH}.get(state.src[state.pos])
    found = pattern.match(state.src, state.pos, state.posMax) if pattern else None
    if found is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _block(state: Any, start: int, end: int, silent: bool) -> bool:
    """A paragraph that begins with `$$` and, on the same line or a later one, ends with it."""
    if state.is_code_block(start) or not _line(state, start).startswith("$$"):
        return False
    for line in range(start, end):
        text = _line(state, line)
        if text.endswith("$$") and (line > start or len(text) > 4):
            break
        if line > start and (text.startswith("$$") or state.sCount[line] < state.blkIndent):
            return False  # another begins here; stopping at it also keeps the search linear
    else:
        return False
    if not silent:
        state.line = line + 1
        token = state.push("formula_block", "", 0)
        token.content = state.getLines(start, line + 1, state.blkIndent, False).strip()
        token.map = [start, line + 1]
    return True


def _line(state: Any, line: int) -> str:
    text: str = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    return text.rstrip()
