"""Squashing a branch's history into one commit."""

from __future__ import annotations

from typing import Any

from localhub.api.call import Call
from localhub.storage import commits, history


def super_squash(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/super-squash/REF `{message}`: what it was made of is on no branch any more."""
    repo, user = call.find_writable()
    revision = call.args["rev"]
    message = call.text("message", f"Super-squash branch '{revision}'").strip()
    return {"commitOid": history.squash(repo, revision, commits.Stamp(user.name, message))}
