"""Text from data and parameters, made into Markdown that cannot become anything but text.

`Markdown` marks what is Markdown on purpose; the card's templates escape every value that is not marked.
Escapes are entities, which CommonMark (section 2.5) reads as literal characters, in cells and links too.
"""

import json
import re
from typing import Any
from urllib.parse import quote


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""


# What starts or ends a construct inside a line, of CommonMark or of the extensions in use on the Hub:
# emphasis, code, links, HTML, entities, tables, strikethrough, mathematics, footnotes, mentions.
_INLINE = re.compile(r"[\\`*_\[\]<>&|~$^@]")
# What makes a block when it starts a line: headings, lists, rules, underlines of headings.
_BLOCK = re.compile(r"^[#+=-](?=[\s#+=-]|$)")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
# What a renderer that links bare addresses looks for.
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):", re.IGNORECASE)
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Parts of words in Persian and in Indic scripts, and of emoji; the spaces that French sets before ; : ! ?
_KEPT = "\u200c\u200d\u00a0\u202f"


def one_line(text: str, longest: int | None = None) -> str:
    """`text` without control, bidirectional and unassigned characters, in one line, cut at `longest`."""
    kept = "".join(c if c.isprintable() or c in _KEPT else " " for c in text)
    line = re.sub(" +", " ", kept).strip()
    return line if longest is None or len(line) <= longest else line[: longest - 1] + "…"


def escape(text: str) -> Markdown:
    """`text` as one line that reads as itself, wherever it stands in prose or in a table."""
    line = _INLINE.sub(_entity, one_line(text))
    line = _BLOCK.sub(_entity, _ADDRESS.sub(_entity, line))
    return Markdown(_NUMBERED.sub(lambda found: f"{found[1]}&#{ord(found[2])};", line))


def finalize(value: Any) -> str:
    """What the templates write for a value: Markdown as it is, anything else escaped.

    Raises ValueError for None: a template must ask whether a fact is known before it states it.
    """
    if value is None:
        raise ValueError("a fact that is not known was stated without `if`")
    return value if isinstance(value, Markdown) else escape(str(value))


def label(text: str) -> Markdown:
    """A name from the data (a label, a column, a file), escaped and at most 80 characters long."""
    return escape(one_line(text, 80))


def excerpt(text: str) -> Markdown:
    """The beginning of a text from the data, escaped, at most 200 characters."""
    return escape(one_line(text, 200))


def code(text: str) -> Markdown:
    """A code span of `text`, delimited by more backticks than it holds in a row."""
    line = one_line(text)
    if not line or "|" in line:  # an empty span is none, and a table would cut one at its bar
        return escape(line)
    marks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return Markdown(f"{marks}{pad}{line}{pad}{marks}")


def fence(text: str, language: str = "") -> Markdown:
    """A fenced block of `text` as it is, less control characters, within a fence longer than any it holds."""
    lines = (re.sub(r"[^\S \u00a0\u202f]", " ", line) for line in text.strip().split("\n"))
    kept = "\n".join("".join(c for c in line if c.isprintable() or c in _KEPT).rstrip() for line in lines)
    marks = "`" * max(3, _longest_run(kept) + 1)
    return Markdown(f"{marks}{language}\n{kept}\n{marks}")


def link(text: str, url: str | None) -> Markdown:
    """A link, when `url` is an http(s) address; otherwise just the text."""
    if url is None or not re.fullmatch(r"https?://[^\s/?#]+\S*", url):
        return Markdown(finalize(text))
    target = quote(url, safe="%/:?#@!$&'*+,;=~").replace("&", "&amp;")
    return Markdown(f"[{finalize(text)}]({target})")


def literal(text: str) -> Markdown:
    """A Python string literal for a snippet. Raises ValueError for what is not an id, a tag or a digest."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", text, re.ASCII):
        raise ValueError(f"not an id: {text!r}")
    return Markdown(f'"{text}"')


def string(text: str) -> Markdown:
    """Any text as a Python string literal for a snippet: quotes, line ends and what is not ASCII escaped.

    Backticks too, so that no text can end the fence that the snippet stands in.
    """
    return Markdown(json.dumps(text).replace("`", "\\u0060"))


def _entity(found: re.Match[str]) -> str:
    return _NAMED.get(found[0], f"&#{ord(found[0])};")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
