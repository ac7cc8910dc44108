"""Who am I; may I; who are they; what is mine."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from localhub.api import describe
from localhub.api.call import Call
from localhub.api.paging import page
from localhub.auth import Org, User, may_read, may_write, require_user, require_write
from localhub.errors import HubError
from localhub.storage import repos
from localhub.storage.repos import KINDS, Repo


def whoami(call: Call) -> dict[str, Any]:
    """GET /api/whoami-v2"""
    user = require_user(call.user)
    return {
        "type": "user",
        "id": _id(user.name),
        "name": user.name,
        "fullname": user.fullname,
        "email": user.email,
        "emailVerified": True,
        "canPay": False,
        "isPro": False,
        "avatarUrl": "",
        "orgs": [_org(org) | {"type": "org", "roleInOrg": "admin"} for org in user.orgs],
        "auth": {
            "type": "access_token",
            "accessToken": {
                "displayName": "localhub",
                "role": "write",
                "createdAt": "2000-01-01T00:00:00.000Z",
            },
        },
    }


def _id(name: str) -> str:
    """24 hexadecimal digits that stay the same for a name."""
    return sha256(f"account/{name.lower()}".encode()).hexdigest()[:24]


def _org(org: Org) -> dict[str, Any]:
    return {"id": _id(org.name), "name": org.name, "fullname": org.fullname or org.name, "avatarUrl": ""}


def card(user: User) -> dict[str, Any]:
    """A user as lists show them; the address is not among it."""
    return {
        "_id": _id(user.name),
        "user": user.name,
        "fullname": user.fullname,
        "type": "user",
        "isPro": False,
        "avatarUrl": "",
    }


def auth_check(call: Call) -> Response:
    """GET /api/T/ID/auth-check: 200 or the error that a download would meet."""
    call.find()
    return PlainTextResponse("OK")


def auth_check_write(call: Call) -> Response:
    """GET /api/T/ID/auth-check/write"""
    require_write(call.user, call.find())
    return PlainTextResponse("OK")


def nothing(_: Call) -> dict[str, Any]:
    """GET /api/agent-harnesses: the client asks at start; there is nothing to tell."""
    return {}


def user_overview(call: Call) -> dict[str, Any]:
    """GET /api/users/U/overview; HubError 404 for an unknown user."""
    user = _known_user(call)
    none = ("numDiscussions", "numPapers", "numUpvotes", "numLikes", "numFollowing", "numFollowers")
    found = card(user) | _counts(call, user.name) | dict.fromkeys(none, 0)
    return found | {"isFollowing": False, "orgs": [_org(org) for org in user.orgs]}


def org_overview(call: Call) -> dict[str, Any]:
    """GET /api/organizations/O/overview; HubError 404 for an unknown organisation."""
    org = _known_org(call)
    found = _org(org) | _counts(call, org.name) | {"type": "org", "isVerified": False, "isFollowing": False}
    return found | {"numUsers": len(_members(call, org)), "numFollowers": 0, "numPapers": 0}


def _counts(call: Call, namespace: str) -> dict[str, int]:
    """How many repositories of a namespace the caller may see."""
    return {
        f"num{kind.title()}s": sum(
            may_read(call.user, repo) for repo in repos.every(call.hub.data, kind, namespace)
        )
        for kind in KINDS
    }


def members(call: Call) -> list[dict[str, Any]]:
    """GET /api/organizations/O/members"""
    return [card(user) for user in _members(call, _known_org(call))]


def _members(call: Call, org: Org) -> list[User]:
    return [user for user in call.hub.users.values() if org.name in {mine.name for mine in user.orgs}]


def nobody(call: Call) -> Response:
    """GET /api/users/U/{followers,following,likes}, /api/organizations/O/followers: none, here."""
    _known_user(call) if "user" in call.args else _known_org(call)
    return JSONResponse([])


def likers(call: Call) -> Response:
    """GET /api/T/ID/likers: a script cannot like a repository, on the Hub neither."""
    call.find_listed()
    return JSONResponse([])


def unlike(call: Call) -> dict[str, Any]:
    """DELETE /api/T/ID/like"""
    call.find_listed()
    require_user(call.user)
    return {}


def _known_user(call: Call) -> User:
    user = call.hub.account(call.args["user"])
    if user is None:
        raise HubError(404, "User not found")
    return user


def _known_org(call: Call) -> Org:
    org = call.hub.org(call.args["org"])
    if org is None:
        raise HubError(404, "Organization not found")
    return org


def own_repositories(call: Call) -> Response:
    """GET /api/settings/repositories: the caller's, with what they take; for the admin all that there are."""
    user = require_user(call.user)
    return page(call, _stored(call, "" if user.admin else user.name), None)


def org_repositories(call: Call) -> Response:
    """GET /api/organizations/O/settings/repositories: for its members; any name for the admin."""
    user = require_user(call.user)
    if not may_write(user, call.args["org"]):
        raise HubError(403, f"You are not a member of {call.args['org'][:200]}.")
    return page(call, _stored(call, call.args["org"]), None)


def _stored(call: Call, namespace: str) -> list[dict[str, Any]]:
    """Rows, the largest first; `storagePercent` is of the rows together."""
    rows = list(_storage_rows(call, namespace))
    total = sum(row["storage"] for row in rows)
    for row in rows:
        row["storagePercent"] = round(100 * row["storage"] / total, 4) if total else 0
    return sorted(rows, key=lambda row: (-int(row["storage"]), str(row["id"])))


def _storage_rows(call: Call, namespace: str) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        for repo in repos.every(call.hub.data, kind, namespace):
            row = _storage_row(call, repo)
            if row:
                yield row


def _storage_row(call: Call, repo: Repo) -> dict[str, Any] | None:
    try:
        about = describe.subject(call, repo)
    except HubError:
        return None  # made, but its first commit has not been written yet
    found = describe.described(about, ("lastModified", "usedStorage"))
    return {
        "id": repo.id,
        "type": repo.kind,
        "updatedAt": found["lastModified"],
        "visibility": "private" if repo.private else "public",
        "storage": found["usedStorage"],
    }
