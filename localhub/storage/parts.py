"""Large files that arrive in parts, as the Hub takes them (huggingface_hub/lfs.py: _upload_multi_part).

DATA/tmp/parts-KEY/00001, 00002, ...: one folder an upload. Sending a part again replaces it, so an upload
that was broken off and begun anew takes no second copy of the disk. What is never finished is swept with the
rest of DATA/tmp.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from localhub.errors import HubError
from localhub.storage.disk import locked

CHUNK = 16 << 20  # bytes of a part
MOST = 1000  # parts of one file: each costs an address in the answer
STEP = 1 << 20  # bytes held in memory while parts are joined


def chunk_size(size: int) -> int:
    """Bytes of each part but the last of a file of `size`: CHUNK, or more where parts would be too many."""
    return CHUNK * max(1, -(-size // (CHUNK * MOST)))


def count(size: int) -> int:
    """How many parts a file of `size` bytes (at least 1) has."""
    return -(-size // chunk_size(size))


def length(size: int, number: int) -> int:
    """Bytes of part `number` (from 1) of a file of `size` bytes; 0 or less when there is no such part."""
    return min(chunk_size(size), size - (number - 1) * chunk_size(size)) if number > 0 else 0


def folder(data: Path, key: str) -> Path:
    """Where the parts of the upload `key` (hexadecimal digits, made by us) lie."""
    return data / "tmp" / f"parts-{key}"


def keep(data: Path, key: str, number: int, temporary: Path) -> None:
    """Put a part that has arrived whole into its place."""
    home = folder(data, key)
    try:
        home.mkdir(mode=0o700, exist_ok=True)
        os.replace(temporary, home / f"{number:05d}")
    except FileNotFoundError:  # the folder was taken away between these lines
        raise HubError(409, "This upload is being completed by another request.") from None


@contextmanager
def completing(data: Path, key: str) -> Iterator[None]:
    """Whoever completes an upload a second time, since no answer came, waits here for the first to end."""
    lock = folder(data, key).with_suffix(".lock")
    with locked(lock):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def join(data: Path, key: str, oid: str, size: int) -> Path:
    """One temporary file made of all parts, its SHA-256 checked; the parts are gone.

    Raises HubError 400 when parts are missing (those that are there stay) or when they are not the object.
    """
    home = folder(data, key)
    names = [f"{number:05d}" for number in range(1, count(size) + 1)]
    missing = [name for name in names if not (home / name).is_file()]
    if missing:
        raise HubError(
            400, f"{len(missing)} of {len(names)} parts have not arrived, the first is {int(missing[0])}."
        )
    claimed, whole = home.with_name(uuid4().hex), home.with_name(uuid4().hex)
    try:
        os.rename(home, claimed)  # a straggler's part can no longer change what is checked
        digest = _append([claimed / name for name in names], whole)
        if digest != oid or whole.stat().st_size != size:
            raise HubError(400, f"The parts received are not the object {oid} ({size} bytes).")
        return whole
    except BaseException:
        whole.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(claimed, ignore_errors=True)


def _append(parts: list[Path], whole: Path) -> str:
    """Write the parts one after the other, each removed when it is copied; the SHA-256 of all."""
    digest = sha256()
    with open(whole, "xb") as target:
        for part in parts:
            with open(part, "rb") as source:
                while block := source.read(STEP):
                    digest.update(block)
                    target.write(block)
            part.unlink()
    return digest.hexdigest()
