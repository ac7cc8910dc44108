"""Where xorbs wait until the files are put together that they hold pieces of.

DATA/xet/OWNER-NONCE/XORB. A shelf belongs to one user's uploads to one repository (OWNER is made of both), so
that knowing a xorb's hash opens nothing, and what one user sends cannot spoil another's upload.

hf_xet remembers for each CAS address (ours ends in OWNER-NONCE) which chunks it has stored there, and refers
to them instead of sending them again, also from another process and weeks later. So a xorb alone must never
go: its shelf goes as a whole, and the next token names a new one, of which the client remembers nothing.

While a shelf stands, its files take their size twice (less what LZ4 saves on xorbs). A model of 90 MB: 84 MB
of xorbs. The price buys that an upload broken off resumes, and that a changed model sends what changed; an
hour after the last use it is given back. Reading chunks from the files instead would need an index of them,
and a plan for files that are deleted.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from localhub.storage.disk import locked
from localhub.storage.repos import Repo

IDLE = 3600  # seconds without use after which a shelf goes; longer than a token lives, which is a use
_NAME = re.compile(r"[0-9a-f]{24}-[0-9a-f]{16}", re.ASCII)


def current(data: Path, repo: Repo, user: str) -> str:
    """The name of the shelf for a user's uploads to a repository, which counts as used now."""
    owner = owner_of(repo, user)
    with _lock(data):
        name = next((path.name for path in (data / "xet").glob(f"{owner}-*")), None)
        if name is None:
            name = f"{owner}-{uuid4().hex[:16]}"
            (data / "xet" / name).mkdir(mode=0o700)
        os.utime(data / "xet" / name)
    return name


def owner_of(repo: Repo, user: str) -> str:
    """What the names of a user's shelves for a repository begin with; another one once it is made anew."""
    return sha256(f"{repo.uid}\n{user}".encode()).hexdigest()[:24]


def find(data: Path, name: str) -> Path | None:
    """The folder of a shelf, which counts as used now; None when it is gone."""
    if not _NAME.fullmatch(name):
        return None
    try:
        os.utime(data / "xet" / name)
    except FileNotFoundError:
        return None
    return data / "xet" / name


def sweep(data: Path, idle: float = IDLE) -> None:
    """Remove the shelves that were not used for `idle` seconds: each is gone at one instant, then swept."""
    if not (data / "xet").is_dir():
        return
    graves = []
    with _lock(data):
        for path in _shelves(data):
            if path.stat().st_mtime < time.time() - idle:
                graves.append(data / "tmp" / uuid4().hex)
                os.rename(path, graves[-1])
    for grave in graves:
        shutil.rmtree(grave, ignore_errors=True)


def _shelves(data: Path) -> Iterator[Path]:
    return (path for path in (data / "xet").iterdir() if _NAME.fullmatch(path.name))


@contextmanager
def _lock(data: Path) -> Iterator[None]:
    """Between finding a shelf and using it nobody may sweep it away."""
    with suppress(FileExistsError):
        (data / "xet").mkdir(mode=0o700)
    with locked(data / "xet" / "lock"):
        yield
