"""Branches and tags."""

from __future__ import annotations

from typing import Any

from localhub.api.call import Call
from localhub.storage import refs


def create_branch(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/branch/NAME `{startingPoint?}`"""
    repo, _ = call.find_writable()
    refs.create_branch(repo, call.args["rev"], call.text("startingPoint", "main"))
    return {}


def delete_branch(call: Call) -> dict[str, Any]:
    """DELETE /api/T/ID/branch/NAME"""
    repo, _ = call.find_writable()
    refs.delete_branch(repo, call.args["rev"])
    return {}


def create_tag(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/tag/REV `{tag, message?}`"""
    repo, user = call.find_writable()
    refs.create_tag(repo, call.text("tag"), call.args["rev"], call.text("message", ""), user.name)
    return {}


def delete_tag(call: Call) -> dict[str, Any]:
    """DELETE /api/T/ID/tag/NAME"""
    repo, _ = call.find_writable()
    refs.delete_tag(repo, call.args["rev"])
    return {}
