"""Gated repositories: asking for access, and what their owners answer.

https://huggingface.co/docs/hub/models-gated; huggingface_hub/hf_api.py: _list_access_requests,
_handle_access_request, grant_access.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localhub.api.accounts import card
from localhub.api.call import Call, bounded
from localhub.api.paging import page
from localhub.auth import may_write, require_user
from localhub.errors import HubError
from localhub.storage import access
from localhub.storage.repos import Repo

MAX_FORM = 65_536
MAX_FIELDS = 100


def listing(call: Call) -> Response:
    """GET /api/T/ID/user-access-request/{pending,accepted,rejected}, oldest first, in pages."""
    repo = _managed(call)
    wanted = call.args["status"]
    if wanted not in access.STATUSES:
        raise HubError(
            404, f"There is no list of {wanted[:40]!r} requests; use {', '.join(access.STATUSES)}."
        )
    found = [request for request in access.every(repo).values() if request["status"] == wanted]
    found.sort(key=lambda request: str(request["timestamp"]))
    start, limit = call.count("cursor", 0, 10**7), max(1, call.count("limit", 1000, 1000))
    rows = [_row(call, request) for request in found[start : start + limit]]
    return page(call, rows, start + limit if start + limit < len(found) else None)


def _row(call: Call, request: access.Request) -> dict[str, Any]:
    """Only those who asked have shared their address."""
    user = call.hub.account(request["user"])
    who = card(user) if user else {"user": request["user"], "fullname": request["user"]}
    if user and request["shared"]:
        who["email"] = user.email
    row = {key: request[key] for key in ("requestId", "status", "timestamp")} | {"user": who}
    row |= {key: request[key] for key in ("fields", "reviewedAt") if key in request}
    grantor = call.hub.account(request["grantedBy"]) if "grantedBy" in request else None
    return row | ({"grantedBy": card(grantor)} if grantor else {})


def _managed(call: Call) -> Repo:
    """The repository, for those who decide about its gate."""
    user = require_user(call.user)
    repo = call.find_listed()
    if not may_write(user, repo.namespace):
        raise HubError(403, "You have read access but not the required permissions for this operation")
    return repo


def _gated(call: Call) -> Repo:
    repo = _managed(call)
    if not repo.gated:
        raise HubError(400, f"{repo.kind} {repo.id} is not gated", "RepoNotGated")
    return repo


def handle(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/user-access-request/handle `{user or requestId, status, rejectionReason?}`"""
    repo = _gated(call)
    given = [key for key in ("user", "requestId") if call.body.get(key) is not None]
    if len(given) != 1:
        raise HubError(400, "Give either 'user' or 'requestId', and not both.")
    to = call.text("status")
    if to not in access.STATUSES:
        raise HubError(400, f"'status' must be one of {', '.join(access.STATUSES)}.")
    reason = call.text("rejectionReason", "", limit=200)
    if reason and to != "rejected":
        raise HubError(400, "'rejectionReason' belongs to a rejection only.")
    user = _user(call) if given == ["user"] else None
    request_id = call.text("requestId") if user is None else None
    access.review(repo, user, request_id, to, require_user(call.user).name, reason)
    return {}


def grant(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/user-access-request/grant `{user}`"""
    repo = _gated(call)
    user = _user(call)
    found = call.hub.account(user)
    if may_write(found, repo.namespace):
        raise HubError(400, "That user already has access to the repo")
    access.grant(repo, user, require_user(call.user).name)
    return {}


def _user(call: Call) -> str:
    found = call.hub.account(call.text("user"))
    if found is None:
        raise HubError(404, "User not found")
    return found.name


def cancel(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/user-access-request/cancel: whoever asked takes it back."""
    user = require_user(call.user)
    access.withdraw(call.find_listed(), user.name)
    return {"ok": True}


async def ask(call: Call) -> Response:
    """POST /ID/ask-access: a JSON object or a form with the answers to the card's `extra_gated_fields`."""
    data = bytearray()
    async for chunk in call.request.stream():
        data += chunk
        bounded("request body", data, MAX_FORM)
    return await run_in_threadpool(_ask, call, bytes(data))


def _ask(call: Call, data: bytes) -> Response:
    user = require_user(call.user)
    repo = call.find_listed()
    answers = _answers(data, call.request.headers.get("content-type", ""))
    if repo.gated and not may_write(user, repo.namespace):
        asked = _asked(repo)
        access.ask(repo, user.name, {key: text for key, text in answers.items() if key in asked})
    location = call.endpoint + repo.url_path
    return JSONResponse({"url": location}, 303, {"Location": location})


def _answers(data: bytes, media: str) -> dict[str, str]:
    try:
        if "form" in media:
            return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
        found = json.loads(data or b"{}")
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate could be stored nowhere
    except (ValueError, RecursionError):
        raise HubError(400, "The answers are neither a JSON object nor a form.") from None
    if not isinstance(found, dict) or len(found) > MAX_FIELDS:
        raise HubError(400, f"The answers must be an object of at most {MAX_FIELDS} fields.")
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


def _asked(repo: Repo) -> set[str]:
    """The labels of the form that the card describes."""
    from localhub.cards import facts
    from localhub.storage import trees

    card_fields = facts.of(repo, str(trees.head(repo.git()).id)).card.get("extra_gated_fields")
    return {str(label) for label in card_fields} if isinstance(card_fields, dict) else set()
