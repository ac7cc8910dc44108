"""Newline-delimited JSON as it arrives (http://ndjson.org): what a commit is sent as.

Memory holds one line, and a line holds one regular file: at most 10 MiB of it, in base64.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from localhub.errors import HubError
from localhub.storage.attributes import LARGE

MAX_LINE = LARGE // 3 * 4 + 65_536  # a regular file in base64, its path, and the JSON around them
MAX_SHORT = 1 << 20  # any other line
MAX_READ = 1 << 30  # bytes of an overlong line that are read to learn whose it is
_KEPT = 32_768  # bytes of its end: a path of 4,096 bytes with every byte escaped
_FILE = re.compile(rb'\s*\{\s*"key"\s*:\s*"file"')
_PATH = re.compile(rb'"path"\s*:\s*("(?:[^"\\]|\\.)*")')


async def batches(stream: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The complete lines of each chunk together: a thousand small files then cost few thread hops.

    HubError 400 for a file that should have been sent as LFS, 413 for another line that is too long.
    """
    rest = bytearray()
    async for chunk in stream:
        head, newline, tail = chunk.partition(b"\n")
        rest += head
        if len(rest) > MAX_SHORT and len(rest) > _most(rest):
            raise await _overlong(bytes(rest[:_KEPT]), bytes(rest[-_KEPT:]), newline, stream)
        if newline:
            *lines, last = tail.split(b"\n")
            yield [line for line in (bytes(rest), *lines) if line.strip()]
            rest = bytearray(last)
    if rest.strip():
        yield [bytes(rest)]


def _most(line: bytes | bytearray) -> int:
    """How long a line may be that begins like this one."""
    return MAX_LINE if _FILE.match(line) else MAX_SHORT


async def _overlong(start: bytes, end: bytes, ended: bytes, stream: AsyncIterator[bytes]) -> HubError:
    """The refusal of a line that is too long. A file's path follows its content: read on, keep the end."""
    if not _FILE.match(start):
        return HubError(413, f"A line of the commit that holds no file is longer than {MAX_SHORT} bytes.")
    read = 0
    while not ended and read < MAX_READ:
        chunk = await anext(stream, b"\n")
        head, ended, _ = chunk.partition(b"\n")
        end = (end + head)[-_KEPT:]
        read += len(chunk)
    return too_large(_named(end) or _named(start) or "a file")


def _named(text: bytes) -> str:
    """The path in a part of a line, "" when there is none that can be shown."""
    found = _PATH.search(text)
    try:
        return str(json.loads(found[1])).encode(errors="replace").decode() if found else ""
    except ValueError:
        return ""


def too_large(path: str) -> HubError:
    """The Hub's refusal of a regular file beyond 10 MiB, in its words: people search for them."""
    return HubError(
        400,
        "Your push was rejected because it contains files larger than 10 MiB. Please use"
        f" https://git-lfs.github.com/ to store large files. Offending files: - {path[:4096]}",
    )


def parse(line: bytes) -> tuple[str, dict[str, Any]]:
    """(key, value) of a line; HubError 400."""
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        raise HubError(400, "A line of the commit is not valid JSON.") from None
    if not isinstance(item, dict) or not isinstance(item.get("value"), dict):
        raise HubError(400, "A line of the commit is not an object with a key and a value.")
    return str(item.get("key")), item["value"]
