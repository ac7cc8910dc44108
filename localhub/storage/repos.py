"""Repositories on disk: one folder each, made and removed by a single rename.

DATA/repos/models/NAMESPACE/NAME/   the folder's place is the kind and the id: a move is one rename too
    repo.json          identity, visibility, gate, creation time
    git/               a bare git repository
    lfs/ab/cd/SHA256   its large files. Each repository has its own: knowing a hash opens nothing elsewhere
    discussions/       discussions and pull requests, one file each
    access.json        who asked to pass the gate, and the answers
    row.json           what lists show of the newest commit; made anew when it is not there
    lock               held by whoever moves a ref or edits a JSON file here
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pygit2

from localhub.errors import HubError, repo_not_found
from localhub.names import check_repo_id, is_repo_part
from localhub.storage import redirects
from localhub.storage.disk import locked, read_json, write_json

KINDS = ("model", "dataset", "space")
AT_WORK = 0o100
_SHA = re.compile(r"[0-9a-f]{40}", re.ASCII)


@dataclass(frozen=True)
class Repo:
    """One model, data set or space repository.

    `uid` is 24 hexadecimal digits, as the Hub's `_id`, and stays when the repository moves. `gated` is "",
    "auto" or "manual"; `sdk` belongs to spaces; `mirror` marks those that hold a copy of another Hub's files.
    """

    path: Path
    kind: str
    id: str
    private: bool
    created_at: str
    mirror: bool = False
    uid: str = ""
    gated: str = ""
    sdk: str = ""

    @property
    def namespace(self) -> str:
        """The part of the id before the slash."""
        return self.id.split("/")[0]

    @property
    def url_path(self) -> str:
        """The page of this repository: `/ns/name` or `/datasets/ns/name`."""
        return f"/{self.id}" if self.kind == "model" else f"/{self.kind}s/{self.id}"

    def git(self) -> pygit2.Repository:
        """A fresh handle: libgit2 repositories must not be shared between threads (opening costs 40 µs)."""
        return pygit2.Repository(str(self.path / "git"), pygit2.enums.RepositoryOpenFlag.BARE)

    def tip(self) -> str | None:
        """SHA of the newest commit of main, None before the first.

        A loose ref is read as the file it is (https://git-scm.com/docs/gitrepository-layout): opening git
        takes five times as long, which lists of thousands would feel.
        """
        try:
            text = (self.path / "git/refs/heads/main").read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            text = ""
        if _SHA.fullmatch(text):
            return text
        git = self.git()
        main = "refs/heads/main"
        return str(git.references[main].peel(pygit2.Commit).id) if main in git.references else None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Excludes every other writer of this repository, in this process or another (see `mirror`).

        HubError RepoNotFound when it is deleted, moved or another one by the time the lock is ours.
        """
        try:
            with locked(self.path / "lock"):
                if load(self.path).uid != self.uid:
                    raise FileNotFoundError(self.path)
                with self._at_work():
                    yield
        except FileNotFoundError:
            with suppress(FileNotFoundError, NotADirectoryError):
                if load(self.path).uid == self.uid:
                    raise
            raise repo_not_found(anonymous=False) from None

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """While we write, the lock file is marked: a mark that is found was left by a writer who was killed.

        What that one had locked in git would stay locked for ever. The mark is a bit of the file's mode, for
        that can be set on a full disk too, where deleting must go on.
        """
        mark = self.path / "lock"
        if mark.stat().st_mode & AT_WORK:
            for path in dead_locks(self.path / "git"):
                path.unlink(missing_ok=True)
        os.chmod(mark, 0o600 | AT_WORK)
        try:
            yield
        finally:
            with suppress(FileNotFoundError, NotADirectoryError):  # deleted or moved by us
                os.chmod(mark, 0o600)


def dead_locks(git: Path) -> Iterator[Path]:
    """The lock files in a git folder, for whoever holds the repository's lock: nobody alive holds these."""
    yield from (path for path in (git / "refs").rglob("*.lock") if path.is_file())
    yield from git.glob("*.lock")


_FIELDS = {field.name for field in fields(Repo)}


def prepare(data: Path) -> None:
    """Make the folders of a data directory, readable by their owner alone."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("repos", "tmp"):
        (data / name).mkdir(mode=0o700, exist_ok=True)


@contextmanager
def naming(data: Path) -> Iterator[None]:
    """Excludes everyone else who gives a name to a repository, so that no two differ in case only.

    Whoever needs a repository's own lock too takes it after this one.
    """
    with locked(data / "repos" / "lock"):
        yield


def create(
    data: Path,
    kind: str,
    namespace: str,
    name: str,
    private: bool,
    fill: Callable[[Repo], None],
    mirror: bool = False,
    gated: str = "",
    sdk: str = "",
) -> Repo:
    """A new repository, with whatever `fill` puts into it.

    Raises HubError 400 (impossible name) or 409 (taken; its body names the existing `url` path). It is built
    aside and renamed into place, so that nobody ever meets half a repository.
    """
    repo_id = check_repo_id(namespace, name)
    existing = find(data, kind, namespace, name)
    if existing:
        raise _taken(existing)
    building = data / "tmp" / uuid4().hex
    created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    uid = uuid4().hex[:24]
    try:
        fill(_build(Repo(building, kind, repo_id, private, created, mirror, uid, gated, sdk)))
        return _place(data, building, kind, namespace, name)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _build(repo: Repo) -> Repo:
    (repo.path / "lfs").mkdir(parents=True)
    pygit2.init_repository(str(repo.path / "git"), bare=True, initial_head="main")
    save(repo)
    return repo


def _place(data: Path, building: Path, kind: str, namespace: str, name: str) -> Repo:
    final = folder(data, kind, namespace, name)
    with naming(data):
        winner = find(data, kind, namespace, name)
        if winner:  # lost a race
            raise _taken(winner)
        final.parent.mkdir(parents=True, exist_ok=True)
        os.rename(building, final)
        redirects.forget(data, kind, f"{namespace}/{name}")
    return load(final)


def save(repo: Repo) -> None:
    """Write repo.json; the caller holds the lock, or is still building."""
    known = asdict(repo)
    write_json(repo.path / "repo.json", {key: known[key] for key in known.keys() - {"path", "kind", "id"}})


def _taken(repo: Repo) -> HubError:
    return HubError(409, f"You already created this {repo.kind} repo: {repo.id}", url_path=repo.url_path)


def load(path: Path) -> Repo:
    """The repository in folder `path`; FileNotFoundError when there is none."""
    known: dict[str, Any] = read_json(path / "repo.json")
    kind = known.get("kind", path.parents[1].name.removesuffix("s"))
    repo_id = f"{path.parent.name}/{path.name}"
    values = {key: value for key, value in known.items() if key in _FIELDS}
    first = f"{kind}/{known.get('id', repo_id)}/{known['created_at']}"  # the identity before it was written
    uid = known.get("uid") or sha256(first.encode()).hexdigest()[:24]
    return Repo(**values | {"path": path, "kind": kind, "id": repo_id, "uid": uid})


def find(data: Path, kind: str, namespace: str, name: str) -> Repo | None:
    """The repository of that id, in whatever case it was written (ids are case-insensitive on the Hub)."""
    if not (is_repo_part(namespace) and is_repo_part(name)):
        return None
    exact = folder(data, kind, namespace, name)
    for path in chain([exact], _spelled(data, kind, namespace, name)):  # the listings only if it is needed
        with suppress(FileNotFoundError, NotADirectoryError):
            return load(path)
    return None


def _spelled(data: Path, kind: str, namespace: str, name: str) -> Iterator[Path]:
    """Folders whose names differ from these in case only: two listings, and no file is read."""
    for space in _inside(data / "repos" / f"{kind}s"):
        if space.name.lower() == namespace.lower():
            yield from (path for path in _inside(space) if path.name.lower() == name.lower())


def _inside(place: Path) -> list[Path]:
    try:
        return [place / name for name in sorted(os.listdir(place))]
    except (FileNotFoundError, NotADirectoryError):
        return []


def every(data: Path, kind: str, namespace: str = "") -> Iterator[Repo]:
    """All repositories of a kind, or those of one namespace, by id."""
    for space in _inside(data / "repos" / f"{kind}s"):
        if namespace and space.name.lower() != namespace.lower():
            continue
        for path in _inside(space):
            with suppress(FileNotFoundError, NotADirectoryError):  # deleted while we were listing
                yield load(path)


def update(repo: Repo, *, private: bool | None = None, gated: str | None = None) -> Repo:
    """Change a repository's settings (None: as they are); the caller holds no lock."""
    with repo.lock():
        now = load(repo.path)
        save(
            replace(
                now,
                private=now.private if private is None else private,
                gated=now.gated if gated is None else gated,
            )
        )
    return load(repo.path)


def delete(data: Path, repo: Repo) -> None:
    """Remove a repository: gone for every reader at one instant, then swept."""
    grave = data / "tmp" / uuid4().hex
    with repo.lock():
        os.rename(repo.path, grave)
    shutil.rmtree(grave, ignore_errors=True)


def folder(data: Path, kind: str, namespace: str, name: str) -> Path:
    """Where the repository of that id lives, in this spelling."""
    return data / "repos" / f"{kind}s" / namespace / name
