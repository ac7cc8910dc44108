"""Every address that is served, in the order in which they are tried."""

from __future__ import annotations

from localhub.api import (
    access,
    accounts,
    cards,
    collections,
    commit,
    discussions,
    files,
    git,
    lfs_files,
    listing,
    reading,
    references,
    repositories,
    squash,
    transfers,
    uploads,
    xet,
)
from localhub.pages import blob, code, collected, compare, history, lists, talks, views
from localhub.router import Route

REPO = "/api/{kind}/{ns}/{name}"
COLLECTION = "/api/collections/{ns}/{slug}"
MODEL = (("kind", "models"),)
DATASET = (("kind", "datasets"),)
SPACE = (("kind", "spaces"),)
LONG = 6 << 20  # bytes: a card as it is sent, the samples of many files, the parts of a large one

API = (
    Route("GET", "/api/whoami-v2", accounts.whoami),
    Route("GET", "/api/agent-harnesses", accounts.nothing),
    Route("GET", "/api/users/{user}/overview", accounts.user_overview),
    Route("GET", "/api/users/{user}/followers", accounts.nobody),
    Route("GET", "/api/users/{user}/following", accounts.nobody),
    Route("GET", "/api/users/{user}/likes", accounts.nobody),
    Route("GET", "/api/organizations/{org}/overview", accounts.org_overview),
    Route("GET", "/api/organizations/{org}/members", accounts.members),
    Route("GET", "/api/organizations/{org}/followers", accounts.nobody),
    Route("GET", "/api/organizations/{org}/settings/repositories", accounts.org_repositories),
    Route("GET", "/api/settings/repositories", accounts.own_repositories),
    Route("POST", "/api/repos/create", repositories.create, "json"),
    Route("DELETE", "/api/repos/delete", repositories.delete, "json"),
    Route("POST", "/api/repos/move", repositories.move, "json"),
    Route("POST", "/api/validate-yaml", cards.validate, "json", anyone=True, limit=LONG),
    Route("GET", "/api/collections", collections.listing),
    Route("POST", "/api/collections", collections.create, "json"),
    Route("GET", COLLECTION, collections.get),
    Route("PATCH", COLLECTION, collections.update, "json"),
    Route("DELETE", COLLECTION, collections.delete),
    Route("POST", COLLECTION + "/items", collections.add_item, "json"),
    Route("PATCH", COLLECTION + "/items/{item}", collections.update_item, "json"),
    Route("DELETE", COLLECTION + "/items/{item}", collections.delete_item),
    Route("GET", "/api/{kind}", listing.listing),
    Route("GET", REPO, repositories.info),
    Route("GET", REPO + "/revision/{rev}", repositories.info),
    Route("PUT", REPO + "/settings", repositories.settings, "json"),
    Route("POST", REPO + "/duplicate", repositories.duplicate, "json"),
    Route("GET", REPO + "/likers", accounts.likers),
    Route("DELETE", REPO + "/like", accounts.unlike),
    Route("GET", REPO + "/user-access-request/{status}", access.listing),
    Route("POST", REPO + "/user-access-request/handle", access.handle, "json"),
    Route("POST", REPO + "/user-access-request/grant", access.grant, "json"),
    Route("POST", REPO + "/user-access-request/cancel", access.cancel, "json"),
    Route("GET", REPO + "/auth-check", accounts.auth_check),
    Route("GET", REPO + "/auth-check/write", accounts.auth_check_write),
    Route("GET", REPO + "/tree/{rev}", reading.tree),
    Route("GET", REPO + "/tree/{rev}/{path*}", reading.tree),
    Route("POST", REPO + "/paths-info/{rev}", reading.paths_info, "form", limit=LONG),
    Route("GET", REPO + "/refs", reading.references),
    Route("GET", REPO + "/commits/{rev}", reading.history),
    Route("POST", REPO + "/preupload/{rev}", uploads.preupload, "json", limit=LONG),
    Route("POST", REPO + "/commit/{rev}", commit.post, "stream"),
    Route("POST", REPO + "/branch/{rev}", references.create_branch, "json"),
    Route("DELETE", REPO + "/branch/{rev}", references.delete_branch),
    Route("POST", REPO + "/tag/{rev}", references.create_tag, "json"),
    Route("DELETE", REPO + "/tag/{rev}", references.delete_tag),
    Route("POST", REPO + "/super-squash/{rev}", squash.super_squash, "json"),
    Route("GET", REPO + "/lfs-files", lfs_files.listing),
    Route("POST", REPO + "/lfs-files/batch", lfs_files.batch, "json"),
    Route("POST", REPO + "/lfs-files/duplicate", lfs_files.duplicate, "json"),
    Route("GET", REPO + "/discussions", discussions.listing),
    Route("POST", REPO + "/discussions", discussions.create, "json"),
    Route("GET", REPO + "/discussions/{num}", discussions.details),
    Route("POST", REPO + "/discussions/{num}/comment", discussions.comment, "json"),
    Route("POST", REPO + "/discussions/{num}/comment/{comment}/edit", discussions.edit, "json"),
    Route("POST", REPO + "/discussions/{num}/comment/{comment}/hide", discussions.hide, "json"),
    Route("POST", REPO + "/discussions/{num}/title", discussions.retitle, "json"),
    Route("POST", REPO + "/discussions/{num}/status", discussions.status, "json"),
    Route("POST", REPO + "/discussions/{num}/merge", discussions.merge, "json"),
    Route("PUT", "/-/lfs/{kind}/{ns}/{name}/{oid}", transfers.put, "stream"),
    Route("POST", "/-/lfs/{kind}/{ns}/{name}/{oid}", transfers.complete, "json", anyone=True, limit=LONG),
    Route("GET", "/-/lfs/{kind}/{ns}/{name}/{oid}", transfers.get),
)

