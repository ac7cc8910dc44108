"""Create, delete, move, copy, set and describe repositories."""

from __future__ import annotations

from typing import Any

from localhub.api import describe
from localhub.api.call import Call
from localhub.auth import User, may_read, may_write, require_user
from localhub.errors import HubError, repo_not_found
from localhub.names import check_repo_id
from localhub.storage import commits, copies, moves, repos
from localhub.storage.repos import KINDS, Repo

SDKS = ("gradio", "streamlit", "docker", "static")
GATES = ("auto", "manual", False)
_NOT_SERVED = {
    "hardware": "the hardware of a space",
    "sleepTimeSeconds": "the sleep time of a space",
    "secrets": "the secrets of a space",
    "variables": "the variables of a space",
    "volumes": "the volumes of a space",
    "template": "space templates",
    "resourceGroupId": "resource groups",
    "region": "regions",
}


def create(call: Call) -> dict[str, Any]:
    """POST /api/repos/create; 409 with the existing `url` for a taken name, 403 in another's namespace."""
    user = require_user(call.user)
    kind, namespace, name = _target(call)
    _require_namespace(user, kind, namespace)
    _refuse_unserved(call)
    sdk = call.text("sdk", "", limit=40) if kind == "space" else ""
    if kind == "space" and sdk not in SDKS:
        raise HubError(400, f"A space needs an 'sdk': one of {', '.join(SDKS)}.")
    private = _private(call)
    if private is None:
        org = call.hub.org(namespace)
        private = bool(org and org.private_by_default)
    try:
        repo = repos.create(
            call.hub.data,
            kind,
            namespace,
            name,
            private,
            fill=lambda made: commits.first(made, user.name),
            sdk=sdk,
        )
    except HubError as error:
        raise _with_url(call, error) from None
    return {"url": call.endpoint + repo.url_path, "id": repo.uid, "name": repo.id}


def _with_url(call: Call, error: HubError) -> HubError:
    """`exist_ok` reads where the repository is from the refusal."""
    if "url_path" in error.body:
        error.body["url"] = call.endpoint + error.body.pop("url_path")
    return error


def _target(call: Call) -> tuple[str, str, str]:
    """(kind, namespace, name) of a request body; the namespace is the caller's own when none is given."""
    namespace = call.text("organization", require_user(call.user).name)
    return _kind(call), _spelled(call, namespace), call.text("name")


def _kind(call: Call) -> str:
    kind = call.text("type", "model")
    if kind not in KINDS:
        raise HubError(501, f"localhub does not serve {kind[:40]} repositories.", "NotImplemented")
    return kind


def _spelled(call: Call, namespace: str) -> str:
    """A namespace as its user or organisation writes it."""
    known = call.hub.account(namespace) or call.hub.org(namespace)
    return known.name if known else namespace


def _require_namespace(user: User, kind: str, namespace: str) -> None:
    if not may_write(user, namespace):
        raise HubError(
            403, f"You don't have the rights to create a {kind} under the namespace '{namespace[:200]}'"
        )


def _refuse_unserved(call: Call) -> None:
    for key, what in _NOT_SERVED.items():
        if call.body.get(key) is not None:
            raise HubError(501, f"localhub does not serve {what} ('{key}').", "NotImplemented")


def _private(call: Call) -> bool | None:
    """What `visibility` (2.x clients) or `private` (older ones) asks for; None when neither does."""
    visibility, private = call.body.get("visibility"), call.body.get("private")
    if visibility == "protected":
        raise HubError(501, "localhub does not serve protected spaces.", "NotImplemented")
    if visibility not in (None, "public", "private"):
        raise HubError(400, "'visibility' must be 'public' or 'private'.")
    if private is not None and not isinstance(private, bool):
        raise HubError(400, "'private' must be true or false.")
    return private if visibility is None else bool(visibility == "private")


def delete(call: Call) -> dict[str, Any]:
    """DELETE /api/repos/delete. A former name deletes nothing."""
    user = require_user(call.user)
    repo = _named(call, *_target(call))
    if not may_write(user, repo.namespace):
        raise HubError(403, f"You don't have the rights to delete {repo.id}")
    repos.delete(call.hub.data, repo)
    return {}


def _named(call: Call, kind: str, namespace: str, name: str) -> Repo:
    repo = repos.find(call.hub.data, kind, namespace, name)
    if repo is None or not may_read(call.user, repo):
        raise repo_not_found(anonymous=False)
    return repo


def move(call: Call) -> dict[str, Any]:
    """POST /api/repos/move `{fromRepo, toRepo, type}`; 403 without rights on either side, 409 when taken."""
    user = require_user(call.user)
    kind = _kind(call)
    repo = _named(call, kind, *_parts(call.text("fromRepo")))
    if not may_write(user, repo.namespace):
        raise HubError(403, f"You don't have the rights to move {repo.id}")
    namespace, name = _parts(call.text("toRepo"))
    namespace = _spelled(call, namespace)
    _require_namespace(user, kind, namespace)
    moved = moves.move(call.hub.data, repo, namespace, name)
    return {"url": call.endpoint + moved.url_path}


def _parts(repo_id: str) -> tuple[str, str]:
    namespace, _, name = repo_id.partition("/")
    check_repo_id(namespace, name)
    return namespace, name


def duplicate(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/duplicate `{repository, visibility?}`: branches, tags, files; 409 with the `url`."""
    user = require_user(call.user)
    repo = call.find()
    namespace, name = _parts(call.text("repository"))
    namespace = _spelled(call, namespace)
    _require_namespace(user, repo.kind, namespace)
    _refuse_unserved(call)
    private = _private(call)
    try:
        made = copies.duplicate(
            call.hub.data, repo, namespace, name, repo.private if private is None else private
        )
    except HubError as error:
        raise _with_url(call, error) from None
    found = {"url": call.endpoint + made.url_path, "id": made.uid, "name": made.id}
    return found | {"filesCopyPending": False}


def settings(call: Call) -> dict[str, Any]:
    """PUT /api/T/ID/settings `{visibility or private, gated: "auto", "manual" or false}`."""
    repo, _ = call.find_writable()
    for key in call.body.keys() - {"visibility", "private", "gated"}:
        raise HubError(501, f"localhub does not serve the setting {key[:60]!r}.", "NotImplemented")
    gated = call.body.get("gated")
    if "gated" in call.body and not any(gated is gate or gated == gate != 0 for gate in GATES):
        raise HubError(400, "'gated' must be 'auto', 'manual' or false.")
    private = _private(call)
    changed = repos.update(repo, private=private, gated=gated or "" if "gated" in call.body else None)
    found: dict[str, Any] = {} if private is None else {"private": changed.private}
    return found | ({"gated": changed.gated or False} if "gated" in call.body else {})


def info(call: Call) -> dict[str, Any]:
    """GET /api/T/ID[/revision/REV]?blobs=&expand=: what `model_info` and its like return."""
    repo = call.find_listed()
    names = describe.asked(call, repo.kind) or describe.in_full(repo.kind)
    return describe.described(describe.subject(call, repo, call.args.get("rev")), names)
