"""The YAML block at the head of a README.md, as plain JSON values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from localhub.cards.plain import plain, too_large
from localhub.errors import HubError

MAX_BYTES = 256 * 1024
MAX_UNFOLDED = 1_000_000  # characters: a few nested aliases or merges otherwise mean gigabytes
NODE = 20  # characters that a scalar, a list or a mapping counts for by itself
MAX_BRACKETS = 2000  # ruamel's scanner is quadratic in open brackets
# What the YAML reader ends in, beside its own errors, where a text is not what its tags or directives say.
_UNEXPECTED = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)
_BLOCK = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def split(text: str) -> tuple[str | None, str]:
    """(YAML text or None, Markdown body) of a card."""
    match = _BLOCK.match(text)
    return (match[1], text[match.end() :]) if match else (None, text)


def parse(text: str) -> dict[str, Any] | None:
    """The card's metadata, None when there is none; HubError 400 when it is not a valid YAML mapping."""
    block, _ = split(text)
    if block is None or not block.strip():
        return None
    if len(block) > MAX_BYTES:
        raise HubError(400, f"The metadata is longer than {MAX_BYTES} characters.")
    if block.count("[") + block.count("{") > MAX_BRACKETS:
        raise too_large()
    value = _load(block)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise HubError(400, "The metadata must be a YAML mapping.")
    found: dict[str, Any] = plain(value)
    return found


def _load(block: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(block)
        if node is not None and _unfolded(node, {}) > MAX_UNFOLDED:
            raise too_large()
        return None if node is None else yaml.constructor.construct_document(node)
    except (YAMLError, *_UNEXPECTED) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" ({mark.line + 2}:{mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise HubError(400, f"Invalid YAML in README.md: {problem}{where}") from error


def _unfolded(node: Any, known: dict[int, float]) -> float:
    """Characters of a node once its aliases and merges stand for what they mean, and NODE more for each part.

    Each node is counted once, however many aliases lead to it: this takes no longer than reading the text.
    """
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is known: what contains itself has no end
        known[id(node)] = NODE + sum(_unfolded(part, known) for part in _parts(node)) + _length(node)
    return known[id(node)]


def _length(node: Any) -> int:
    return len(node.value) if isinstance(node.value, str) else 0


def _parts(node: Any) -> Iterator[Any]:
    """The items of a sequence, the keys and values of a mapping."""
    for part in () if isinstance(node.value, str) else node.value:
        yield from part if isinstance(part, tuple) else (part,)


def strings(value: Any) -> list[str]:
    """A metadata value that may be one string or a list of them, as a list (anything else is left out)."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]
