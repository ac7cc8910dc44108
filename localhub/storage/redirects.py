"""The former names of repositories that were moved.

DATA/moved/models/namespace/name   (lower case) holds the identity of the repository that had this name
DATA/moved/identities/UID          the ids that it has now, or had just before: a process killed in the middle
                                   of a move leaves it at one of the two
A repository is never found by its name alone, so a former name leads nowhere once another repository takes
the name that it led to, and there are no chains to follow and no loops.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from localhub.storage.disk import read_json, write_json


def note(data: Path, kind: str, old: str, new: str, uid: str) -> None:
    """Write down that the repository `uid` goes from id `old` to `new`: before it is renamed."""
    where = data / "moved" / "identities" / uid
    where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(where, [new, old])
    if old.lower() != new.lower():
        name = _file(data, kind, old)
        name.parent.mkdir(parents=True, exist_ok=True)
        write_json(name, uid)


def forget(data: Path, kind: str, name: str) -> None:
    """End the redirect of an id: a repository has taken it."""
    _file(data, kind, name).unlink(missing_ok=True)


def lookup(data: Path, kind: str, name: str) -> tuple[str, list[str]] | None:
    """(identity, ids where it may be) of the repository that once had the id `name`; None without one."""
    with suppress(FileNotFoundError, NotADirectoryError):
        uid = str(read_json(_file(data, kind, name)))
        return uid, places(data, uid)
    return None


def places(data: Path, uid: str) -> list[str]:
    """The ids where a repository that was moved may be; none for one that never was."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return [str(place) for place in read_json(data / "moved" / "identities" / uid)]
    return []


def every(data: Path) -> list[tuple[Path, str]]:
    """(file, identity) of every note, of both sorts."""
    found = [(path, str(read_json(path))) for path in (data / "moved").glob("*s/*/*") if path.is_file()]
    return found + [(path, path.name) for path in (data / "moved" / "identities").glob("*")]


def _file(data: Path, kind: str, name: str) -> Path:
    namespace, _, rest = name.lower().partition("/")
    return data / "moved" / f"{kind}s" / namespace / rest
