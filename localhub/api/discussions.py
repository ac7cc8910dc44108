"""Discussions and pull requests."""

from __future__ import annotations

from typing import Any

from localhub.api.call import Call
from localhub.auth import User, may_write
from localhub.errors import HubError
from localhub.storage import discussions as store
from localhub.storage.repos import Repo

PAGE = 50


def listing(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/discussions?p=&type=&status=&author=, newest first."""
    repo = call.find()
    found = [item for item in reversed(store.every(repo)) if _matches(call, item)]
    start = call.count("p", 0, 10**6) * PAGE
    rows = [_outline(repo, item) for item in found[start : start + PAGE]]
    return {"discussions": rows, "count": len(found), "start": start, "numClosedDiscussions": 0}


def _matches(call: Call, item: store.Discussion) -> bool:
    kind, status, author = (call.query.get(key, "") for key in ("type", "status", "author"))
    if kind in ("discussion", "pull_request") and item["isPullRequest"] != (kind == "pull_request"):
        return False
    if status in ("open", "closed") and (item["status"] in ("open", "draft")) != (status == "open"):
        return False
    return not author or bool(item["author"]["name"] == author)


def _outline(repo: Repo, item: store.Discussion) -> dict[str, Any]:
    keys = ("num", "title", "status", "author", "createdAt", "isPullRequest")
    return {key: item[key] for key in keys} | {"repo": {"name": repo.id, "type": repo.kind}}


def create(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/discussions `{title, description, pullRequest}`. Pull requests begin as drafts."""
    repo, user = call.find_as_member()
    title = call.text("title").strip()
    if len(title) < 3:
        raise HubError(400, "A title needs at least 3 characters.")
    wanted = call.body.get("pullRequest") is True
    status, base = ("draft", "main") if wanted else ("open", None)
    with repo.lock():
        made = store.open_new(repo, user.name, title, call.text("description", ""), status, base)
    return _outline(repo, made)


def details(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/discussions/N?diff=1"""
    repo = call.find()
    item = store.get(repo, _number(call))
    found = _outline(repo, item) | {"events": item["events"]}
    if item["isPullRequest"]:
        patch, conflicts = store.state_of_merge(repo, item)
        changes = {"base": item["changes"]["base"]}
        if "mergeCommitId" in item["changes"]:
            changes["mergeCommitId"] = item["changes"]["mergeCommitId"]
        found |= {"changes": changes, "filesWithConflicts": conflicts}
        if call.query.get("diff"):
            found["diff"] = patch
    return found


def comment(call: Call) -> dict[str, Any]:
    """POST .../N/comment"""
    repo, user = call.find_as_member()
    return {"newMessage": store.comment(repo, _number(call), user.name, call.text("comment"))}


def retitle(call: Call) -> dict[str, Any]:
    """POST .../N/title"""
    repo, user, num = _moderator(call)
    return {"newTitle": store.retitle(repo, num, user.name, call.text("title"))}


def status(call: Call) -> dict[str, Any]:
    """POST .../N/status `{status: open | closed, comment?}`"""
    repo, user, num = _moderator(call)
    event = store.set_status(repo, num, user.name, call.text("status"), call.text("comment", ""))
    return {"newStatus": event}


def merge(call: Call) -> dict[str, Any]:
    """POST .../N/merge"""
    repo, user = call.find_writable()
    return {"mergeCommitId": store.merge(repo, _number(call), user.name, call.text("comment", ""))}


def _number(call: Call) -> int:
    text = call.args["num"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HubError(404, f"Discussion {text[:40]} not found")
    return int(text)


def _moderator(call: Call) -> tuple[Repo, User, int]:
    """Titles and states are changed by the author or by whoever may write to the repository."""
    repo, user = call.find_as_member()
    num = _number(call)
    author = store.get(repo, num)["author"]["name"]
    if author != user.name and not may_write(user, repo.namespace):
        raise HubError(403, f"Only {author} or a writer of {repo.id} may do this")
    return repo, user, num
