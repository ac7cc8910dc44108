"""Who am I; may I."""

from __future__ import annotations

from typing import Any

from localhub.api.call import Call
from localhub.auth import require_user, require_write


def whoami(call: Call) -> dict[str, Any]:
    """GET /api/whoami-v2"""
    user = require_user(call.user)
    return {
        "type": "user",
        "id": user.name,
        "name": user.name,
        "fullname": user.fullname,
        "email": user.email,
        "emailVerified": True,
        "canPay": False,
        "isPro": False,
        "avatarUrl": "",
        "orgs": [{"type": "org", "name": org, "fullname": org, "roleInOrg": "admin"} for org in user.orgs],
        "auth": {
            "type": "access_token",
            "accessToken": {
                "displayName": "localhub",
                "role": "write",
                "createdAt": "2000-01-01T00:00:00.000Z",
            },
        },
    }


def auth_check(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/auth-check: 200 or the error that any other call would meet."""
    call.find()
    return {}


def auth_check_write(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/auth-check/write"""
    require_write(call.user, call.find())
    return {}


def nothing(_: Call) -> dict[str, Any]:
    """GET /api/agent-harnesses: the client asks at start; there is nothing to tell."""
    return {}
