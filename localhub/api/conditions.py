"""Conditional and partial requests for files: If-None-Match, Range, If-Range (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from localhub.errors import HubError

_TAG = re.compile(r'(?:W/)?("[^"]*")')
_SPAN = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)


def not_modified(headers: Mapping[str, str], etag: str) -> bool:
    """Whether the client names (one of a list, weak or strong, or `*`) the entity tag that we would send."""
    asked = headers.get("if-none-match", "")
    return asked.strip() == "*" or etag in _TAG.findall(asked)


def span(headers: Mapping[str, str], etag: str, size: int) -> tuple[int, int] | None:
    """(start, end) in bytes of the one range that is asked for; None when the whole file is to be sent.

    A header that we do not understand is passed over, as the RFC wants; so are several ranges at once, and
    any range of a file that has changed since (If-Range). HubError 416 when nothing of the range is there.
    """
    condition = headers.get("if-range")
    # At most 18 digits: Python refuses to read thousands of them, and no file is that long.
    match = _SPAN.fullmatch(headers.get("range", ""))
    if not match or not (match[1] or match[2]) or (condition is not None and condition.strip() != etag):
        return None
    start, end = _bounds(match[1], match[2], size)
    if match[1] and match[2] and int(match[1]) > int(match[2]):
        return None  # first after last: not a range at all
    if start >= end:
        raise HubError(416, f"The range lies outside of the file's {size} bytes.").with_headers(
            Content_Range=f"bytes */{size}"
        )
    return start, end


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size
