"""Create, delete, describe and list repositories."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from localhub.api.call import Call
from localhub.auth import may_read, may_write, require_user
from localhub.cards import facts
from localhub.errors import HubError, repo_not_found
from localhub.storage import commits, repos, trees
from localhub.storage.repos import KINDS, Repo

ALWAYS = ("_id", "id")


def create(call: Call) -> dict[str, Any]:
    """POST /api/repos/create; 409 with the existing `url` for a taken name, 403 in another's namespace."""
    user = require_user(call.user)
    kind, namespace, name = _target(call)
    if not may_write(user, namespace):
        raise HubError(403, f"You don't have the rights to create a {kind} under the namespace '{namespace}'")
    private = call.body.get("private") is True or call.text("visibility", "public") != "public"
    try:
        repo = repos.create(
            call.hub.data, kind, namespace, name, private, fill=lambda made: commits.first(made, user.name)
        )
    except HubError as error:
        if "url_path" in error.body:
            error.body["url"] = call.endpoint + error.body.pop("url_path")
        raise
    return {"url": call.endpoint + repo.url_path, "id": repo.uid, "name": repo.id}


def delete(call: Call) -> dict[str, Any]:
    """DELETE /api/repos/delete"""
    user = require_user(call.user)
    kind, namespace, name = _target(call)
    repo = repos.find(call.hub.data, kind, namespace, name)
    if repo is None or not may_read(user, repo):
        raise repo_not_found(anonymous=False)
    if not may_write(user, repo.namespace):
        raise HubError(403, f"You don't have the rights to delete {repo.id}")
    repos.delete(call.hub.data, repo)
    return {}


def _target(call: Call) -> tuple[str, str, str]:
    """(kind, namespace, name) of a request body; the namespace is the caller's own when none is given."""
    kind = call.text("type", "model")
    if kind not in KINDS:
        raise HubError(501, f"localhub does not serve {kind[:40]} repositories.", "NotImplemented")
    return kind, call.text("organization", require_user(call.user).name), call.text("name")


def settings(call: Call) -> dict[str, Any]:
    """PUT /api/T/ID/settings: visibility only."""
    repo, _ = call.find_writable()
    if call.body.get("gated"):
        raise HubError(501, "localhub does not serve gated repositories yet.", "NotImplemented")
    visibility = call.text("visibility", "private" if call.body.get("private", repo.private) else "public")
    return {"private": repos.update(repo, private=visibility != "public").private}


def info(call: Call) -> dict[str, Any]:
    """GET /api/T/ID[/revision/REV]?blobs=&expand=: what `model_info` and `dataset_info` return."""
    repo = call.find()
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"]) if "rev" in call.args else trees.head(git)
    known = facts.of(repo, str(commit.id))
    full = summary(repo, str(commit.id), trees.when(commit), known)
    blobs = call.query.get("blobs", "").lower() in ("true", "1")
    full["siblings"] = [_sibling(entry, blobs) for entry in known.files]
    full["usedStorage"] = sum(entry.size for entry in known.files)
    return _expanded(call, full)


def _expanded(call: Call, full: dict[str, Any]) -> dict[str, Any]:
    """With `expand=a&expand=b`, only those properties."""
    asked = [*call.request.query_params.getlist("expand"), *call.request.query_params.getlist("expand[]")]
    return {key: value for key, value in full.items() if key in (*ALWAYS, *asked)} if asked else full


def summary(repo: Repo, sha: str, modified: str, known: facts.Facts) -> dict[str, Any]:
    """The description of a repository that info and list share."""
    found: dict[str, Any] = {
        "_id": repo.uid,
        "id": repo.id,
        "author": repo.namespace,
        "sha": sha,
        "lastModified": modified,
        "createdAt": repo.created_at,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": known.tags,
        "cardData": known.card,
    }
    if repo.kind == "model":
        found |= {
            "modelId": repo.id,
            "pipeline_tag": known.task,
            "library_name": known.library,
            "config": known.config,
            "model-index": known.card.get("model-index"),
            "safetensors": known.safetensors,
        }
    return {key: value for key, value in found.items() if value is not None}


def _sibling(entry: trees.Entry, blobs: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": entry.path}
    if blobs:
        found |= {"size": entry.size, "blobId": entry.oid}
        if entry.lfs:
            found["lfs"] = {"sha256": entry.lfs.oid, "size": entry.lfs.size, "pointerSize": entry.lfs.length}
    return found


def listing(call: Call) -> Response:
    """GET /api/models, /api/datasets with author, search, filter, pipeline_tag, sort, limit and expand."""
    rows = []
    for repo in repos.every(call.hub.data, call.args["kind"].removesuffix("s")):
        if not may_read(call.user, repo):
            continue
        try:
            commit = trees.head(repo.git())
        except HubError:
            continue  # made, but its first commit has not been written yet
        row = summary(repo, str(commit.id), trees.when(commit), facts.of(repo, str(commit.id)))
        if _matches(call, row):
            rows.append(_expanded(call, row))
    key = call.query.get("sort", "lastModified")
    rows.sort(
        key=lambda row: (str(row.get(key, "")), str(row["id"])),
        reverse=call.query.get("direction", "-1") != "1",
    )
    start, limit = call.count("cursor", 0, 10**6), max(1, call.count("limit", 1000, 1000))
    return page(call, rows[start : start + limit], start + limit if start + limit < len(rows) else None)


def _matches(call: Call, row: dict[str, Any]) -> bool:
    author, search = call.query.get("author", ""), call.query.get("search", "").lower()
    wanted = [tag for value in call.request.query_params.getlist("filter") for tag in value.split(",") if tag]
    wanted += [call.query["pipeline_tag"]] if call.query.get("pipeline_tag") else []
    if author and row["author"].lower() != author.lower():
        return False
    return search in row["id"].lower() and all(tag in row["tags"] for tag in wanted)


def page(call: Call, rows: list[dict[str, Any]], following: int | None) -> Response:
    """One page of a list, with the `Link` header that the client follows."""
    response = JSONResponse(rows)
    if following is not None:
        url = call.request.url.include_query_params(cursor=following)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response
