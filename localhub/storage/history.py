"""History as a whole: one commit made of many, and large files taken out of every commit.

A squash is one ref move. Taking files out moves the refs one after the other and removes the objects last: a
process killed in between leaves every ref readable, and doing it again finishes the job.
"""

from __future__ import annotations

from collections.abc import Iterator

import pygit2
from pygit2.enums import ObjectType, SortMode

from localhub.errors import HubError
from localhub.storage import commits, lfs, refs, stories
from localhub.storage.repos import Repo
from localhub.storage.trees import resolve


def squash(repo: Repo, revision: str, stamp: commits.Stamp) -> str:
    """Put one commit without parent, with the files of now, in the place of a branch's history; its SHA.

    Any ref that commits can go to will do, also refs/pr/N and refs/convert/parquet. Raises HubError 400 for a
    tag or a commit, RevisionNotFound for an unknown name.
    """
    with repo.lock():
        git, ref = repo.git(), refs.ref_of(revision)
        if ref not in refs.existing(git) or not ref.startswith(refs.MOVABLE):
            resolve(git, revision)  # 404 for an unknown name, as everywhere
            raise HubError(400, f"Invalid reference for a branch: {revision}. Only branches can be squashed.")
        head = resolve(git, ref)
        new = git.create_commit(None, stamp.signature, stamp.signature, stamp.message, head.tree.id, [])
        refs.move(git, ref, new, head.id)
        return str(new)


def large_files(git: pygit2.Repository) -> dict[str, tuple[str, str]]:
    """{SHA-256: (path, ref)} of the large files of all commits: the newest name, main's before others'."""
    found: dict[str, tuple[str, str]] = {}
    seen: set[pygit2.Oid] = set()
    done: list[pygit2.Oid] = []
    for ref in sorted(refs.existing(git), key=lambda ref: (ref != "refs/heads/main", ref)):
        tip = git.references[ref].peel(pygit2.Commit).id
        walker = git.walk(tip, SortMode.TOPOLOGICAL)
        for other in done:
            walker.hide(other)
        for commit in walker:
            for path, oid in _pointers(git, commit.tree, "", seen):
                found.setdefault(oid, (path, ref))
        done.append(tip)
    return found


def _pointers(
    git: pygit2.Repository, tree: pygit2.Tree, prefix: str, seen: set[pygit2.Oid]
) -> Iterator[tuple[str, str]]:
    """(path, SHA-256) of the large files in the parts of a tree that were not seen before."""
    if tree.id in seen:
        return
    seen.add(tree.id)
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _pointers(git, entry, f"{prefix}{entry.name}/", seen)
        elif entry.type == ObjectType.BLOB and entry.id not in seen:
            seen.add(entry.id)
            pointer = _pointer(git, entry.id)
            if pointer:
                yield f"{prefix}{entry.name}", pointer.oid


def _pointer(git: pygit2.Repository, blob: pygit2.Oid) -> lfs.Pointer | None:
    if git.odb.read_header(blob)[1] > lfs.MAX_POINTER:
        return None
    return lfs.parse_pointer(git.odb.read(blob)[1])


def delete_large_files(repo: Repo, doomed: set[str], rewrite: bool) -> None:
    """Remove objects by their SHA-256 for good; with `rewrite`, also every mention of them in all commits.

    Without it their pointers stay behind and downloads of them fail. Unknown objects are passed over.
    """
    with repo.lock():
        if rewrite:
            stories.rename_commits(repo, _rewrite(repo.git(), doomed))
        for oid in doomed:
            lfs.object_path(repo.path, oid).unlink(missing_ok=True)


def _rewrite(git: pygit2.Repository, doomed: set[str]) -> dict[str, str]:
    """{old SHA: new SHA} of the commits that change, when all refs lead to history without these objects."""
    tips = {ref: git.references[ref].peel(pygit2.Commit).id for ref in refs.existing(git)}
    renamed: dict[str, str] = {}
    trees: dict[pygit2.Oid, pygit2.Oid | None] = {}
    walker = git.walk(None, SortMode.TOPOLOGICAL | SortMode.REVERSE)
    for tip in set(tips.values()):
        walker.push(tip)
    for old in walker:
        tree = _without(git, old.tree, doomed, trees) or git.TreeBuilder().write()
        parents = [renamed.get(str(parent), str(parent)) for parent in old.parent_ids]
        if tree != old.tree.id or parents != [str(parent) for parent in old.parent_ids]:
            renamed[str(old.id)] = _again(git, old.id, str(tree), parents)
    for ref, tip in tips.items():
        if str(tip) in renamed:
            _repoint(git, ref, renamed[str(tip)])
    return renamed


def _without(
    git: pygit2.Repository,
    tree: pygit2.Tree,
    doomed: set[str],
    known: dict[pygit2.Oid, pygit2.Oid | None],
) -> pygit2.Oid | None:
    """The tree less the pointers to these objects; None when nothing else was in it."""
    if tree.id not in known:
        builder = git.TreeBuilder(tree)
        for entry in tree:
            name, kept = str(entry.name), _kept(git, entry, doomed, known)
            if kept is None:
                builder.remove(name)
            elif kept != entry.id:
                builder.insert(name, kept, entry.filemode)
        known[tree.id] = builder.write() if len(builder) else None
    return known[tree.id]


def _kept(
    git: pygit2.Repository,
    entry: pygit2.Object,
    doomed: set[str],
    known: dict[pygit2.Oid, pygit2.Oid | None],
) -> pygit2.Oid | None:
    if isinstance(entry, pygit2.Tree):
        return _without(git, entry, doomed, known)
    if entry.type == ObjectType.BLOB and entry.id not in known:
        pointer = _pointer(git, entry.id)
        known[entry.id] = None if pointer and pointer.oid in doomed else entry.id
    return known.get(entry.id, entry.id)


def _again(git: pygit2.Repository, old: pygit2.Oid, tree: str, parents: list[str]) -> str:
    """The commit with another tree and other parents; every other byte of it stays."""
    head, _, message = git.odb.read(old)[1].partition(b"\n\n")
    rest = [line for line in head.split(b"\n") if not line.startswith((b"tree ", b"parent "))]
    lines = [f"tree {tree}".encode(), *(f"parent {parent}".encode() for parent in parents), *rest]
    return str(git.odb.write(ObjectType.COMMIT, b"\n".join(lines) + b"\n\n" + message))


def _repoint(git: pygit2.Repository, ref: str, commit: str) -> None:
    """Move a ref to a rewritten commit. An annotated tag becomes the same tag of that commit."""
    target = git.references[ref].target
    new = pygit2.Oid(hex=commit)
    if git[target].type == ObjectType.TAG:
        _, newline, rest = git.odb.read(target)[1].partition(b"\n")
        new = git.odb.write(ObjectType.TAG, f"object {commit}".encode() + newline + rest)
    refs.move(git, ref, new, pygit2.Oid(hex=str(target)))
