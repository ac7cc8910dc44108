"""Repositories on disk: one folder each, made and removed by a single rename.

DATA/repos/models/NAMESPACE/NAME/
    repo.json          id, kind, private, creation time
    git/               a bare git repository
    lfs/ab/cd/SHA256   its large files. Each repository has its own: knowing a hash opens nothing elsewhere
    discussions.json   discussions and pull requests
    lock               held by whoever moves a ref or edits a JSON file here
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pygit2

from localhub.errors import HubError, repo_not_found
from localhub.names import check_repo_id, is_repo_part
from localhub.storage.disk import locked, read_json, write_json

KINDS = ("model", "dataset")


@dataclass(frozen=True)
class Repo:
    """One model or data set repository. `mirror` marks those that hold a copy of another Hub's files."""

    path: Path
    kind: str
    id: str
    private: bool
    created_at: str
    mirror: bool = False

    @property
    def namespace(self) -> str:
        """The part of the id before the slash."""
        return self.id.split("/")[0]

    @property
    def uid(self) -> str:
        """24 hexadecimal digits, as the Hub's `_id`."""
        return sha256(f"{self.kind}/{self.id}/{self.created_at}".encode()).hexdigest()[:24]

    @property
    def url_path(self) -> str:
        """The page of this repository: `/ns/name` or `/datasets/ns/name`."""
        return f"/{self.id}" if self.kind == "model" else f"/{self.kind}s/{self.id}"

    def git(self) -> pygit2.Repository:
        """A fresh handle: libgit2 repositories must not be shared between threads (opening costs 40 µs)."""
        return pygit2.Repository(str(self.path / "git"), pygit2.enums.RepositoryOpenFlag.BARE)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Excludes every other writer of this repository, in this process or another (see `mirror`).

        HubError RepoNotFound when it is deleted by the time the lock is ours.
        """
        try:
            with locked(self.path / "lock"):
                if not (self.path / "repo.json").exists():
                    raise FileNotFoundError(self.path)
                yield
        except FileNotFoundError:
            if (self.path / "repo.json").exists():
                raise
            raise repo_not_found(anonymous=False) from None


def prepare(data: Path) -> None:
    """Make the folders of a data directory, readable by their owner alone."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("repos", "tmp"):
        (data / name).mkdir(mode=0o700, exist_ok=True)


def create(
    data: Path,
    kind: str,
    namespace: str,
    name: str,
    private: bool,
    fill: Callable[[Repo], None],
    mirror: bool = False,
) -> Repo:
    """A new repository, with whatever `fill` commits to it.

    Raises HubError 400 (impossible name) or 409 (taken; its body names the existing `url` path). It is built
    aside and renamed into place, so that nobody ever meets half a repository.
    """
    repo_id = check_repo_id(namespace, name)
    existing = find(data, kind, namespace, name)
    if existing:
        raise _taken(existing)
    building, final = data / "tmp" / uuid4().hex, _folder(data, kind, namespace, name)
    created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        fill(_build(Repo(building, kind, repo_id, private, created, mirror)))
        final.parent.mkdir(parents=True, exist_ok=True)
        os.rename(building, final)
    except BaseException as error:
        shutil.rmtree(building, ignore_errors=True)
        winner = find(data, kind, namespace, name) if isinstance(error, OSError) else None
        if winner:  # lost a race: rename refuses a folder that is not empty
            raise _taken(winner) from error
        raise
    return load(final)


def _build(repo: Repo) -> Repo:
    (repo.path / "lfs").mkdir(parents=True)
    pygit2.init_repository(str(repo.path / "git"), bare=True, initial_head="main")
    _save(repo)
    return repo


def _save(repo: Repo) -> None:
    write_json(repo.path / "repo.json", {key: value for key, value in asdict(repo).items() if key != "path"})


def _taken(repo: Repo) -> HubError:
    return HubError(409, f"You already created this {repo.kind} repo: {repo.id}", url_path=repo.url_path)


def load(path: Path) -> Repo:
    """The repository in folder `path`; FileNotFoundError when there is none."""
    return Repo(path=path, **read_json(path / "repo.json"))


def find(data: Path, kind: str, namespace: str, name: str) -> Repo | None:
    """The repository of that id, in whatever case it was written (ids are case-insensitive on the Hub)."""
    if not (is_repo_part(namespace) and is_repo_part(name)):
        return None
    exact = _folder(data, kind, namespace, name)
    try:
        return load(exact)
    except (FileNotFoundError, NotADirectoryError):
        wanted = f"{namespace}/{name}".lower()
        return next((repo for repo in every(data, kind) if repo.id.lower() == wanted), None)


def every(data: Path, kind: str) -> Iterator[Repo]:
    """All repositories of a kind, by id."""
    for path in sorted((data / "repos" / f"{kind}s").glob("*/*")):
        try:
            yield load(path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted while we were listing


def update(repo: Repo, *, private: bool) -> Repo:
    """Change a repository's settings; the caller holds no lock."""
    with repo.lock():
        _save(replace(repo, private=private))
    return load(repo.path)


def delete(data: Path, repo: Repo) -> None:
    """Remove a repository: gone for every reader at one instant, then swept."""
    grave = data / "tmp" / uuid4().hex
    with repo.lock():
        os.rename(repo.path, grave)
    shutil.rmtree(grave, ignore_errors=True)


def _folder(data: Path, kind: str, namespace: str, name: str) -> Path:
    return data / "repos" / f"{kind}s" / namespace / name
