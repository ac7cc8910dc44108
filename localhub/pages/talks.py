"""Discussions and pull requests as pages: the list with its filters, and one story with its changes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pygit2
from starlette.responses import Response

from localhub.api.call import Call
from localhub.auth import may_open
from localhub.errors import HubError
from localhub.pages import changes, markdown, render
from localhub.pages.history import way_of_showing
from localhub.pages.views import frame
from localhub.storage import discussions as talk
from localhub.storage import trees
from localhub.storage.discussions import Discussion
from localhub.storage.repos import Repo

PAGE = 50
EVENTS = 200
_STATUSES = {"": "All", "open": "Open", "merged": "Merged", "closed": "Closed"}
_TYPES = {"": "Both", "discussion": "Discussions", "pull_request": "Pull requests"}


def listing(call: Call) -> Response:
    """GET /NS/NAME/discussions?status=open|merged|closed&type=discussion|pull_request&p=: newest first."""
    repo = call.find_listed()
    status = call.query.get("status", "") if call.query.get("status") in _STATUSES else ""
    kind = call.query.get("type", "") if call.query.get("type") in _TYPES else ""
    of_kind = [item for item in reversed(talk.every(repo)) if _is_of(item, kind)]
    found = [item for item in of_kind if _stands(item, status)]
    number = call.count("p", 0, 10**5)
    start = number * PAGE
    return render.page(
        "discussions.html",
        **frame(call, repo, "talks"),
        items=found[start : start + PAGE],
        statuses=[
            (label, _address(repo, key, kind), key == status, sum(_stands(item, key) for item in of_kind))
            for key, label in _STATUSES.items()
        ],
        types=[(label, _address(repo, status, key), key == kind) for key, label in _TYPES.items()],
        newer=_address(repo, status, kind, number - 1) if number else None,
        older=_address(repo, status, kind, number + 1) if len(found) > start + PAGE else None,
        filtered=bool(status or kind),
    )


def _address(repo: Repo, status: str, kind: str, number: int = 0) -> str:
    asked = {"status": status, "type": kind, "p": number or ""}
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"{repo.url_path}/discussions{'?' if query else ''}{query}"


def _is_of(item: Discussion, kind: str) -> bool:
    return not kind or item["isPullRequest"] == (kind == "pull_request")


def _stands(item: Discussion, status: str) -> bool:
    known = "open" if item["status"] == "draft" else item["status"]
    return not status or bool(known == status)


def story(call: Call) -> Response:
    """GET /NS/NAME/discussions/N: what was said and done, and for a pull request what it changes."""
    repo = call.find_listed()
    item = talk.get(repo, _number(call.args["num"]))
    pull = item["isPullRequest"]
    number = call.count("p", 0, 10**5)
    events = item["events"][number * EVENTS : (number + 1) * EVENTS]
    return render.page(
        "discussion.html",
        **frame(call, repo, "talks"),
        item=item,
        events=[_event(repo, event) for event in events],
        number=number,
        pages=-(-len(item["events"]) // EVENTS) or 1,
        base_branch=item["changes"]["base"].removeprefix("refs/heads/") if pull else "",
        merged=item["changes"].get("mergeCommitId") if pull else None,
        conflicts=_conflicts(repo, item) if pull else [],
        changes=_changes(call, repo, item) if pull else None,
        **way_of_showing(call),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _event(repo: Repo, event: dict[str, Any]) -> dict[str, Any]:
    """An event with its comment, if it is one that is not hidden, as safe HTML."""
    if event["type"] != "comment" or event["data"].get("hidden"):
        return event | {"html": None}
    raw = event["data"]["latest"]["raw"]
    return event | {"html": markdown.render(raw, repo.url_path, "main")}


def _conflicts(repo: Repo, item: Discussion) -> list[str]:
    if item["status"] not in ("open", "draft"):
        return []
    try:
        return talk.conflicts(repo, item)
    except HubError:
        return []  # its branch, or the branch it is for, was deleted


def _changes(call: Call, repo: Repo, item: Discussion) -> changes.Changes | None:
    """What a pull request changes; None behind a closed gate, or when its branch is gone."""
    if not may_open(call.user, repo):
        return None
    git = repo.git()
    try:
        head = trees.resolve(git, f"refs/pr/{item['num']}")
        start = _start(git, item, head)
    except HubError:
        return None
    return changes.between(git, repo, start.tree, head.tree, call.query.get("path"))


def _start(git: pygit2.Repository, item: Discussion, head: pygit2.Commit) -> pygit2.Commit:
    """Where a pull request left its base: after a merge the common ancestor is its own head."""
    opened = trees.resolve(git, item["changes"]["start"])
    if item["status"] == "merged":
        return opened
    try:
        base = trees.resolve(git, item["changes"]["base"])
    except HubError:
        return opened
    ancestor = git.merge_base(base.id, head.id)
    return trees.resolve(git, str(ancestor)) if ancestor else opened
