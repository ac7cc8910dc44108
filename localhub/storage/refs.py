"""Moving refs: branches, tags, pull request refs. The caller holds the repository's lock where it says so."""

from __future__ import annotations

import time

import pygit2
from pygit2.enums import ObjectType

from localhub.errors import HubError, revision_not_found
from localhub.storage.repos import Repo
from localhub.storage.trees import resolve

STALE = "The branch was updated since you opened this page. Please refresh and try again."


def signature(name: str, when: int | None = None) -> pygit2.Signature:
    """Author or committer `name`, now or at a given Unix time, in UTC."""
    return pygit2.Signature(name, f"{name}@localhub.invalid", int(time.time()) if when is None else when, 0)


def ref_of(revision: str) -> str:
    """The ref that a commit to `revision` moves: `main` means refs/heads/main, refs/pr/1 means itself."""
    return revision if revision.startswith("refs/") else f"refs/heads/{revision}"


def move(git: pygit2.Repository, ref: str, new: pygit2.Oid, old: pygit2.Oid | None) -> None:
    """Compare-and-swap: point `ref` at `new` if it is still at `old` (None: if it does not exist yet).

    The repository's lock makes this a certainty; the check stays as a second wall. Raises HubError 412.
    """
    current = git.references[ref].target if ref in git.references else None
    if current != old:
        raise HubError(412, STALE)
    git.references.create(ref, new, force=True)


def names(git: pygit2.Repository, prefix: str) -> dict[str, str]:
    """{short name: commit SHA} of the refs under `prefix`, annotated tags peeled."""
    refs = [ref for ref in git.references if ref.startswith(prefix)]
    return {ref[len(prefix) :]: str(git.references[ref].peel(pygit2.Commit).id) for ref in sorted(refs)}


def create_branch(repo: Repo, name: str, start: str) -> None:
    """A new branch at `start`; HubError 409 when it exists, RevisionNotFound when `start` does not."""
    ref = _valid("refs/heads/", name, "branch")
    with repo.lock():
        git = repo.git()
        if ref in git.references:
            raise HubError(409, f"Reference already exists: {ref}")
        _place(git, ref, resolve(git, start).id)


def delete_branch(repo: Repo, name: str) -> None:
    """Remove a branch; HubError 403 for main, RevisionNotFound for one that is not there."""
    if name == "main":
        raise HubError(403, "The main branch cannot be deleted.")
    _delete(repo, _valid("refs/heads/", name, "branch"), name)


def create_tag(repo: Repo, name: str, revision: str, message: str, author: str) -> None:
    """A tag at `revision`, annotated when there is a message; HubError 409 when it exists."""
    ref = _valid("refs/tags/", name, "tag")
    with repo.lock():
        git = repo.git()
        target = resolve(git, revision).id
        if ref in git.references:
            raise HubError(409, f"Tag {name} already exists.")
        if message:
            git.create_tag(name, target, ObjectType.COMMIT, signature(author), message)
        else:
            _place(git, ref, target)


def delete_tag(repo: Repo, name: str) -> None:
    """Remove a tag; HubError RevisionNotFound when it is not there."""
    _delete(repo, _valid("refs/tags/", name, "tag"), name)


def _valid(prefix: str, name: str, what: str) -> str:
    if not name or len(name) > 200 or not pygit2.reference_is_valid_name(prefix + name) or "\\" in name:
        raise HubError(400, f"Invalid {what} name: {name[:200]!r}.")
    return prefix + name


def _place(git: pygit2.Repository, ref: str, target: pygit2.Oid) -> None:
    try:
        git.references.create(ref, target)
    except (ValueError, pygit2.GitError) as error:  # `a` exists and `a/b` is asked for, or the reverse
        raise HubError(409, f"{ref} cannot be created beside another reference: {error}") from error


def _delete(repo: Repo, ref: str, name: str) -> None:
    with repo.lock():
        git = repo.git()
        if ref not in git.references:
            raise revision_not_found(name)
        git.references.delete(ref)
