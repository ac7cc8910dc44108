"""What a pull request changes, what stands in its way, and putting it into its branch."""

from __future__ import annotations

import pygit2

from localhub.errors import HubError
from localhub.storage import commits, refs
from localhub.storage.repos import Repo
from localhub.storage.stories import Discussion
from localhub.storage.trees import resolve

MAX_PATCH = 20_000_000  # characters; whole files are left out beyond it
MAX_NAMED = 20  # conflicting files that the refusal of a merge names


def patch(repo: Repo, item: Discussion) -> str:
    """The diff of a pull request against where it left its base, as `git diff` writes it.

    A large file is its pointer. RevisionNotFound when its branch or its base is gone.
    """
    git = repo.git()
    theirs = resolve(git, f"refs/pr/{item['num']}")
    start = resolve(git, item["changes"]["start"]) if item["status"] == "merged" else _sides(git, item)[0]
    diff = git.diff(start, theirs)
    diff.find_similar()
    parts: list[str] = []
    length = 0
    for change in diff:
        text = _text(change)
        length += len(text)
        if length > MAX_PATCH:
            break
        parts.append(text)
    return "".join(parts)


def _text(change: pygit2.Patch | None) -> str:
    return (change.data if change else b"").decode(errors="replace")


def conflicts(repo: Repo, item: Discussion) -> list[str]:
    """The files in which an open pull request and its base cannot be put together, by name."""
    if item["status"] not in ("open", "draft"):
        return []
    git = repo.git()
    base, ours, theirs = _sides(git, item)
    return _conflicting(git.merge_trees(base.tree, ours.tree, theirs.tree))


def _conflicting(index: pygit2.Index) -> list[str]:
    found = {side.path for conflict in index.conflicts or () for side in conflict if side is not None}
    return sorted(found)


def _sides(git: pygit2.Repository, item: Discussion) -> tuple[pygit2.Commit, pygit2.Commit, pygit2.Commit]:
    """(common ancestor, base branch head, pull request head)."""
    ours = resolve(git, item["changes"]["base"])
    theirs = resolve(git, f"refs/pr/{item['num']}")
    ancestor = git.merge_base(ours.id, theirs.id)
    return resolve(git, str(ancestor or item["changes"]["start"])), ours, theirs


def into_base(repo: Repo, item: Discussion, author: str) -> str:
    """Put a pull request into its base as one commit, whose SHA is returned; the caller holds the lock.

    HubError 409 when there are conflicts. What changes nothing makes no commit: the base's head is returned.
    The Hub makes one commit too, and its message lists those of the pull request.
    """
    git = repo.git()
    base, ours, theirs = _sides(git, item)
    index = git.merge_trees(base.tree, ours.tree, theirs.tree)
    if index.conflicts is not None:
        raise HubError(409, f"This pull request has conflicts in {_named(_conflicting(index))}.")
    tree = index.write_tree(git)
    if tree == ours.tree.id:
        return str(ours.id)
    story = [event["data"] for event in item["events"] if event["type"] == "commit"]
    lines = [f"- {commit['subject']} ({commit['oid']})" for commit in story]
    message = "\n".join([f"{item['title']} (#{item['num']})", "", *lines]).strip()
    stamp = commits.Stamp(author, message).signature
    new = git.create_commit(None, stamp, stamp, message, tree, [ours.id])
    refs.move(git, item["changes"]["base"], new, ours.id)
    return str(new)


def _named(paths: list[str]) -> str:
    more = f" and {len(paths) - MAX_NAMED} more files" if len(paths) > MAX_NAMED else ""
    return ", ".join(paths[:MAX_NAMED]) + more
