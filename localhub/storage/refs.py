"""Moving refs: branches, tags, pull request refs. The caller holds the repository's lock where it says so."""

from __future__ import annotations

import time

import pygit2
from pygit2.enums import ObjectType

from localhub.errors import HubError, revision_not_found
from localhub.names import is_sha
from localhub.storage.repos import Repo
from localhub.storage.trees import has_ref, resolve

MOVABLE = ("refs/heads/", "refs/pr/", "refs/convert/")  # what commits go to; a tag stays where it is
MAX_REFS = 10_000
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


def existing(git: pygit2.Repository) -> list[str]:
    """The full names of all refs, HEAD not among them."""
    return [ref for ref in git.references if ref.startswith("refs/")]


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
            raise HubError(409, f"Reference {ref} already exists")
        target = resolve(git, start).id
        _check_room(git, ref)
        git.references.create(ref, target)


def delete_branch(repo: Repo, name: str) -> None:
    """Remove a branch; HubError 403 for main, RevisionNotFound for one that is not there."""
    if name == "main":
        raise HubError(403, "Cannot delete refs/heads/main: it is the default branch")
    _delete(repo, "refs/heads/", name)


def create_tag(repo: Repo, name: str, revision: str, message: str, author: str) -> None:
    """A tag at `revision`, annotated when there is a message; HubError 409 when it exists.

    Raises RevisionNotFound, before it looks at the name, as the Hub does.
    """
    with repo.lock():
        git = repo.git()
        target = resolve(git, revision).id
        ref = _valid("refs/tags/", name, "tag")
        if ref in git.references:
            raise HubError(409, "Tag reference exists already")
        _check_room(git, ref)
        if message:
            git.create_tag(name, target, ObjectType.COMMIT, signature(author), message)
        else:
            git.references.create(ref, target)


def delete_tag(repo: Repo, name: str) -> None:
    """Remove a tag; HubError RevisionNotFound when it is not there."""
    _delete(repo, "refs/tags/", name)


def _valid(prefix: str, name: str, what: str) -> str:
    """The full name of a new ref. `refs/...` and what looks like a commit are no names for one."""
    ref = prefix + name
    taken = name.startswith("refs/") or (len(name) == 40 and is_sha(name.lower()))
    if taken or not 0 < len(name.encode()) <= 200 or "\\" in name or not pygit2.reference_is_valid_name(ref):
        raise HubError(400, f"Invalid reference for a {what}: {name[:200]}")
    return ref


def _check_room(git: pygit2.Repository, ref: str) -> None:
    """HubError 409 when `a` exists and `a/b` is asked for, or the reverse: git keeps refs as files."""
    if len(existing(git)) >= MAX_REFS:
        raise HubError(413, f"A repository has at most {MAX_REFS} branches, tags and pull requests.")
    parts = ref.split("/")
    above = ["/".join(parts[:end]) for end in range(3, len(parts))]
    beside = next((known for known in git.references if known in above or known.startswith(f"{ref}/")), None)
    if beside:
        raise HubError(409, f"Reference {ref} cannot exist beside {beside}")


def _delete(repo: Repo, prefix: str, name: str) -> None:
    with repo.lock():
        git, ref = repo.git(), prefix + name
        if not has_ref(git, ref):
            raise revision_not_found(name)
        git.references.delete(ref)
