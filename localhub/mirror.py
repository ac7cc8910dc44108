"""Put a folder into a Hub's storage as a public model, as if it had always been there.

An adapter's card and snippet name a base model; a rehearsal Hub should have it. The commit's author and date
are fixed, so the same bytes give the same SHA on every machine and after every wipe.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from uuid import uuid4

import pygit2

from localhub.errors import HubError
from localhub.names import check_path
from localhub.storage import attributes, commits, lfs, refs, repos, trees
from localhub.storage.disk import is_full
from localhub.storage.repos import Repo

AUTHOR = "localhub"
WHEN = 1_577_836_800  # 2020-01-01T00:00:00Z
SKIPPED = {".git", ".cache", "__pycache__"}
SAMPLE = 8192  # bytes looked at to tell text from binary
MAIN = "refs/heads/main"


def add(data: Path, repo_id: str, folder: Path, message: str, known_as: str | None = None) -> str:
    """Make `folder` the content of the public model `repo_id` of the Hub in `data`; the commit's SHA.

    `known_as` is the commit that the folder came from elsewhere: a tag of that name makes a snippet that asks
    for it work here too.

    Nothing is written when main holds these files already. A repository that this function made is replaced
    by a commit without parent (older commits stay readable by SHA); one that somebody else made gets a commit
    on top. Safe beside a live server. Raises HubError for an impossible id or file name, OSError for the
    disk.
    """
    data, folder = Path(data), Path(folder)
    namespace, _, name = repo_id.partition("/")
    repos.prepare(data)
    try:
        repo = _repository(data, namespace, name)
        commit = _add(data, repo, folder, message)
        if known_as:
            _tag(repo, known_as, commit)
        return commit
    except pygit2.GitError as error:
        if is_full(error, data):
            raise OSError(errno.ENOSPC, f"No space left to mirror {repo_id}", str(data)) from error
        raise


def _tag(repo: Repo, name: str, commit: str) -> None:
    git, ref = repo.git(), f"refs/tags/{name}"
    with repo.lock():
        if ref not in git.references or str(git.references[ref].target) != commit:
            git.references.create(ref, commit, force=True)


def _add(data: Path, repo: Repo, folder: Path, message: str) -> str:
    git = repo.git()
    with repo.lock():
        head = trees.resolve(git, MAIN).id if MAIN in git.references else None
        # Building the tree would touch the stored objects even if it came out the same.
        if head is not None and _holds(git, git[head].peel(pygit2.Commit), _files(folder)):
            return str(head)
        parent = None if repo.mirror else head
        draft = _draft(data, repo, git, folder)
        new = _commit(git, draft, parent, head, commits.Stamp(AUTHOR, message, WHEN))
        if head is not None and git[new].peel(pygit2.Tree).id == git[head].peel(pygit2.Tree).id:
            return str(head)
        refs.move(git, MAIN, new, head)
        return str(new)


def _holds(git: pygit2.Repository, head: pygit2.Commit, files: dict[str, Path]) -> bool:
    """Whether a commit holds just these files; read only. The Hub's own .gitattributes may stand beside."""
    held = {e.path: e for e in trees.listing(git, head, recursive=True) if e.kind == "file"}
    if held.keys() - {attributes.FILE} != files.keys() - {attributes.FILE}:
        return False
    return all(_digest(source, bool(held[path].lfs)) == held[path].etag for path, source in files.items())


def _digest(source: Path, large: bool) -> str:
    if not large:
        return str(pygit2.hashfile(str(source)))
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _repository(data: Path, namespace: str, name: str) -> Repo:
    try:
        return repos.find(data, "model", namespace, name) or repos.create(
            data, "model", namespace, name, private=False, fill=_nothing, mirror=True
        )
    except HubError as error:
        if error.status != 409:
            raise
        return repos.find(data, "model", namespace, name) or _vanished(namespace, name)


def _nothing(_: Repo) -> None:
    """A mirror has no first commit of its own: its only commit is the folder's."""


def _vanished(namespace: str, name: str) -> Repo:
    raise HubError(409, f"{namespace}/{name} is being created and deleted at the same time; try again.")


def _draft(data: Path, repo: Repo, git: pygit2.Repository, folder: Path) -> commits.Draft:
    files = _files(folder)
    if not files:
        raise HubError(400, f"{folder} holds no file to mirror.")
    draft = commits.Draft()
    if attributes.FILE not in files:
        commits.add_file(git, repo, draft, attributes.FILE, attributes.DEFAULT)
    small = {path: source for path, source in files.items() if not _is_large(source)}
    for path, source in small.items():
        commits.add_file(git, repo, draft, path, source.read_bytes())
    # the folder's own rules decide about the rest of its small files, and they are in the draft now
    probe = commits.write(git, draft, None, commits.Stamp(AUTHOR, "probe", WHEN))
    for path, source in files.items():
        if path not in small or (source.stat().st_size and attributes.is_large(git, probe, path)):
            oid, size = _store(data, repo, source)
            commits.add_large(git, repo, draft, path, oid, size)
    return draft


def _files(folder: Path) -> dict[str, Path]:
    """{path in the repository: file}, sorted; links are followed (a Hub cache's snapshot is made of them)."""
    found: dict[str, Path] = {}
    for base, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(set(folders) - SKIPPED)
        for name in names:
            source = Path(base, name)
            if source.is_file():
                found[check_path(source.relative_to(folder).as_posix())] = source
    return dict(sorted(found.items()))


def _is_large(source: Path) -> bool:
    """By size and content. The text of a pointer too: as a regular file it would stand for another."""
    if source.stat().st_size >= attributes.LARGE:
        return True
    with source.open("rb") as file:
        sample = file.read(SAMPLE)
    return attributes.looks_binary(sample) or lfs.parse_pointer(sample) is not None


def _store(data: Path, repo: Repo, source: Path) -> tuple[str, int]:
    """Copy a file into the repository's large files; (SHA-256, bytes). The copy is what is hashed."""
    oid = _digest(source, large=True)
    size = source.stat().st_size
    if lfs.size_of(repo.path, oid) == size:
        return oid, size
    temporary = data / "tmp" / uuid4().hex
    try:
        shutil.copyfile(source, temporary)
        if _digest(temporary, large=True) != oid:
            raise HubError(409, f"{source} changed while it was being copied; try again.")
        lfs.adopt(repo.path, oid, temporary)
    finally:
        temporary.unlink(missing_ok=True)
    return oid, size


def _commit(
    git: pygit2.Repository,
    draft: commits.Draft,
    parent: pygit2.Oid | None,
    head: pygit2.Oid | None,
    stamp: commits.Stamp,
) -> pygit2.Oid:
    """The commit for the draft: without parent, or on top of `parent` less what is not in the draft."""
    if parent is not None:
        commit = git[parent].peel(pygit2.Commit)
        kept = [entry.path for entry in trees.listing(git, commit, recursive=True) if entry.kind == "file"]
        new = {path for path, _ in draft.operations}
        draft.operations[:0] = [(path, None) for path in kept if path not in new]
    return commits.write(git, draft, parent, stamp)
