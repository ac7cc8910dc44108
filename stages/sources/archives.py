"""Take named files out of zip and tar archives.

Nothing is ever written to a path that an archive names: the caller says what it wants and where it goes.
Links, devices and directories are as good as absent.
"""

import contextlib
import difflib
import functools
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from stages.core.errors import PipelineError

_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError)
_LARGEST = 64 << 30  # bytes in one file; beyond the largest shard of any model that this pipeline could train

Open = Callable[[], IO[bytes]]


def extract_file(archive: Path, member: str, out: Path) -> None:
    """Copy the file `member` of `archive` to `out`.

    `member` may leave out the archive's outermost folder (`vaderSentiment-3.3.2/`). Raises PipelineError with
    the names that come near when there is no such file.
    """
    with _files(archive) as files:
        names = [n for n in files if n == member] or [n for n in files if n.partition("/")[2] == member]
        if len(names) != 1:
            raise PipelineError(f"{archive.name}: holds no file {member}{_near(member, list(files))}")
        _copy(files[names[0]], out, f"{archive.name}: {member}")


def extract_folder(archive: Path, folder: str, wanted: Callable[[str], bool], out: Path) -> list[str]:
    """Copy to `out` the `wanted` files directly below `folder`; the names of all that are there."""
    with _files(archive) as files:
        below = {n.removeprefix(f"{folder}/"): n for n in files if n.startswith(f"{folder}/")}
        if not below:
            folders = sorted({n.rpartition("/")[0] for n in files if "/" in n})
            raise PipelineError(f"{archive.name}: holds no folder {folder}{_near(folder, folders)}")
        for name in sorted(n for n in below if "/" not in n and wanted(n)):
            _copy(files[below[name]], out / name, f"{archive.name}: {name}")
        return sorted(below)


@contextlib.contextmanager
def _files(archive: Path) -> Iterator[dict[str, Open]]:
    """The regular files of an archive by their paths in it, each with what opens it."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                infos = [i for i in zipped.infolist() if not i.is_dir() and not _is_link(i)]
                yield {i.filename: functools.partial(zipped.open, i) for i in infos}
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tarred:
                regular = [m for m in tarred.getmembers() if m.isreg()]
                yield {m.name.removeprefix("./"): functools.partial(_open, tarred, m) for m in regular}
        else:
            raise PipelineError(f"{archive.name}: is neither a zip nor a tar archive")
    except _BROKEN as error:
        raise PipelineError(f"{archive.name}: is a damaged archive: {error}") from None


def _is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def _open(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None, "regular files have contents"
    return file


def _copy(opened: Open, out: Path, what: str) -> None:
    """Copy what `opened` gives, and no more than _LARGEST bytes of it, whatever size the archive declares."""
    left = _LARGEST
    with opened() as source, out.open("wb") as target:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise PipelineError(f"{what}: is larger than {_LARGEST >> 30} GiB")
            target.write(block)


def _near(name: str, known: list[str]) -> str:
    last = name.rpartition("/")[2]
    near = [n for n in known if n.rpartition("/")[2] == last] or difflib.get_close_matches(
        name, known, 3, 0.4
    )
    shown = near or known
    return f"; it holds {', '.join(shown[:5])}{', ...' if len(shown) > 5 else ''}" if shown else ""
