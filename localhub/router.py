"""Matching on the raw path: `refs%2Fpr%2F1` is one segment, which an ordinary router would split.

A pattern's `{name}` takes one segment, `{name*}` all that remain (also none); both are percent-decoded after
the split. `{kind}` takes one of KINDS only, `{ns}` no reserved name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from localhub.errors import HubError
from localhub.names import RESERVED

Handler = Callable[..., Any]
KINDS = ("models", "datasets", "spaces")
MAX_BODY = 1 << 20  # bytes; once read, JSON may take thirty times as much memory


@dataclass(frozen=True)
class Route:
    """One endpoint. `body` says how to read the request: "none", "json", "form", "stream" (async handler).

    `own_token`: its Authorization header is for the handler to judge, and names no user. A JSON body is read
    for signed-in users, or when `anyone` may send it; JSON and forms have at most `limit` bytes.
    """

    method: str
    pattern: str
    handler: Handler
    body: str = "none"
    fixed: tuple[tuple[str, str], ...] = ()
    own_token: bool = False
    anyone: bool = False
    limit: int = MAX_BODY


def match(routes: tuple[Route, ...], method: str, raw_path: bytes) -> tuple[Route, Mapping[str, str]] | None:
    """The first route that takes this request, with its arguments. HEAD is served by GET routes."""
    segments = raw_path.decode("latin-1").split("/")[1:]
    method = "GET" if method == "HEAD" else method
    for route in routes:
        if route.method != method or not _may_take(route.pattern, segments):
            continue
        args = _arguments(_split(route.pattern)[0], segments)
        if args is not None:
            return route, args | dict(route.fixed)
    return None


def _may_take(pattern: str, segments: list[str]) -> bool:
    """Whether the length and the fixed segments agree: a request tries all routes, and most fall here."""
    parts, fixed = _split(pattern)
    if len(parts) != len(segments) and not (parts[-1].endswith("*}") and len(parts) <= len(segments) + 1):
        return False
    return all(segments[place : place + 1] == [text] for place, text in fixed)


@cache
def _split(pattern: str) -> tuple[list[str], list[tuple[int, str]]]:
    """The segments of a pattern, and those among them that are fixed, with their places."""
    parts = pattern.split("/")[1:]
    return parts, [(place, part) for place, part in enumerate(parts) if "{" not in part]


def _arguments(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    args: dict[str, str] = {}
    for position, part in enumerate(pattern):
        if part.endswith("*}"):
            return args | {part[1:-2]: _decode("/".join(segments[position:]))}
        if position >= len(segments):
            return None
        if not _takes(part, segments[position], args):
            return None
    return args if len(pattern) == len(segments) else None


def _takes(part: str, segment: str, args: dict[str, str]) -> bool:
    if "{" not in part:
        return part == segment
    opening, closing = part.index("{"), part.index("}")
    prefix, suffix = part[:opening], part[closing + 1 :]
    if not (
        segment.startswith(prefix) and segment.endswith(suffix) and len(segment) > len(prefix) + len(suffix)
    ):
        return False
    name = part[opening + 1 : closing]
    value = _decode(segment[len(prefix) : len(segment) - len(suffix)])
    args[name] = value
    return value in KINDS if name == "kind" else name != "ns" or value.lower() not in RESERVED


def _decode(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise HubError(400, "The address is not valid UTF-8.") from None
