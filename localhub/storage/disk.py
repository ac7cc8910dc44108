"""Durable small files: atomic replacement and locks that hold between threads and between processes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

STEP = 16_384  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_full(error: Exception, folder: Path | None = None) -> bool:
    """Whether an OSError or a pygit2.GitError means that the disk (the one of `folder`) took no more.

    libgit2 gives errno only in words, for a large blob as "no error", and for a commit or a tag not at all:
    then the disk itself is asked.
    """
    words = str(error).lower()
    known = ("no space left", "file too large", "quota exceeded")
    number = getattr(error, "errno", None)
    if number in _FULL or words == "no error" or any(word in words for word in known):
        return True
    return number is None and folder is not None and not has_room(folder)


def has_room(folder: Path) -> bool:
    """Whether the disk of `folder` takes what a small commit needs, by trying."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            return all(file.write(b"\0" * STEP) == STEP for _ in range(4))
    except OSError as error:
        return error.errno not in _FULL


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `data`: a reader, or a process killed half-way, sees the old bytes or the new ones.

    Raises OSError (ENOSPC on a full disk) with the old file untouched and no temporary file left.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Replace `path` by `value` as JSON, atomically."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=1).encode(), mode)


def read_json(path: Path) -> Any:
    """The JSON value in `path`; FileNotFoundError when there is none."""
    return json.loads(path.read_bytes())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path` (made if missing), waiting for it.

    The file is opened anew each time: flock belongs to an open file description, so this excludes other
    threads of this process as well as other processes, and a killed process lets go of it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the lock on `path` until it is closed, or None when another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
