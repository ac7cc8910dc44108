"""Files that are either whole or absent, and their digests."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary file beside it: readers see the old bytes or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text: UTF-8, line ends as given."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """`new_folders` for one."""
    with new_folders(path) as (work,):
        yield work


@contextlib.contextmanager
def new_folders(*paths: Path) -> Iterator[list[Path]]:
    """Yield empty folders that become `paths` when the block ends well, and vanish when it does not.

    After an error or Ctrl-C all of `paths` are what they were before, at whatever point it came. Only a
    process that is killed outright between its renames leaves the old folders hidden beside the new.
    """
    works: list[Path] = []
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            works.append(Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")))
        yield works
        for path, work in zip(paths, works, strict=True):
            os.chmod(work, 0o755)
            if path.exists():
                os.replace(path, _old(work))
            os.replace(work, path)
    except BaseException:
        for path, work in zip(paths, works, strict=False):
            _restore(path, work)
        raise
    for work in works:
        shutil.rmtree(_old(work), ignore_errors=True)


def _old(work: Path) -> Path:
    """Where the folder that `work` replaces is kept until it is sure to be replaced."""
    return work.with_name(f"{work.name}.old")


def _restore(path: Path, work: Path) -> None:
    if not work.exists():  # it is `path` already
        os.replace(path, work)
    if _old(work).exists():
        os.replace(_old(work), path)
    shutil.rmtree(work, ignore_errors=True)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, by its POSIX path in it, in order of that path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): sha256(p) for p in files}


def digest(files: dict[str, str]) -> str:
    """One SHA-256 for a table of file digests, as `sha256sum` would print the table."""
    table = "".join(f"{files[name]}  {name}\n" for name in sorted(files))
    return hashlib.sha256(table.encode()).hexdigest()


# A PNG of one transparent pixel, for a figure that there is nothing to draw in: DVC wants every output.
EMPTY_FIGURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b494441"
    "5478da6360600000000300012b094d840000000049454e44ae426082"
)
