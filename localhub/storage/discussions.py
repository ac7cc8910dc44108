"""Discussions and pull requests: what can happen to them. Where they are kept: `stories`; git: `merging`.

The dictionaries are the ones that the API answers (`huggingface_hub/community.py` reads them). The commits of
a pull request are the ref `refs/pr/N`. Every change is made under the repository's lock, from what is on disk
then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pygit2

from localhub.errors import HubError, revision_not_found
from localhub.storage import commits, merging, refs, stories
from localhub.storage.merging import conflicts, patch
from localhub.storage.repos import Repo
from localhub.storage.stories import Discussion, numbers
from localhub.storage.stories import read as get
from localhub.storage.trees import resolve

__all__ = ["Discussion", "conflicts", "get", "numbers", "patch"]

Event = dict[str, Any]
HIDDEN = "This comment has been hidden"
MAX_EDITS = 100  # of one comment: all of its versions are kept
MAX_DISCUSSIONS = 10_000
MAX_TITLE = 200
MIN_TITLE = 3


def now() -> str:
    """The present as the Hub writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def every(repo: Repo) -> list[Discussion]:
    """All discussions and pull requests without their events (`comments` counts them), oldest first.

    What they hold is remembered, and not to be changed.
    """
    return [stories.outline(repo, num) for num in numbers(repo)]


@contextmanager
def _rewriting(repo: Repo, num: int) -> Iterator[Discussion]:
    """Discussion number `num` as it is now; what is done to it is saved, unless an exception ends it."""
    with repo.lock():
        discussion = get(repo, num)
        yield discussion
        stories.save(repo, discussion)


def _event(author: str, kind: str, data: dict[str, Any]) -> Event:
    return {
        "id": uuid4().hex[:24],
        "type": kind,
        "createdAt": now(),
        "author": {"name": author},
        "data": data,
    }


def _version(author: str, text: str, html: str) -> dict[str, Any]:
    return {"raw": text, "html": html, "updatedAt": now(), "author": {"name": author}}


def _comment(author: str, text: str, html: str = "") -> Event:
    if not text.strip():
        raise HubError(400, "A comment cannot be empty.")
    latest = _version(author, text, html)
    return _event(author, "comment", {"edited": False, "hidden": False, "latest": latest, "history": []})


def checked_title(title: str) -> str:
    """A title on one line; HubError 400 unless it has 3 to 200 characters."""
    line = _one_line(title)
    if not MIN_TITLE <= len(line) <= MAX_TITLE:
        raise HubError(400, f"A title must have {MIN_TITLE} to {MAX_TITLE} characters; this has {len(line)}.")
    return line


def _one_line(text: str) -> str:
    """Control characters would end a commit message, or dress it up in a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def open_new(
    repo: Repo,
    author: str,
    title: str,
    description: str,
    status: str,
    base: str | None = None,
    html: str = "",
) -> Discussion:
    """Open a discussion, or (with `base`, a branch) a pull request whose ref starts at that branch's head.

    `status` is "open" or "draft"; `html` is the description as it is shown. The caller holds the lock.
    """
    git = repo.git()
    discussion = _new(repo, git, author, title, status, _said(author, description, html))
    if base is None:
        stories.save(repo, discussion)
    else:
        start = resolve(git, refs.ref_of(base)).id
        _propose(repo, git, discussion, base, start, start)
    return discussion


def _new(
    repo: Repo, git: pygit2.Repository, author: str, title: str, status: str, events: list[Event]
) -> Discussion:
    return {
        "num": _next_number(repo, git),
        "title": _one_line(title)[:MAX_TITLE],
        "status": status,
        "author": {"name": author},
        "createdAt": now(),
        "isPullRequest": False,
        "events": events,
    }


def _propose(
    repo: Repo, git: pygit2.Repository, item: Discussion, base: str, start: pygit2.Oid, head: pygit2.Oid
) -> None:
    """Store a discussion as a pull request of `head`, which left the branch `base` at `start`.

    It is there once its story is: a ref without one counts for nothing.
    """
    item |= {"isPullRequest": True, "changes": {"base": refs.ref_of(base), "start": str(start)}}
    ref = git.references.create(_ref(item["num"]), head)
    try:
        stories.save(repo, item)
    except BaseException:
        with suppress(pygit2.GitError):
            ref.delete()
        raise


def _next_number(repo: Repo, git: pygit2.Repository) -> int:
    """One that is free: a ref of it, which a killed process left without its story, is taken away."""
    num = max(numbers(repo), default=0) + 1
    if num > MAX_DISCUSSIONS:
        raise HubError(413, f"A repository has at most {MAX_DISCUSSIONS} discussions and pull requests.")
    with suppress(KeyError):
        git.references.delete(_ref(num))
    return num


def _ref(num: int) -> str:
    return f"refs/pr/{num}"


def request_refs(repo: Repo, git: pygit2.Repository) -> dict[str, str]:
    """{number: commit SHA} of the pull requests."""
    known = set(map(str, numbers(repo)))
    return {num: sha for num, sha in refs.names(git, "refs/pr/").items() if num in known}


def add_commit_event(repo: Repo, num: int, author: str, sha: str, subject: str) -> None:
    """Note a commit in a pull request's story."""
    with repo.lock():
        stories.append(repo, num, [_commit_event(author, sha, subject)])