XET_STORE = "/-/xet/{kind}/{ns}/{name}/{shelf}"
XET = (
    Route("GET", REPO + "/xet-write-token/{rev}", xet.write_token),
    Route("GET", REPO + "/xet-read-token/{rev}", xet.read_token),
    Route("POST", XET_STORE + "/v1/xorbs/default/{hash}", xet.put_xorb, "stream", own_token=True),
    Route("POST", XET_STORE + "/v1/shards", xet.put_shard, "stream", own_token=True),
    Route("GET", XET_STORE + "/v1/chunks/{prefix}/{hash}", xet.unknown_chunk, own_token=True),
    Route("POST", XET_STORE + "/v1/xorb-grants/default/{hash}", xet.older, own_token=True),
    Route("POST", XET_STORE + "/v2/shards", xet.older, own_token=True),
    Route("POST", "/v1/telemetry", accounts.nothing, own_token=True),
)


def _both(
    method: str, pattern: str, handler: object, body: str = "none", anyone: bool = False
) -> tuple[Route, ...]:
    """The address of a model, and the same under /datasets and /spaces."""
    assert callable(handler)
    places = {"/datasets": DATASET, "/spaces": SPACE, "": MODEL}
    return tuple(
        Route(method, place + pattern, handler, body, kind, anyone=anyone) for place, kind in places.items()
    )


FILES = (
    *_both("POST", "/{ns}/{name}.git/info/lfs/objects/batch", uploads.batch, "json", anyone=True),
    *_both("POST", "/{ns}/{name}.git/info/lfs/objects/verify", uploads.verify, "json"),
    *_both("POST", "/{ns}/{name}.git/info/lfs/locks/verify", uploads.no_locks),
    *_both("POST", "/{ns}/{name}/ask-access", access.ask, "stream"),
    *_both("GET", "/{ns}/{name}.git/info/refs", git.advertise),
    *_both("GET", "/{ns}/{name}/info/refs", git.advertise),
    *_both("POST", "/{ns}/{name}.git/git-upload-pack", git.upload_pack, "stream"),
    *_both("POST", "/{ns}/{name}/git-upload-pack", git.upload_pack, "stream"),
    *_both("POST", "/{ns}/{name}.git/git-receive-pack", git.receive_pack, "stream"),
    *_both("POST", "/{ns}/{name}/git-receive-pack", git.receive_pack, "stream"),
    *_both("GET", "/{ns}/{name}/resolve/{rev}/{path*}", files.resolve),
    *_both("GET", "/{ns}/{name}/raw/{rev}/{path*}", files.raw),
    Route("GET", "/api/resolve-cache/{kind}/{ns}/{name}/{rev}/{path*}", files.resolve),
)

PAGES = (
    Route("GET", "/", lists.overview),
    Route("GET", "/-/{file}", views.served),
    Route("GET", "/models", lists.listing),
    Route("GET", "/datasets", lists.listing, fixed=DATASET),
    Route("GET", "/spaces", lists.listing, fixed=SPACE),
    Route("GET", "/collections", collected.listing),
    Route("GET", "/collections/{ns}/{slug}", collected.collection),
    *_both("GET", "/{ns}/{name}/tree/{rev}", code.tree),
    *_both("GET", "/{ns}/{name}/tree/{rev}/{path*}", code.tree),
    *_both("GET", "/{ns}/{name}/blob/{rev}/{path*}", blob.page),
    *_both("GET", "/{ns}/{name}/commits/{rev}", history.listing),
    *_both("GET", "/{ns}/{name}/commit/{sha}", history.commit),
    *_both("GET", "/{ns}/{name}/compare", compare.choose),
    *_both("GET", "/{ns}/{name}/compare/{pair*}", compare.compare),
    *_both("GET", "/{ns}/{name}/discussions", talks.listing),
    *_both("GET", "/{ns}/{name}/discussions/{num}", talks.story),
    *_both("GET", "/{ns}/{name}", views.card),
    Route("GET", "/{ns}", lists.overview),
)

ROUTES = (*API, *XET, *FILES, *PAGES)
