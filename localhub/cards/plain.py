"""What a repository's files hold, as JSON values that every answer and every page can carry."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from localhub.errors import HubError

MAX_NODES = 50_000
MAX_DEPTH = 40
_INTEGERS = range(-(1 << 63), 1 << 64)  # what readers of JSON in other languages can hold


def plain(value: Any, most: int = MAX_NODES) -> Any:
    """The same in JSON values alone; HubError 400 above `most` of them, or for a nesting of MAX_DEPTH.

    Dates become strings, keys strings, and numbers that JSON or its readers lack (NaN, infinities, integers
    beyond 64 bits) null.
    """
    return _plain(value, [most], MAX_DEPTH)


def _plain(value: Any, budget: list[int], depth: int) -> Any:
    budget[0] -= 1
    if budget[0] < 0 or depth < 0:
        raise too_large()
    if isinstance(value, dict):
        pairs = ((_key(key, budget, depth - 1), item) for key, item in value.items())
        return {key: _plain(item, budget, depth - 1) for key, item in pairs}
    if isinstance(value, list | tuple | set):
        return [_plain(item, budget, depth - 1) for item in value]
    return _single(value)


def _key(key: Any, budget: list[int], depth: int) -> str:
    return whole(key) if isinstance(key, str) else str(_plain(key, budget, depth))


def _single(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value in _INTEGERS else None
    return value.isoformat() if isinstance(value, date) else whole(str(value))


def whole(text: str) -> str:
    """`"\\ud800"` is valid YAML and JSON, and half of a character that no answer could be encoded with."""
    return text.encode(errors="replace").decode()


def too_large() -> HubError:
    """The refusal of metadata that would unfold into more than a card can mean."""
    return HubError(400, "The metadata is too large or too deeply nested.")