def _commit_event(author: str, sha: str, subject: str) -> Event:
    return _event(author, "commit", {"oid": sha, "subject": _one_line(subject)})


def comment(repo: Repo, num: int, author: str, text: str, html: str = "") -> Event:
    """Add a comment and return its event; HubError 400 when it is empty."""
    event = _comment(author, text, html)
    with repo.lock():
        stories.append(repo, num, [event])
    return event


def comment_of(discussion: Discussion, comment_id: str) -> Event:
    """A comment by its id; HubError 404."""
    for event in discussion["events"]:
        if event["id"] == comment_id and event["type"] == "comment":
            found: Event = event
            return found
    raise HubError(404, f"Comment {comment_id[:40]} not found")


def edit(repo: Repo, num: int, author: str, comment_id: str, text: str, html: str) -> Event:
    """Give a comment another text and return its event; the earlier ones stay in its history.

    HubError 404 (no such comment) or 400 (empty, hidden, or edited too often).
    """
    if not text.strip():
        raise HubError(400, "A comment cannot be empty.")
    with _rewriting(repo, num) as discussion:
        event = comment_of(discussion, comment_id)
        data = event["data"]
        if data["hidden"]:
            raise HubError(400, "A hidden comment cannot be edited.")
        if len(data["history"]) >= MAX_EDITS:
            raise HubError(400, f"A comment can be edited {MAX_EDITS} times.")
        data["history"].append(data["latest"])
        data |= {"edited": True, "latest": _version(author, text, html)}
    return event


def hide(repo: Repo, num: int, author: str, comment_id: str) -> Event:
    """Hide a comment and return its event. Its text and all earlier ones are gone, as on the Hub."""
    with _rewriting(repo, num) as discussion:
        event = comment_of(discussion, comment_id)
        if not event["data"]["hidden"]:
            latest = _version(author, HIDDEN, HIDDEN)
            event["data"] |= {"hidden": True, "hiddenBy": author, "latest": latest, "history": []}
    return event


def retitle(repo: Repo, num: int, author: str, title: str) -> Event:
    """Change the title and return the event."""
    new = checked_title(title)
    with repo.lock():
        data = {"from": stories.outline(repo, num)["title"], "to": new}
        event = _event(author, "title-change", data)
        stories.append(repo, num, [event], title=new)
    return event


def set_status(repo: Repo, num: int, author: str, status: str, text: str, html: str = "") -> Event:
    """Open or close, with an optional comment; HubError 400 for a merged pull request or another status."""
    if status not in ("open", "closed"):
        raise HubError(400, f"Invalid status {status[:40]!r}: use 'open' or 'closed'.")
    event = _event(author, "status-change", {"status": status})
    with repo.lock():
        if stories.outline(repo, num)["status"] == "merged":
            raise HubError(400, "This pull request is already merged.")
        stories.append(repo, num, [*_said(author, text, html), event], status=status)
    return event


def _said(author: str, text: str, html: str) -> list[Event]:
    """The comment that goes with a change, if there is one."""
    return [_comment(author, text, html)] if text.strip() else []


def merge(repo: Repo, num: int, author: str, text: str, html: str = "") -> str:
    """Merge a pull request into its base as one commit and return that commit's SHA.

    Raises HubError 400 (not a pull request, or not open) and 409 (conflicts). A kill between the two writes
    leaves a merged branch and an open request: merging again finds nothing to change and closes the story.
    """
    with repo.lock():
        discussion = get(repo, num)
        _check_open(discussion)
        sha = merging.into_base(repo, discussion, author)
        done = _event(author, "status-change", {"status": "merged", "mergeCommitId": sha})
        changes = discussion["changes"] | {"mergeCommitId": sha}
        events = [*_said(author, text, html), done]
        stories.append(repo, num, events, status="merged", changes=changes)
    return sha


def _check_open(discussion: Discussion) -> None:
    if not discussion["isPullRequest"]:
        raise HubError(400, "Only a pull request can be merged; this is a discussion.")
    if discussion["status"] == "merged":
        raise HubError(400, "This pull request is already merged.")
    if discussion["status"] != "open":
        raise HubError(400, f"Only an open pull request can be merged; this one is {discussion['status']}.")


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
    """Open a pull request to the branch `base` that holds `draft`: (number, commit SHA).

    HubError 412 if the base moved on, RevisionNotFound if it is no branch.
    """
    if not refs.ref_of(base).startswith("refs/heads/"):
        raise revision_not_found(base)
    with repo.lock():
        parent = resolve(git, refs.ref_of(base)).id
        commits.check_parent(parent, expected)
        discussion = _new(repo, git, author, title, "open", _said(author, text, ""))
        stamp = commits.Stamp(author, f"{title}\n\n{text}".strip())
        new = commits.write(git, draft, parent, stamp, _ref(discussion["num"]))
        if new != parent:
            discussion["events"].append(_commit_event(author, str(new), title))
        _propose(repo, git, discussion, base, parent, new)
    return int(discussion["num"]), str(new)
