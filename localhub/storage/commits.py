"""Writing commits: operations are turned into objects as they arrive, then one ref is moved.

Objects are written before the lock is taken; nothing is visible until the ref moves, which is one atomic
rename inside libgit2. A process killed before that leaves unreachable objects and an untouched branch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pygit2
from pygit2.enums import FileMode

from localhub.errors import HubError, entry_not_found
from localhub.names import check_path, check_sha256
from localhub.storage import attributes, lfs, refs, trees
from localhub.storage.repos import Repo
from localhub.storage.trees import resolve

MAX_OPERATIONS = 100_000


@dataclass
class Draft:
    """What a commit will do, path by path. Blobs are in git's object store already; only ids are held."""

    blobs: dict[str, pygit2.Oid] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    deleted_files: list[str] = field(default_factory=list)
    deleted_folders: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.blobs) + len(self.deleted_files) + len(self.deleted_folders)


@dataclass(frozen=True)
class Stamp:
    """Who commits, what it says, and when (Unix seconds; None is now)."""

    author: str
    message: str
    when: int | None = None

    @property
    def signature(self) -> pygit2.Signature:
        """As git wants it, for author and committer alike."""
        return refs.signature(self.author, self.when)


def add_file(git: pygit2.Repository, draft: Draft, path: str, content: bytes) -> None:
    """Put a regular file into the draft."""
    _room(draft)
    draft.blobs[check_path(path)] = git.create_blob(content)
    draft.large.discard(path)


def add_large(
    git: pygit2.Repository, repo: Repo, draft: Draft, path: str, oid: str, size: int | None
) -> None:
    """Put a large file into the draft; HubError 400 unless *this* repository already has the object."""
    _room(draft)
    stored = lfs.size_of(repo.path, check_sha256(oid))
    if stored is None or (size is not None and size != stored):
        raise HubError(400, f"LFS pointer {path!r} points to an object that was not uploaded here: {oid}.")
    draft.blobs[check_path(path)] = git.create_blob(lfs.pointer_bytes(oid, stored))
    draft.large.add(path)


def delete(draft: Draft, path: str, folder: bool) -> None:
    """Put a deletion into the draft. Whether the path exists is known when the commit is written."""
    _room(draft)
    clean = check_path(path.rstrip("/"))
    (draft.deleted_folders if folder else draft.deleted_files).append(clean)


def _room(draft: Draft) -> None:
    if len(draft) >= MAX_OPERATIONS:
        raise HubError(413, f"A commit may hold at most {MAX_OPERATIONS} operations.")


def write(git: pygit2.Repository, draft: Draft, parent: pygit2.Oid | None, stamp: Stamp) -> pygit2.Oid:
    """The commit object that applies `draft` on top of `parent`; no ref moves.

    Equal trees make no new commit: `parent` is returned. Raises EntryNotFound when a deleted path is not
    there.
    """
    index = pygit2.Index()
    old_tree = git[parent].peel(pygit2.Tree) if parent else None
    if old_tree:
        index.read_tree(old_tree)
    _apply(index, draft)
    tree = index.write_tree(git)
    if parent and old_tree and tree == old_tree.id:
        return parent
    commit = _commit(git, stamp, tree, parent)
    missing = [path for path in sorted(draft.large) if not attributes.is_large(git, commit, path)]
    if not missing:
        return commit
    _append_rules(git, index, missing)
    return _commit(git, stamp, index.write_tree(git), parent)


def _apply(index: pygit2.Index, draft: Draft) -> None:
    paths = {item.path for item in index} if draft.deleted_files or draft.deleted_folders else set()
    for path in [*draft.deleted_files, *draft.deleted_folders]:
        doomed = [known for known in paths if known == path or known.startswith(f"{path}/")]
        if not doomed:
            raise (
                entry_not_found(path)
                if path in draft.deleted_folders
                else HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            )
        for known in doomed:
            index.remove(known)
        paths.difference_update(doomed)
    for path, oid in draft.blobs.items():
        index.add(pygit2.IndexEntry(path, oid, FileMode.BLOB))


def _append_rules(git: pygit2.Repository, index: pygit2.Index, paths: list[str]) -> None:
    old = trees.blob(git, str(index[attributes.FILE].id)) if attributes.FILE in index else b""
    if old and not old.endswith(b"\n"):
        old += b"\n"
    new = old + "".join(attributes.rule(path) for path in paths).encode()
    index.add(pygit2.IndexEntry(attributes.FILE, git.create_blob(new), FileMode.BLOB))


def _commit(git: pygit2.Repository, stamp: Stamp, tree: pygit2.Oid, parent: pygit2.Oid | None) -> pygit2.Oid:
    parents = [parent] if parent else []
    return git.create_commit(None, stamp.signature, stamp.signature, stamp.message, tree, parents)


def commit(
    repo: Repo, git: pygit2.Repository, ref: str, draft: Draft, stamp: Stamp, expected: str | None
) -> str:
    """Apply a draft to `ref` under the repository's lock and return the new head's SHA.

    `expected` is the client's parentCommit: HubError 412 when the branch has moved on. Without it the draft
    goes on top of whatever is there. Raises RevisionNotFound when the ref does not exist.
    """
    with repo.lock():
        parent = resolve(git, ref).id
        check_parent(parent, expected)
        new = write(git, draft, parent, stamp)
        if new != parent:
            refs.move(git, ref, new, parent)
        return str(new)


def check_parent(head: pygit2.Oid, expected: str | None) -> None:
    """HubError 412 unless `expected` is None or names `head` (7 digits or more are enough)."""
    if expected is not None and not (len(expected) >= 7 and str(head).startswith(expected.lower())):
        raise HubError(412, refs.STALE)


def first(repo: Repo, author: str) -> None:
    """The commit that a new repository starts with: the Hub's default .gitattributes."""
    git = repo.git()
    draft = Draft()
    add_file(git, draft, attributes.FILE, attributes.DEFAULT)
    with repo.lock():
        refs.move(git, "refs/heads/main", write(git, draft, None, Stamp(author, "initial commit")), None)
