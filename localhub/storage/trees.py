"""Reading git: revisions, trees, blobs, history. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import pygit2
from pygit2.enums import ObjectType, SortMode

from localhub.errors import HubError, entry_not_found, revision_not_found
from localhub.names import check_path, is_sha
from localhub.storage.lfs import MAX_POINTER, Pointer, parse_pointer
from localhub.storage.remembered import remembered

MIN_POINTER = 125  # bytes: what is shorter need not be read to know that it is none
MAX_REF = 255  # bytes: its last part is the name of a file
MAX_REMEMBERED = 50_000  # paths

# libgit2 keeps no folder above 4 KiB by itself, and history compares each with its next: read each one once.
pygit2.settings.cache_object_limit(ObjectType.TREE, 1 << 20)
pygit2.settings.cache_max_size(16 << 20)


@dataclass(frozen=True, slots=True)
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
        if has_ref(git, name):
            return git.references[name].peel(pygit2.Commit)
    if is_sha(revision):
        try:
            return git[revision].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            pass
    raise revision_not_found(revision[:MAX_REF])


def has_ref(git: pygit2.Repository, name: str) -> bool:
    """Whether `name`, whatever it is, is the full name of a ref."""
    possible = name.startswith("refs/") and len(name.encode(errors="replace")) <= MAX_REF
    return possible and pygit2.reference_is_valid_name(name) and name in git.references


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
    for found, name in _walk(tree_at(commit, path), f"{path}/" if path else "", recursive):
        yield _entry(git, found, name)


def part_of_listing(
    git: pygit2.Repository, commit: pygit2.Commit, path: str, recursive: bool, start: int, most: int
) -> list[Entry]:
    """Up to `most` entries of `listing` after the first `start`, whose contents are not looked at."""
    walk = _walk(tree_at(commit, path), f"{path}/" if path else "", recursive)
    return [_entry(git, found, name) for found, name in islice(walk, start, start + most)]


def _walk(tree: pygit2.Tree, prefix: str, recursive: bool) -> Iterator[tuple[pygit2.Object, str]]:
    for child in tree:
        if child.type not in (ObjectType.BLOB, ObjectType.TREE):
            continue  # a submodule has nothing to serve
        yield child, f"{prefix}{child.name}"
        if recursive and isinstance(child, pygit2.Tree):
            yield from _walk(child, f"{prefix}{child.name}/", recursive)


def _entry(git: pygit2.Repository, found: pygit2.Object, path: str) -> Entry:
    oid = str(found.id)
    if found.type == ObjectType.TREE:
        return Entry("directory", path, oid, 0)
    size = git.odb.read_header(found.id)[1]
    pointer = parse_pointer(git.odb.read(found.id)[1]) if MIN_POINTER <= size <= MAX_POINTER else None
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


def last_commits(
    git: pygit2.Repository, commit: pygit2.Commit, paths: Iterable[str]
) -> dict[str, pygit2.Commit]:
    """For each path (file or folder), the newest commit that changed it, as `git log -1 -- PATH` finds it.

    One comparison of trees for each commit, which passes over equal folders; a merge is only asked about what
    it has from none of its parents.
    """
    found: dict[str, pygit2.Commit] = {}
    waiting = {commit.id: set(paths)}
    for current in git.walk(commit.id, SortMode.TOPOLOGICAL):
        wanted = waiting.pop(current.id, set())
        for parent in current.parents if wanted else ():
            changed = wanted & _changed(parent, current)
            waiting.setdefault(parent.id, set()).update(wanted - changed)
            wanted = changed
        found |= dict.fromkeys(wanted, current)
        if not any(waiting.values()):
            break
    return found


@remembered(MAX_REMEMBERED, lambda found: 20 + len(found))
def last_commits_of_listing(place: str, sha: str, folder: str, recursive: bool) -> dict[str, str]:
    """{path: SHA of the newest commit that changed it} of a whole listing of the repository at `place`.

    Remembered, for a client asks for a long listing page by page.
    """
    git = pygit2.Repository(place, pygit2.enums.RepositoryOpenFlag.BARE)
    commit = resolve(git, sha)
    walk = _walk(tree_at(commit, folder), f"{folder}/" if folder else "", recursive)
    found = last_commits(git, commit, (name for _, name in walk))
    return {path: str(last.id) for path, last in found.items()}


def _changed(before: pygit2.Commit, after: pygit2.Commit) -> set[str]:
    """The files that differ between two commits, and every folder above them."""
    found: set[str] = set()
    for delta in before.tree.diff_to_tree(after.tree).deltas:
        path = delta.new_file.path
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return found


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
