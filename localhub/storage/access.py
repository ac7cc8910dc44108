"""Who asked to pass the gate of a repository, and what was answered: one JSON file beside the repository.

{name in lower case: {user, requestId, status, timestamp, shared, fields?, reviewedAt?, grantedBy?, reason?}}.
`shared` says whether the user gave their address by asking; those who were granted access without asking did
not. What happens when is described in https://huggingface.co/docs/hub/models-gated.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from localhub.errors import HubError
from localhub.storage.disk import read_json, write_json
from localhub.storage.repos import Repo

Request = dict[str, Any]
STATUSES = ("pending", "accepted", "rejected")
MAX_REQUESTS = 100_000


def every(repo: Repo) -> dict[str, Request]:
    """All requests, by the lower-case name of who asked."""
    try:
        found: dict[str, Request] = read_json(repo.path / "access.json")
        return found
    except FileNotFoundError:
        return {}


def status(repo: Repo, user: str) -> str | None:
    """ "pending", "accepted", "rejected", or None for somebody who never asked."""
    found = every(repo).get(user.lower())
    return str(found["status"]) if found else None


def ask(repo: Repo, user: str, fields: dict[str, str]) -> None:
    """A user asks: accepted at once where approval is automatic. Asking again changes nothing."""
    with repo.lock():
        known = every(repo)
        if user.lower() in known:
            return
        if len(known) >= MAX_REQUESTS:
            raise HubError(413, f"This repository has {MAX_REQUESTS} access requests already.")
        made = _made(user, shared=True) | ({"fields": fields} if fields else {})
        if repo.gated == "auto":
            made |= {"status": "accepted", "reviewedAt": made["timestamp"]}
        _save(repo, known | {user.lower(): made})


def withdraw(repo: Repo, user: str) -> None:
    """The user takes a pending request back; HubError 404 when there is none."""
    with repo.lock():
        known = every(repo)
        if known.get(user.lower(), {}).get("status") != "pending":
            raise HubError(404, "No pending access request found for this repo and this user")
        del known[user.lower()]
        _save(repo, known)


def review(repo: Repo, user: str | None, request_id: str | None, to: str, by: str, reason: str) -> None:
    """Move a request, named by its user or its id, to another list; HubError 404 if it is not in one."""
    with repo.lock():
        known = every(repo)
        key = (
            user.lower() if user else next((k for k, r in known.items() if r["requestId"] == request_id), "")
        )
        if key not in known or known[key]["status"] == to:
            raise HubError(404, "No access request found matching your criteria")
        _save(repo, known | {key: _reviewed(known[key], to, by, reason)})


def grant(repo: Repo, user: str, by: str) -> None:
    """Accept a user, who need not have asked; HubError 400 when they are accepted already."""
    with repo.lock():
        known = every(repo)
        found = known.get(user.lower()) or _made(user, shared=False)
        if found["status"] == "accepted":
            raise HubError(400, "That user already has access to the repo")
        _save(repo, known | {user.lower(): _reviewed(found, "accepted", by, "")})


def _made(user: str, shared: bool) -> Request:
    made = {"user": user, "requestId": uuid4().hex[:24], "status": "pending", "timestamp": _now()}
    return made | {"shared": shared}


def _reviewed(request: Request, to: str, by: str, reason: str) -> Request:
    kept = {key: value for key, value in request.items() if key not in ("reviewedAt", "grantedBy", "reason")}
    kept["status"] = to
    if to != "pending":
        kept["reviewedAt"] = _now()
    if to == "accepted":
        kept["grantedBy"] = by
    return kept | ({"reason": reason} if reason else {})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _save(repo: Repo, known: dict[str, Request]) -> None:
    write_json(repo.path / "access.json", known, mode=0o600)
