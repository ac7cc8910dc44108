"""Large files: content-addressed by SHA-256 inside their repository, named in git by a pointer.

Pointer format: Git LFS specification v1, https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MAX_POINTER = 1024  # the specification's own bound
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?"
)


@dataclass(frozen=True)
class Pointer:
    """What git holds in place of a large file: its SHA-256, its size in bytes, the pointer's own length."""

    oid: str
    size: int
    length: int


def pointer_bytes(oid: str, size: int) -> bytes:
    """The canonical pointer file for an object."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()


def parse_pointer(data: bytes) -> Pointer | None:
    """The pointer in `data`, or None for an ordinary file."""
    match = _POINTER.fullmatch(data) if len(data) <= MAX_POINTER else None
    return Pointer(match[1].decode(), int(match[2]), len(data)) if match else None


def object_path(repo_path: Path, oid: str) -> Path:
    """Where the object `oid` (64 hexadecimal digits, checked by the caller) of a repository lives."""
    return repo_path / "lfs" / oid[:2] / oid[2:4] / oid


def size_of(repo_path: Path, oid: str) -> int | None:
    """Size in bytes of a stored object, None when this repository does not have it."""
    try:
        return object_path(repo_path, oid).stat().st_size
    except FileNotFoundError:
        return None


def stored(repo_path: Path) -> Iterator[tuple[str, int, float]]:
    """(SHA-256, bytes, Unix time of arrival) of every object of a repository."""
    for path in (repo_path / "lfs").glob("??/??/*"):
        with suppress(FileNotFoundError):  # deleted while we were listing
            status = path.stat()
            yield path.name, status.st_size, status.st_mtime


def lend(source_path: Path, target_path: Path, oid: str) -> bool:
    """Let another repository have an object too, as a link to the same bytes; False when it is not there.

    FileNotFoundError when the other repository has been deleted meanwhile.
    """
    source, final = object_path(source_path, oid), object_path(target_path, oid)
    if not source.exists():
        return False
    _make_room(final)
    with suppress(FileExistsError):
        os.link(source, final)
    return True


def adopt(repo_path: Path, oid: str, temporary: Path) -> None:
    """Move a finished, verified temporary file into the store. Same bytes twice are harmless.

    FileNotFoundError when the repository has been deleted meanwhile.

    It is not fsynced: what a power cut may lose here, the client can send again, and `size_of` shows a torn
    file.
    """
    final = object_path(repo_path, oid)
    _make_room(final)
    os.chmod(temporary, 0o444)
    os.replace(temporary, final)


def _make_room(final: Path) -> None:
    for folder in (final.parent.parent, final.parent):  # never `lfs`: a deleted repository has none
        folder.mkdir(exist_ok=True)
