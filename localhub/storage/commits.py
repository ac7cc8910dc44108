"""Writing commits: operations are turned into objects as they arrive, then one ref is moved.

Objects are written before the lock is taken; nothing is visible until the ref moves, which is one atomic
rename inside libgit2. A process killed before that leaves unreachable objects and an untouched branch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pygit2

from localhub.errors import HubError, entry_not_found
from localhub.names import check_path, check_sha256
from localhub.storage import attributes, lfs, overlay, refs, trees
from localhub.storage.repos import Repo
from localhub.storage.trees import resolve

MAX_OPERATIONS = 100_000
_PARENT = re.compile(r"[0-9a-fA-F]{5,40}", re.ASCII)


@dataclass
class Draft:
    """What a commit will do, in the order in which it was asked for.

    Blobs are in git's object store already: an operation is a path and the id of its blob, or None to delete
    the file or folder there. `large` says where the object of each large file lies, `folders` which
    deletions were asked for folders.
    """

    operations: list[tuple[str, pygit2.Oid | None]] = field(default_factory=list)
    large: dict[str, Path] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


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


def add_file(git: pygit2.Repository, repo: Repo, draft: Draft, path: str, content: bytes) -> None:
    """Put a regular file into the draft. What reads as a pointer is one; HubError 400 if it leads nowhere."""
    _room(draft)
    pointer = lfs.parse_pointer(content)
    if pointer and lfs.size_of(repo.path, pointer.oid) != pointer.size:
        raise _leads_nowhere(path)
    draft.operations.append((check_path(path), git.create_blob(content)))
    draft.large.pop(path, None)
    if pointer:
        draft.large[path] = lfs.object_path(repo.path, pointer.oid)


def _leads_nowhere(path: str) -> HubError:
    """The Hub's refusal, in its words: people search for them."""
    return HubError(
        400,
        "Your push was rejected because an LFS pointer pointed to a file that does not exist. For instance,"
        f" this can happen if you used git push --no-verify to push your changes. Offending file: - {path}",
    )


def add_large(
    git: pygit2.Repository, repo: Repo, draft: Draft, path: str, oid: str, size: int | None
) -> None:
    """Put a large file into the draft; HubError 400 unless *this* repository already has the object."""
    _room(draft)
    stored = lfs.size_of(repo.path, check_sha256(oid))
    if stored is None or (size is not None and size != stored):
        raise HubError(400, f"LFS pointer {path!r} points to an object that was not uploaded here: {oid}.")
    draft.operations.append((check_path(path), git.create_blob(lfs.pointer_bytes(oid, stored))))
    draft.large[path] = lfs.object_path(repo.path, oid)


def delete(draft: Draft, path: str, folder: bool) -> None:
    """Put a deletion into the draft. Whether the path exists is known when the commit is written."""
    _room(draft)
    clean = check_path(path.rstrip("/"))
    draft.operations.append((clean, None))
    if folder:
        draft.folders.add(clean)


def _room(draft: Draft) -> None:
    if len(draft.operations) >= MAX_OPERATIONS:
        raise HubError(413, f"A commit may hold at most {MAX_OPERATIONS} operations.")


def write(
    git: pygit2.Repository,
    draft: Draft,
    parent: pygit2.Oid | None,
    stamp: Stamp,
    ref: str = "refs/heads/main",
) -> pygit2.Oid:
    """The commit object that applies `draft` on top of `parent`, for `ref`, which does not move.

    Equal trees make no new commit: `parent` is returned. Raises EntryNotFound when a deleted path is not
    there, HubError 400 when a folder grew too large.
    """
    old_tree = git[parent].peel(pygit2.Tree) if parent else None
    root = overlay.Folder(old_tree)
    _apply(root, draft)
    tree = overlay.write(git, root, ref)
    if parent and old_tree and tree == old_tree.id:
        return parent
    commit = _commit(git, stamp, tree, parent)
    missing = _uncovered(git, commit, root, draft)
    if not missing:
        return commit
    _append_rules(git, root, missing)
    return _commit(git, stamp, overlay.write(git, root, ref), parent)


def _apply(root: overlay.Folder, draft: Draft) -> None:
    for path, blob in draft.operations:
        if blob is not None:
            overlay.put(root, path, blob)
        elif not overlay.remove(root, path):
            if path in draft.folders:
                raise entry_not_found(path)
            raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")


def _uncovered(git: pygit2.Repository, commit: pygit2.Oid, root: overlay.Folder, draft: Draft) -> list[str]:
    """The large files that are in the commit and that no .gitattributes rule of it covers.

    HubError 400 when the object of one has been deleted since it was put into the draft.
    """
    found = []
    for path, stored in sorted(draft.large.items()):
        if overlay.blob_at(root, path) is None:
            continue  # put in and taken out again
        if not stored.exists():
            raise HubError(400, f"The large file {path!r} was deleted from this repository meanwhile.")
        if not attributes.is_large(git, commit, path):
            found.append(path)
    return found


def _append_rules(git: pygit2.Repository, root: overlay.Folder, paths: list[str]) -> None:
    there = overlay.blob_at(root, attributes.FILE)
    old = trees.blob(git, str(there)) if there else b""
    if old and not old.endswith(b"\n"):
        old += b"\n"
    new = old + "".join(attributes.rule(path) for path in paths).encode()
    overlay.put(root, attributes.FILE, git.create_blob(new))


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
        new = write(git, draft, parent, stamp, ref)
        if new != parent:
            refs.move(git, ref, new, parent)
        return str(new)


def is_parent(text: str) -> bool:
    """Whether `text` looks like a commit that a client expects (huggingface_hub's REGEX_COMMIT_OID)."""
    return _PARENT.fullmatch(text) is not None


def check_parent(head: pygit2.Oid, expected: str | None) -> None:
    """HubError 412 unless `expected` is None or names `head`."""
    if expected is not None and not (is_parent(expected) and str(head).startswith(expected.lower())):
        raise HubError(412, refs.STALE)


def first(repo: Repo, author: str) -> None:
    """A new repository's first commit: the Hub's default .gitattributes, and the card of a space."""
    git = repo.git()
    draft = Draft()
    add_file(git, repo, draft, attributes.FILE, attributes.DEFAULT)
    if repo.kind == "space":
        title = json.dumps(repo.id.partition("/")[2])
        card = f"---\ntitle: {title}\nsdk: {repo.sdk}\npinned: false\n---\n"
        add_file(git, repo, draft, "README.md", card.encode())
    with repo.lock():
        refs.move(git, "refs/heads/main", write(git, draft, None, Stamp(author, "initial commit")), None)
