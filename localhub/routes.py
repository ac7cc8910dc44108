"""Every address that is served, in the order in which they are tried."""

from __future__ import annotations

from localhub.api import (
    accounts,
    cards,
    commit,
    discussions,
    files,
    reading,
    references,
    repositories,
    uploads,
)
from localhub.pages import code, views
from localhub.router import Route

REPO = "/api/{kind}/{ns}/{name}"
MODEL = (("kind", "models"),)
DATASET = (("kind", "datasets"),)

API = (
    Route("GET", "/api/whoami-v2", accounts.whoami),
    Route("GET", "/api/agent-harnesses", accounts.nothing),
    Route("POST", "/api/repos/create", repositories.create, "json"),
    Route("DELETE", "/api/repos/delete", repositories.delete, "json"),
    Route("POST", "/api/validate-yaml", cards.validate, "json"),
    Route("GET", "/api/{kind}", repositories.listing),
    Route("GET", REPO, repositories.info),
    Route("GET", REPO + "/revision/{rev}", repositories.info),
    Route("PUT", REPO + "/settings", repositories.settings, "json"),
    Route("GET", REPO + "/auth-check", accounts.auth_check),
    Route("GET", REPO + "/auth-check/write", accounts.auth_check_write),
    Route("GET", REPO + "/tree/{rev}", reading.tree),
    Route("GET", REPO + "/tree/{rev}/{path*}", reading.tree),
    Route("POST", REPO + "/paths-info/{rev}", reading.paths_info, "form"),
    Route("GET", REPO + "/refs", reading.references),
    Route("GET", REPO + "/commits/{rev}", reading.history),
    Route("POST", REPO + "/preupload/{rev}", uploads.preupload, "json"),
    Route("POST", REPO + "/commit/{rev}", commit.post, "stream"),
    Route("POST", REPO + "/branch/{rev}", references.create_branch, "json"),
    Route("DELETE", REPO + "/branch/{rev}", references.delete_branch),
    Route("POST", REPO + "/tag/{rev}", references.create_tag, "json"),
    Route("DELETE", REPO + "/tag/{rev}", references.delete_tag),
    Route("GET", REPO + "/discussions", discussions.listing),
    Route("POST", REPO + "/discussions", discussions.create, "json"),
    Route("GET", REPO + "/discussions/{num}", discussions.details),
    Route("POST", REPO + "/discussions/{num}/comment", discussions.comment, "json"),
    Route("POST", REPO + "/discussions/{num}/title", discussions.retitle, "json"),
    Route("POST", REPO + "/discussions/{num}/status", discussions.status, "json"),
    Route("POST", REPO + "/discussions/{num}/merge", discussions.merge, "json"),
    Route("PUT", "/-/lfs/{kind}/{ns}/{name}/{oid}", uploads.put, "stream"),
    Route("GET", "/-/lfs/{kind}/{ns}/{name}/{oid}", uploads.get),
)


def _both(method: str, pattern: str, handler: object, body: str = "none") -> tuple[Route, ...]:
    """The address of a model, and the same under /datasets."""
    assert callable(handler)
    return (
        Route(method, "/datasets" + pattern, handler, body, DATASET),
        Route(method, pattern, handler, body, MODEL),
    )


FILES = (
    *_both("POST", "/{ns}/{name}.git/info/lfs/objects/batch", uploads.batch, "json"),
    *_both("POST", "/{ns}/{name}.git/info/lfs/objects/verify", uploads.verify, "json"),
    *_both("POST", "/{ns}/{name}.git/info/lfs/locks/verify", uploads.no_locks),
    *_both("GET", "/{ns}/{name}/resolve/{rev}/{path*}", files.resolve),
)

PAGES = (
    Route("GET", "/", views.home),
    Route("GET", "/-/style.css", views.style),
    Route("GET", "/models", views.home),
    Route("GET", "/datasets", views.home, fixed=DATASET),
    *_both("GET", "/{ns}/{name}/tree/{rev}", code.tree),
    *_both("GET", "/{ns}/{name}/tree/{rev}/{path*}", code.tree),
    *_both("GET", "/{ns}/{name}/blob/{rev}/{path*}", code.blob),
    *_both("GET", "/{ns}/{name}/commits/{rev}", code.history),
    *_both("GET", "/{ns}/{name}/commit/{sha}", code.commit),
    *_both("GET", "/{ns}/{name}/discussions", views.discussions),
    *_both("GET", "/{ns}/{name}/discussions/{num}", views.discussion),
    *_both("GET", "/{ns}/{name}", views.card),
    Route("GET", "/{ns}", views.home),
)

ROUTES = (*API, *FILES, *PAGES)
