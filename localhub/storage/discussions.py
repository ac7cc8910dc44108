"""Discussions and pull requests: one JSON file a repository, and the refs `refs/pr/N` in its git.

The dictionaries kept here are the ones that the API answers (`huggingface_hub/community.py` reads them).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pygit2

from localhub.errors import HubError
from localhub.storage import commits, refs
from localhub.storage.disk import read_json, write_json
from localhub.storage.repos import Repo
from localhub.storage.trees import resolve

Discussion = dict[str, Any]
Event = dict[str, Any]


def now() -> str:
    """The present as the Hub writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def every(repo: Repo) -> list[Discussion]:
    """All discussions and pull requests of a repository, oldest first."""
    try:
        found: list[Discussion] = read_json(repo.path / "discussions.json")
        return found
    except FileNotFoundError:
        return []


def get(repo: Repo, num: int) -> Discussion:
    """Discussion number `num`; HubError 404."""
    for discussion in every(repo):
        if discussion["num"] == num:
            return discussion
    raise HubError(404, f"Discussion {num} not found")


def _save(repo: Repo, changed: Discussion) -> None:
    """Store one discussion; the caller holds the lock."""
    others = [discussion for discussion in every(repo) if discussion["num"] != changed["num"]]
    write_json(repo.path / "discussions.json", sorted([*others, changed], key=lambda item: int(item["num"])))


def _event(author: str, kind: str, data: dict[str, Any]) -> Event:
    return {
        "id": uuid4().hex[:24],
        "type": kind,
        "createdAt": now(),
        "author": {"name": author},
        "data": data,
    }


def _comment(author: str, text: str) -> Event:
    latest = {"raw": text, "html": "", "updatedAt": now(), "author": {"name": author}}
    return _event(author, "comment", {"edited": False, "hidden": False, "latest": latest, "history": []})


def open_new(
    repo: Repo, author: str, title: str, description: str, status: str, base: str | None = None
) -> Discussion:
    """Open a discussion, or (with `base`, a branch) a pull request whose ref starts at that branch's head.

    `status` is "open" or "draft". The caller holds the lock.
    """
    discussion: Discussion = {
        "num": _next_number(repo),
        "title": title,
        "status": status,
        "author": {"name": author},
        "createdAt": now(),
        "isPullRequest": base is not None,
        "events": [_comment(author, description)] if description else [],
    }
    if base is not None:
        git = repo.git()
        start = resolve(git, base).id
        refs.move(git, f"refs/pr/{discussion['num']}", start, None)
        discussion["changes"] = {"base": refs.ref_of(base), "start": str(start)}
    _save(repo, discussion)
    return discussion


def _next_number(repo: Repo) -> int:
    """Past every discussion and every ref: a killed process may have left a ref without its story."""
    taken = [int(item["num"]) for item in every(repo)]
    taken += [int(name) for name in refs.names(repo.git(), "refs/pr/") if name.isdigit()]
    return max(taken, default=0) + 1


def add_commit_event(repo: Repo, num: int, author: str, sha: str, subject: str) -> None:
    """Note a commit in a pull request's story."""
    with repo.lock():
        discussion = get(repo, num)
        discussion["events"].append(_event(author, "commit", {"oid": sha, "subject": subject}))
        _save(repo, discussion)


def comment(repo: Repo, num: int, author: str, text: str) -> Event:
    """Add a comment and return its event; HubError 400 when it is empty."""
    if not text.strip():
        raise HubError(400, "A comment cannot be empty.")
    return _append(repo, num, _comment(author, text))


def retitle(repo: Repo, num: int, author: str, title: str) -> Event:
    """Change the title and return the event."""
    if not title.strip():
        raise HubError(400, "A title cannot be empty.")
    event = _event(author, "title-change", {"from": get(repo, num)["title"], "to": title})
    return _append(repo, num, event, title=title)


def set_status(repo: Repo, num: int, author: str, status: str, text: str) -> Event:
    """Open or close, with an optional comment; HubError 400 for a merged pull request or another status."""
    if status not in ("open", "closed"):
        raise HubError(400, f"Invalid status {status[:40]!r}: use 'open' or 'closed'.")
    if text.strip():
        comment(repo, num, author, text)
    return _append(repo, num, _event(author, "status-change", {"status": status}), status=status)


