"""The YAML block at the head of a README.md, as plain JSON values."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

from localhub.errors import HubError

MAX_BYTES = 256 * 1024
MAX_NODES = 50_000  # a few nested YAML aliases otherwise unfold into gigabytes
MAX_DEPTH = 40
MAX_BRACKETS = 2000  # ruamel's scanner is quadratic in open brackets
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
        raise HubError(400, "The metadata is too large or too deeply nested.")
    value = _load(block)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise HubError(400, "The metadata must be a YAML mapping.")
    found: dict[str, Any] = _plain(value, [MAX_NODES], MAX_DEPTH)
    return found


def _load(block: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(block)
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" ({mark.line + 2}:{mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise HubError(400, f"Invalid YAML in README.md: {problem}{where}") from error


def _plain(value: Any, budget: list[int], depth: int) -> Any:
    """JSON values only: dates become strings, keys strings, NaN and infinities null."""
    budget[0] -= 1
    if budget[0] < 0 or depth < 0:
        raise HubError(400, "The metadata is too large or too deeply nested.")
    if isinstance(value, dict):
        return {_whole(str(key)): _plain(item, budget, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item, budget, depth - 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int | bool):
        return value
    return value.isoformat() if isinstance(value, date) else _whole(str(value))


def _whole(text: str) -> str:
    """`"\\ud800"` is valid YAML, and half of a character that no answer could be encoded with."""
    return text.encode(errors="replace").decode()


def strings(value: Any) -> list[str]:
    """A metadata value that may be one string or a list of them, as a list (anything else is left out)."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]
