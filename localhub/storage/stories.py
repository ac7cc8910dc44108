"""Where discussions are kept: one file each, and a comment is one line more.

REPO/discussions/N.jsonl  one discussion or pull request: its first line is what it was when the file was
                          written, events and all; each line after it is what came then: new `events`, and
                          other fields that changed
REPO/discussions.json     all of them in one list, as earlier versions kept it: read as it is, and taken apart
                          by the first change

Whoever changes one holds the repository's lock. Readers need none: files are replaced by one rename, and a
line counts once its end is there. What a killed process left of a line is cut off by the next.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from localhub.errors import HubError
from localhub.storage.disk import read_json, write_atomic
from localhub.storage.remembered import remembered
from localhub.storage.repos import Repo

Discussion = dict[str, Any]
OUTLINE = ("num", "title", "status", "author", "createdAt", "isPullRequest")
MAX_BYTES = 16_000_000  # of one discussion
REMEMBERED = 10_000  # outlines

_SHA = re.compile(r"[0-9a-f]{40}", re.ASCII)


def numbers(repo: Repo) -> list[int]:
    """The numbers of all discussions, in order."""
    with suppress(FileNotFoundError):
        return _listed(repo)
    with suppress(FileNotFoundError):
        return sorted(int(item["num"]) for item in _older(repo))
    with suppress(FileNotFoundError):
        return _listed(repo)  # taken apart while we looked
    return []


def _listed(repo: Repo) -> list[int]:
    names = (name.removesuffix(".jsonl") for name in os.listdir(repo.path / "discussions"))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _older(repo: Repo) -> list[Discussion]:
    found: list[Discussion] = read_json(repo.path / "discussions.json")
    return found


def read(repo: Repo, num: int) -> Discussion:
    """Discussion number `num`; HubError 404."""
    with suppress(FileNotFoundError):
        return read_file(_file(repo, num))
    with suppress(FileNotFoundError, StopIteration):
        if not (repo.path / "discussions").exists():
            return next(item for item in _older(repo) if item["num"] == num)
    with suppress(FileNotFoundError):
        return read_file(_file(repo, num))  # taken apart while we looked
    raise HubError(404, f"Discussion {num} not found")


def read_file(path: Path) -> Discussion:
    """The discussion that a file holds; FileNotFoundError, ValueError when it is damaged."""
    opening, *lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last end of a line is no line
    found: Discussion = json.loads(opening)
    for line in lines:
        later = json.loads(line)
        found["events"] += later.pop("events", [])
        found |= later
    return found


def _file(repo: Repo, num: int) -> Path:
    return repo.path / "discussions" / f"{num}.jsonl"


def outline(repo: Repo, num: int) -> Discussion:
    """A discussion without its events, which `comments` counts; read once for each state of its file."""
    with suppress(FileNotFoundError):
        state = _file(repo, num).stat()
        return _outline(str(_file(repo, num)), state.st_ino, state.st_mtime_ns, state.st_size)
    return _shortened(read(repo, num))


@remembered(REMEMBERED, lambda _: 1)
def _outline(path: str, inode: int, changed: int, size: int) -> Discussion:
    del inode, changed, size  # they are what makes a state of the file another
    return _shortened(read_file(Path(path)))


def _shortened(item: Discussion) -> Discussion:
    comments = sum(event["type"] == "comment" for event in item["events"])
    return {key: item[key] for key in OUTLINE} | {"comments": comments}


def save(repo: Repo, item: Discussion) -> None:
    """Store a discussion, new or as it is now. HubError 413 when it holds too much."""
    data = _line(item)
    _check_room(len(data))
    _take_apart(repo)
    write_atomic(_file(repo, int(item["num"])), data)


def append(repo: Repo, num: int, events: list[dict[str, Any]], **changed: Any) -> None:
    """Add events to a discussion and change fields of it, in one step. HubError 404 or 413."""
    _take_apart(repo)
    data = _line({"events": events} | changed)
    try:
        descriptor = os.open(_file(repo, num), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        raise HubError(404, f"Discussion {num} not found") from None
    try:
        end = _end(descriptor)
        _check_room(end + len(data))
        _write_at(descriptor, end, data)
    finally:
        os.close(descriptor)


def _end(descriptor: int) -> int:
    """Where the last whole line ends; what a killed process left after it is cut off."""
    size = end = os.fstat(descriptor).st_size
    while end and os.pread(descriptor, 1, end - 1) != b"\n":
        start = max(0, end - 65_536)
        end = start + os.pread(descriptor, end - start, start).rfind(b"\n") + 1
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _write_at(descriptor: int, end: int, data: bytes) -> None:
    """Write a line, or on a full disk nothing of it."""
    try:
        written = 0
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], end + written)
    except BaseException:
        os.ftruncate(descriptor, end)
        raise


def _check_room(size: int) -> None:
    if size > MAX_BYTES:
        raise HubError(413, f"A discussion holds at most {MAX_BYTES} bytes; open another.")


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _take_apart(repo: Repo) -> None:
    """Make the folder, complete with what an earlier version kept in one file, by one rename."""
    folder = repo.path / "discussions"
    if folder.exists():
        return
    building = repo.path / f".discussions.{uuid4().hex}"
    building.mkdir()
    try:
        with suppress(FileNotFoundError):
            for item in _older(repo):
                write_atomic(building / f"{int(item['num'])}.jsonl", _line(item))
        os.rename(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    (repo.path / "discussions.json").unlink(missing_ok=True)


def spoken(repo: Repo) -> set[str]:
    """Every word in a discussion that looks like the SHA-1 of a commit."""
    found: set[str] = set()
    for path in _files(repo):
        with suppress(FileNotFoundError):  # deleted or moved while we look
            found.update(_SHA.findall(path.read_text()))
    return found


def rename_commits(repo: Repo, renamed: dict[str, str]) -> None:
    """Let the discussions name rewritten commits by their new SHA-1; the caller holds the lock."""
    for path in _files(repo) if renamed else []:
        text = path.read_text()
        new = _SHA.sub(lambda found: renamed.get(found[0], found[0]), text)
        if new != text:
            write_atomic(path, new.encode())


def _files(repo: Repo) -> list[Path]:
    """The files that count: those of the folder, or before it exists the one file of earlier versions."""
    if (repo.path / "discussions").exists():
        return [_file(repo, num) for num in _listed(repo)]
    return [path for path in [repo.path / "discussions.json"] if path.exists()]
