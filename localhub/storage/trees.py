"""Reading git: revisions, trees, blobs, history. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pygit2
from pygit2.enums import ObjectType, SortMode

from localhub.errors import HubError, entry_not_found, revision_not_found
from localhub.names import check_path, is_sha
from localhub.storage.lfs import MAX_POINTER, Pointer, parse_pointer


@dataclass(frozen=True)
class Entry:
    """One line of a tree listing. `size` is the real size in bytes, also of a large file; 0 for a folder."""

    kind: str  # "file" or "directory"
    path: str
    oid: str
    size: int
    lfs: Pointer | None = None

    @property
    def etag(self) -> str:
        """What the Hub calls a file's identity: SHA-256 of a large file, git SHA-1 of another."""
        return self.lfs.oid if self.lfs else self.oid


def resolve(git: pygit2.Repository, revision: str) -> pygit2.Commit:
    """The commit that a branch, tag, full ref name or (short) SHA names; HubError RevisionNotFound else."""
    for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
        if name.startswith("refs/") and pygit2.reference_is_valid_name(name) and name in git.references:
            return git.references[name].peel(pygit2.Commit)
    if is_sha(revision):
        try:
            return git[revision].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            pass
    raise revision_not_found(revision)


def tree_at(commit: pygit2.Commit, path: str) -> pygit2.Tree:
    """The folder `path` ("" is the root) of a commit; HubError EntryNotFound if it is not a folder."""
    if not path:
        return commit.tree
    found = _lookup(commit.tree, path)
    if not isinstance(found, pygit2.Tree):
        raise entry_not_found(path)
    return found


def _lookup(tree: pygit2.Tree, path: str) -> pygit2.Object | None:
    try:
        return tree[check_path(path)]
    except (KeyError, ValueError):
        return None


def entry(git: pygit2.Repository, commit: pygit2.Commit, path: str) -> Entry | None:
    """The file or folder at `path`, or None. HubError 422 for an unsafe path."""
    found = _lookup(commit.tree, path)
    return None if found is None else _entry(git, found, path)


def file_entry(git: pygit2.Repository, commit: pygit2.Commit, path: str) -> Entry:
    """The file at `path`; HubError EntryNotFound, naming the commit for the client's cache of absences."""
    found = entry(git, commit, path)
    if found is None or found.kind != "file":
        raise entry_not_found(path).with_headers(X_Repo_Commit=str(commit.id))
    return found


def listing(
    git: pygit2.Repository, commit: pygit2.Commit, path: str = "", recursive: bool = False
) -> Iterator[Entry]:
    """The entries of a folder in git's order; depth first when recursive."""
    yield from _walk(git, tree_at(commit, path), f"{path}/" if path else "", recursive)


def _walk(git: pygit2.Repository, tree: pygit2.Tree, prefix: str, recursive: bool) -> Iterator[Entry]:
    for child in tree:
        if child.type not in (ObjectType.BLOB, ObjectType.TREE):
            continue  # a submodule has nothing to serve
        yield _entry(git, child, f"{prefix}{child.name}")
        if recursive and isinstance(child, pygit2.Tree):
            yield from _walk(git, child, f"{prefix}{child.name}/", recursive)


def _entry(git: pygit2.Repository, found: pygit2.Object, path: str) -> Entry:
    oid = str(found.id)
    if found.type == ObjectType.TREE:
        return Entry("directory", path, oid, 0)
    size = git.odb.read_header(found.id)[1]
    pointer = parse_pointer(git.odb.read(found.id)[1]) if size <= MAX_POINTER else None
    return Entry("file", path, oid, pointer.size if pointer else size, pointer)


def blob(git: pygit2.Repository, oid: str) -> bytes:
    """The bytes of a regular file (the pointer itself for a large one)."""
    return git.odb.read(oid)[1]


def text_at(git: pygit2.Repository, commit: pygit2.Commit, path: str, limit: int = 2_000_000) -> str | None:
    """A small UTF-8 file of a commit, or None when it is missing, large or not text."""
    found = entry(git, commit, path)
    if found is None or found.kind != "file" or found.lfs or found.size > limit:
        return None
    try:
        return blob(git, found.oid).decode()
    except UnicodeDecodeError:
        return None


def history(
    git: pygit2.Repository, commit: pygit2.Commit, skip: int = 0, limit: int = 50
) -> list[pygit2.Commit]:
    """Up to `limit` commits from `commit` back, newest first, after `skip`."""
    found = []
    for index, past in enumerate(git.walk(commit.id, SortMode.TOPOLOGICAL)):
        if index >= skip + limit:
            break
        if index >= skip:
            found.append(past)
    return found


def last_commits(git: pygit2.Repository, commit: pygit2.Commit, paths: list[str]) -> dict[str, pygit2.Commit]:
    """For each path, the newest commit that changed it (first parents only)."""
    missing = set(paths)
    found: dict[str, pygit2.Commit] = {}
    current = commit
    while missing:
        parent = current.parents[0] if current.parents else None
        changed = {
            path for path in missing if _oid(current, path) != (_oid(parent, path) if parent else None)
        }
        found |= {path: current for path in changed}
        missing -= changed
        if parent is None:
            break
        current = parent
    return found


def _oid(commit: pygit2.Commit, path: str) -> pygit2.Oid | None:
    found = _lookup(commit.tree, path)
    return found.id if found else None


def when(commit: pygit2.Commit) -> str:
    """A commit's time as the Hub writes it: 2026-01-31T12:00:00.000Z."""
    return datetime.fromtimestamp(commit.commit_time, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def subject(commit: pygit2.Commit) -> tuple[str, str]:
    """First line and the rest of a commit message."""
    title, _, rest = commit.message.partition("\n")
    return title, rest.strip("\n")


def head(git: pygit2.Repository) -> pygit2.Commit:
    """The newest commit of main."""
    try:
        return resolve(git, "main")
    except HubError:
        raise HubError(404, "This repository has no commit yet.", "RevisionNotFound") from None
