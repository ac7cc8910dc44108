"""Discussions and pull requests.

Whoever may see a repository may read, open and comment; titles and states are changed by the author or by
whoever may write to the repository; a comment is edited by its author, and hidden by them or by a writer;
writers merge.
"""

from __future__ import annotations

from typing import Any

from localhub.api.call import Call
from localhub.auth import User, may_open, may_write, require_user
from localhub.errors import HubError
from localhub.storage import discussions as store
from localhub.storage.repos import Repo

PAGE = 50
_TYPES = ("", "all", "discussion", "pull_request")
_STATUSES = ("", "all", "open", "closed")
_OPEN = ("open", "draft")


def listing(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/discussions?p=&type=&status=&author=: newest first, 50 a page."""
    repo = call.find_listed()
    kind, status = _choice(call, "type", _TYPES), _choice(call, "status", _STATUSES)
    author = call.query.get("author", "")
    asked = [item for item in reversed(store.every(repo)) if _is_asked(item, kind, author)]
    closed = sum(item["status"] not in _OPEN for item in asked)
    found = [item for item in asked if not status or (item["status"] in _OPEN) == (status == "open")]
    start = call.count("p", 0, 10**6) * PAGE
    rows = [_outline(call, repo, item) for item in found[start : start + PAGE]]
    return {"discussions": rows, "count": len(found), "start": start, "numClosedDiscussions": closed}


def _choice(call: Call, key: str, choices: tuple[str, ...]) -> str:
    """A filter of the query string; "" for no filter. HubError 400 for one that does not exist."""
    value = call.query.get(key, "")
    if value not in choices:
        raise HubError(400, f"'{key}' must be one of {', '.join(choices[1:])}.")
    return "" if value == "all" else value


def _is_asked(item: store.Discussion, kind: str, author: str) -> bool:
    if kind and item["isPullRequest"] != (kind == "pull_request"):
        return False
    return not author or bool(item["author"]["name"].lower() == author.lower())


def _outline(call: Call, repo: Repo, item: store.Discussion) -> dict[str, Any]:
    keys = ("num", "title", "status", "createdAt", "isPullRequest")
    return {key: item[key] for key in keys} | {
        "author": _person(call, item["author"]["name"]),
        "repo": {"name": repo.id, "type": repo.kind},
        "numComments": item["comments"] if "comments" in item else len(_comments(item)),
        "pinned": False,
    }


def _comments(item: store.Discussion) -> list[store.Event]:
    return [event for event in item["events"] if event["type"] == "comment"]


def _person(call: Call, name: str) -> dict[str, Any]:
    account = call.hub.account(name)
    return {"name": name, "fullname": account.fullname if account else name, "type": "user", "avatarUrl": ""}


def create(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/discussions `{title, description, pullRequest}`. Pull requests begin as drafts."""
    repo, user = _participant(call)
    title = store.checked_title(call.text("title"))
    text = call.text("description", "")
    wanted = call.body.get("pullRequest") is True
    status, base = ("draft", "main") if wanted else ("open", None)
    html = _rendered(repo, text)
    with repo.lock():
        made = store.open_new(repo, user.name, title, text, status, base, html)
    url = f"{call.endpoint}{repo.url_path}/discussions/{made['num']}"
    return _outline(call, repo, made) | {"pullRequest": wanted, "url": url}


def _participant(call: Call) -> tuple[Repo, User]:
    """The repository and a signed-in user who sees it. Its gate does not matter: they may ask about it."""
    return call.find_listed(), require_user(call.user)


def _rendered(repo: Repo, text: str) -> str:
    """A comment as safe HTML."""
    from localhub.pages import markdown

    return markdown.render(text, repo.url_path, "main") if text.strip() else ""


def details(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/discussions/N?diff=1. What a pull request changes is behind the repository's gate."""
    repo = call.find_listed()
    item = store.get(repo, _number(call))
    found = _outline(call, repo, item) | {"locked": False}
    found["events"] = _shown(call, repo, *item["events"])
    if item["isPullRequest"]:
        changes = {key: value for key, value in item["changes"].items() if key != "start"}
        found |= {"changes": changes} | _effect(call, repo, item)
    return found


def _effect(call: Call, repo: Repo, item: store.Discussion) -> dict[str, Any]:
    """The files in conflict, and if asked for the diff: nothing of either once the base branch is gone."""
    if not may_open(call.user, repo):
        return {"filesWithConflicts": []}
    try:
        found: dict[str, Any] = {"filesWithConflicts": store.conflicts(repo, item)}
        return found | ({"diff": store.patch(repo, item)} if call.query.get("diff") else {})
    except HubError:
        return {"filesWithConflicts": []}


def _shown(call: Call, repo: Repo, *events: store.Event) -> list[store.Event]:
    """Events as they are answered: with their authors in full, and comments as HTML too."""
    people = {name: _person(call, name) for name in {event["author"]["name"] for event in events}}
    return [
        event | {"author": people[event["author"]["name"]], "data": _data_shown(repo, event)}
        for event in events
    ]


def _data_shown(repo: Repo, event: store.Event) -> dict[str, Any]:
    data: dict[str, Any] = event["data"]
    if event["type"] != "comment":
        return data
    latest = data["latest"]
    html = latest["html"] or _rendered(repo, latest["raw"])
    return data | {"latest": latest | {"html": html}, "numEdits": len(data["history"])}


def comment(call: Call) -> dict[str, Any]:
    """POST .../N/comment `{comment}`"""
    repo, user = _participant(call)
    text = call.text("comment")
    event = store.comment(repo, _number(call), user.name, text, _rendered(repo, text))
    return {"newMessage": _shown(call, repo, event)[0]}


def edit(call: Call) -> dict[str, Any]:
    """POST .../N/comment/ID/edit `{content}`: only its author may."""
    repo, user, num = *_participant(call), _number(call)
    event = store.comment_of(store.get(repo, num), call.args["comment"])
    if event["author"]["name"] != user.name:
        raise HubError(403, "A comment can be edited by its author only.")
    text = call.text("content")
    edited = store.edit(repo, num, user.name, event["id"], text, _rendered(repo, text))
    return {"updatedComment": _shown(call, repo, edited)[0]}


def hide(call: Call) -> dict[str, Any]:
    """POST .../N/comment/ID/hide: its author, or whoever may write to the repository."""
    repo, user, num = *_participant(call), _number(call)
    event = store.comment_of(store.get(repo, num), call.args["comment"])
    if event["author"]["name"] != user.name and not may_write(user, repo.namespace):
        raise HubError(403, f"Only {event['author']['name']} or a writer of {repo.id} may hide this comment.")
    return {"updatedComment": _shown(call, repo, store.hide(repo, num, user.name, event["id"]))[0]}


def retitle(call: Call) -> dict[str, Any]:
    """POST .../N/title `{title}`"""
    repo, user, num = _moderator(call)
    return {"newTitle": _shown(call, repo, store.retitle(repo, num, user.name, call.text("title")))[0]}


def status(call: Call) -> dict[str, Any]:
    """POST .../N/status `{status: open | closed, comment?}`"""
    repo, user, num = _moderator(call)
    text = call.text("comment", "")
    event = store.set_status(repo, num, user.name, call.text("status"), text, _rendered(repo, text))
    return {"newStatus": _shown(call, repo, event)[0]}


def merge(call: Call) -> dict[str, Any]:
    """POST .../N/merge `{comment?}`"""
    repo, user = call.find_writable()
    text = call.text("comment", "")
    return {"mergeCommitId": store.merge(repo, _number(call), user.name, text, _rendered(repo, text))}


def _number(call: Call) -> int:
    text = call.args["num"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HubError(404, f"Discussion {text[:40]} not found")
    return int(text)


def _moderator(call: Call) -> tuple[Repo, User, int]:
    """Titles and states are changed by the author or by whoever may write to the repository."""
    repo, user = _participant(call)
    num = _number(call)
    author = store.get(repo, num)["author"]["name"]
    if author != user.name and not may_write(user, repo.namespace):
        raise HubError(403, f"Only {author} or a writer of {repo.id} may do this")
    return repo, user, num