def _append(repo: Repo, num: int, event: Event, **changes: str) -> Event:
    with repo.lock():
        discussion = get(repo, num)
        if "status" in changes and discussion["status"] == "merged":
            raise HubError(400, "This pull request is already merged.")
        discussion["events"].append(event)
        _save(repo, discussion | changes)
    return event


def merge(repo: Repo, num: int, author: str, text: str) -> str:
    """Merge a pull request into its base as one commit and return that commit's SHA.

    Raises HubError 400 (not a pull request, or not open) and 409 (conflicts). The Hub squashes too: the
    message lists the commits. A kill between the two writes leaves a merged branch and an open request:
    merging again then finds nothing to change and only closes the story.
    """
    with repo.lock():
        discussion = get(repo, num)
        if discussion["status"] != "open":
            state = discussion["status"] if discussion["isPullRequest"] else "a discussion"
            raise HubError(400, f"Only an open pull request can be merged; this one is {state}.")
        if text.strip():
            discussion["events"].append(_comment(author, text))
        sha = _merge_ref(repo, discussion, author)
        discussion["events"].append(
            _event(author, "status-change", {"status": "merged", "mergeCommitId": sha})
        )
        discussion["changes"]["mergeCommitId"] = sha
        _save(repo, discussion | {"status": "merged"})
    return sha


def _merge_ref(repo: Repo, discussion: Discussion, author: str) -> str:
    git = repo.git()
    base, ours, theirs = _sides(git, discussion)
    index = git.merge_trees(base.tree, ours.tree, theirs.tree)
    if index.conflicts is not None:
        raise HubError(409, f"This pull request has conflicts in {', '.join(_conflicts(index))}.")
    tree = index.write_tree(git)
    if tree == ours.tree.id:
        return str(ours.id)
    story = [event["data"] for event in discussion["events"] if event["type"] == "commit"]
    lines = [f"- {item['subject']} ({item['oid']})" for item in story]
    message = "\n".join([f"{discussion['title']} (#{discussion['num']})", "", *lines]).strip()
    stamp = commits.Stamp(author, message).signature
    new = git.create_commit(None, stamp, stamp, message, tree, [ours.id])
    refs.move(git, discussion["changes"]["base"], new, ours.id)
    return str(new)


def _sides(
    git: pygit2.Repository, discussion: Discussion
) -> tuple[pygit2.Commit, pygit2.Commit, pygit2.Commit]:
    """(common ancestor, base branch head, pull request head)."""
    ours = resolve(git, discussion["changes"]["base"])
    theirs = resolve(git, f"refs/pr/{discussion['num']}")
    ancestor = git.merge_base(ours.id, theirs.id)
    return resolve(git, str(ancestor or discussion["changes"]["start"])), ours, theirs


def _conflicts(index: pygit2.Index) -> list[str]:
    found = {side.path for conflict in index.conflicts or () for side in conflict if side is not None}
    return sorted(found)


def state_of_merge(repo: Repo, discussion: Discussion) -> tuple[str, list[str]]:
    """(unified diff of a pull request against where it left its base, files that conflict with the base)."""
    git = repo.git()
    base, ours, theirs = _sides(git, discussion)
    if discussion["status"] == "merged":
        base = resolve(git, discussion["changes"]["start"])
    patch = git.diff(base, theirs).patch or ""
    if discussion["status"] not in ("open", "draft"):
        return patch, []
    index = git.merge_trees(base.tree, ours.tree, theirs.tree)
    return patch, _conflicts(index) if index.conflicts is not None else []


def commit_pull_request(
    repo: Repo,
    git: pygit2.Repository,
    base: str,
    draft: commits.Draft,
    author: str,
    title: str,
    text: str,
    expected: str | None,
) -> tuple[int, str]:
    """Open a pull request that holds `draft`: (number, commit SHA). HubError 412 if the base moved on."""
    with repo.lock():
        parent = resolve(git, refs.ref_of(base)).id
        commits.check_parent(parent, expected)
        message = f"{title}\n\n{text}".strip()
        new = commits.write(git, draft, parent, commits.Stamp(author, message))
        num = int(open_new(repo, author, title, text, "open", base)["num"])
        if new != parent:
            refs.move(git, f"refs/pr/{num}", new, parent)
    if new != parent:
        add_commit_event(repo, num, author, str(new), title)
    return num, str(new)
