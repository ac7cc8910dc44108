"""Collections as pages: the list of them, and one with what it holds."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from localhub.api import collections
from localhub.api.call import Call
from localhub.auth import may_write
from localhub.pages import catalogue, releases, render
from localhub.pages.around import around
from localhub.pages.catalogue import Row
from localhub.storage import collections as store
from localhub.storage import repos

PAGE = 50


def newest(call: Call, namespace: str = "") -> list[dict[str, Any]]:
    """Collections that the caller may see, of one namespace or of all, the latest change first."""
    found = [
        {key: item[key] for key in ("title", "description", "owner", "updated", "private")}
        | {"href": f"/collections/{store.slug_of(item)}"}
        for item in store.every(call.hub.data)
        if not item["private"] or may_write(call.user, item["owner"])
    ]
    mine = [item for item in found if namespace.lower() in ("", item["owner"].lower())]
    return sorted(mine, key=lambda item: (item["updated"], item["href"]), reverse=True)


def listing(call: Call) -> Response:
    """GET /collections?p="""
    found = newest(call)
    number = min(call.count("p", 0, 10**5), max(0, len(found) - 1) // PAGE)
    return render.page(
        "collections.html",
        collections=found[number * PAGE : (number + 1) * PAGE],
        total=len(found),
        number=number,
        last=max(0, len(found) - 1) // PAGE,
        **around(call),
    )


def collection(call: Call) -> Response:
    """GET /collections/NS/WORDS-ID: its items in their order, those left out that the caller may not see."""
    found = collections.get(call)
    items = [(item, _row(call, item)) for item in found["items"]]
    return render.page("collection.html", found=found, items=items, **around(call))


def _row(call: Call, item: dict[str, Any]) -> tuple[Row, list[str]] | None:
    """The row of a repository with its newest tags; None for a paper or another collection."""
    if "repoType" not in item:
        return None
    repo = repos.find(call.hub.data, item["repoType"], *item["id"].split("/", 1))
    row = catalogue.visible(call, repo) if repo else None
    return None if row is None else (row, releases.newest(row.repo))
