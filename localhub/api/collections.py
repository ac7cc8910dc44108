"""Collections. Whoever may write in a namespace makes and changes its collections, and sees the private ones.

What an item means is looked up anew each time, for whoever asks: repositories that they may not see, and
those that were deleted, are not in the answer, and are not counted in positions.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from starlette.responses import Response

from localhub.api.call import Call
from localhub.api.paging import page
from localhub.auth import User, may_read, may_write, require_user
from localhub.errors import HubError
from localhub.names import is_repo_part
from localhub.storage import collections as store
from localhub.storage import moves, repos
from localhub.storage.collections import Collection, Item

MAX_TITLE = 60
MAX_DESCRIPTION = 150
MAX_NOTE = 500
MAX_PAGE = 100
IN_A_LIST = 4  # items of each collection that a list shows
THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")
SORTS = ("lastModified", "trending", "upvotes")  # nobody votes here: each is the order of the last change
REPOSITORIES = ("model", "dataset", "space")
_PAPER = re.compile(r"\d{4}\.\d{4,5}", re.ASCII)  # https://info.arxiv.org/help/arxiv_identifier.html


def listing(call: Call) -> Response:
    """GET /api/collections?owner=&item=&q=&sort=&limit=: rows without `position`, the latest change first."""
    if call.query.get("sort", SORTS[0]) not in SORTS:
        raise HubError(400, f"'sort' must be one of {', '.join(SORTS)}.")
    limit = max(1, call.count("limit", MAX_PAGE, MAX_PAGE))
    after = tuple(call.query.get("cursor", "").split(",", 1))
    asked = (item for item in store.every(call.hub.data) if _is_asked(call, item))
    found = sorted((item for item in asked if len(after) < 2 or _key(item) < after), key=_key, reverse=True)
    rows = [_shown(call, item, IN_A_LIST) for item in found[:limit]]
    for row in rows:
        del row["position"]  # the client numbers them itself
    return page(call, rows, ",".join(_key(found[limit - 1])) if len(found) > limit else None)


def _key(collection: Collection) -> tuple[str, str]:
    return collection["updated"], collection["id"]


def _is_asked(call: Call, collection: Collection) -> bool:
    values = call.request.query_params.getlist
    owners = {name.lower() for name in values("owner")}
    if not _may_see(call.user, collection) or (owners and collection["owner"].lower() not in owners):
        return False
    if call.query.get("q", "").lower() not in collection["title"].lower():
        return False
    wanted = {name.lower() for name in values("item")}
    if not wanted:
        return True
    shown = (_item(call, item) for item in collection["items"])
    return any(f"{item['type']}s/{item.get('slug', item['id'])}".lower() in wanted for item in shown if item)


def _may_see(user: User | None, collection: Collection) -> bool:
    return not collection["private"] or may_write(user, collection["owner"])


def create(call: Call) -> dict[str, Any]:
    """POST /api/collections `{title, namespace, description?, private?}`; 409 with `slug` when it exists."""
    user = require_user(call.user)
    namespace = call.text("namespace", user.name)
    if not is_repo_part(namespace) or not may_write(user, namespace):
        raise HubError(403, f"You don't have the rights to create a collection under {namespace[:100]}")
    known = call.hub.account(namespace) or call.hub.org(namespace)
    owner = known.name if known else namespace
    title, description = _title(call), _line(call, "description", MAX_DESCRIPTION)
    made = store.create(call.hub.data, owner, title, description, _flag(call, "private"))
    return _shown(call, made)


def _title(call: Call) -> str:
    title = _line(call, "title", MAX_TITLE)
    if not title:
        raise HubError(400, "A collection needs a title.")
    return title


def _line(call: Call, key: str, most: int) -> str:
    """A text of the body on one line; HubError 400 when it is too long."""
    line = " ".join(call.text(key, "").split())
    if len(line) > most:
        raise HubError(400, f"'{key}' must have at most {most} characters; this has {len(line)}.")
    return line


def _flag(call: Call, key: str) -> bool:
    value = call.body.get(key)
    if value is not None and not isinstance(value, bool):
        raise HubError(400, f"'{key}' must be true or false.")
    return value is True


def _position(call: Call) -> int:
    value = call.body["position"]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**6:
        raise HubError(400, "'position' must be a number from 0 on.")
    return value


def get(call: Call) -> dict[str, Any]:
    """GET /api/collections/NS/WORDS-ID, with all its items."""
    return _shown(call, _found(call))


def _found(call: Call) -> Collection:
    collection = store.find(call.hub.data, call.args["ns"], call.args["slug"])
    if not _may_see(call.user, collection):
        raise store.not_found(f"{call.args['ns']}/{call.args['slug']}")
    return collection


def _own(call: Call) -> Collection:
    """The collection, for someone who may change it: else HubError 401, 403 or 404."""
    user = require_user(call.user)
    collection = _found(call)
    if not may_write(user, collection["owner"]):
        raise HubError(403, f"You don't have the rights to change collections of {collection['owner']}")
    return collection


def update(call: Call) -> dict[str, Any]:
    """PATCH /api/collections/NS/WORDS-ID `{title?, description?, position?, private?, theme?}`"""
    asked = _own(call)
    new: dict[str, Any] = {}
    if "title" in call.body:
        new["title"] = _title(call)
    if "description" in call.body:
        new["description"] = _line(call, "description", MAX_DESCRIPTION)
    if "private" in call.body:
        new["private"] = _flag(call, "private")
    if "position" in call.body:
        new["position"] = _position(call)
    if "theme" in call.body:
        new["theme"] = call.text("theme")
        if new["theme"] not in THEMES:
            raise HubError(400, f"'theme' must be one of {', '.join(THEMES)}.")
    with store.changing(call.hub.data, asked["id"]) as collection:
        collection |= new
    return {"success": True, "data": _shown(call, collection)}


def delete(call: Call) -> dict[str, Any]:
    """DELETE /api/collections/NS/WORDS-ID"""
    store.delete(call.hub.data, _own(call)["id"])
    return {"success": True}


def add_item(call: Call) -> dict[str, Any]:
    """POST /api/collections/NS/WORDS-ID/items `{item: {id, type}, note?}`; 409 when it is there already."""
    asked = _own(call)
    wanted = call.body.get("item")
    kind, name = (wanted.get("type"), wanted.get("id")) if isinstance(wanted, dict) else (None, None)
    if not (isinstance(kind, str) and isinstance(name, str)):
        raise HubError(400, "'item' must be an object with an 'id' and a 'type'.")
    item = _meant(call, kind, name.removeprefix(f"{kind}s/")) | {"note": _line(call, "note", MAX_NOTE)}
    if item["uid"] == asked["id"]:
        raise HubError(400, "A collection cannot hold itself.")
    with store.changing(call.hub.data, asked["id"]) as collection:
        store.add(collection, item)
    return _shown(call, collection)


def _meant(call: Call, kind: str, name: str) -> Item:
    """A new item of that type; HubError 404 unless the caller sees what it names."""
    namespace, _, rest = name.partition("/")
    if kind in REPOSITORIES:
        data = call.hub.data
        repo = repos.find(data, kind, namespace, rest) or moves.follow(data, kind, namespace, rest)
        if repo and may_read(call.user, repo):
            return {"type": kind, "id": repo.id, "uid": repo.uid}
    elif kind == "collection":
        collection = store.find(call.hub.data, namespace, rest)
        if _may_see(call.user, collection):
            return {"type": kind, "id": store.slug_of(collection), "uid": collection["id"]}
    elif kind == "paper":
        if _PAPER.fullmatch(name):
            return {"type": kind, "id": name, "uid": None}
    else:
        raise HubError(400, f"'type' must be one of {', '.join(REPOSITORIES)}, paper, collection.")
    raise HubError(404, f"There is no {kind} {name[:200]}")


def update_item(call: Call) -> dict[str, Any]:
    """PATCH /api/collections/NS/WORDS-ID/items/_id `{note?, position?}`; past the end is the end."""
    asked = _own(call)
    note = _line(call, "note", MAX_NOTE) if "note" in call.body else None
    position = _position(call) if "position" in call.body else None
    with store.changing(call.hub.data, asked["id"]) as collection:
        place = store.place_of(collection, call.args["item"])
        item = collection["items"].pop(place)
        item["note"] = item["note"] if note is None else note
        seen = [at for at, other in enumerate(collection["items"]) if _item(call, other)]
        if position is not None:
            place = seen[position] if position < len(seen) else len(collection["items"])
        collection["items"].insert(place, item)
    return {"success": True}


def delete_item(call: Call) -> dict[str, Any]:
    """DELETE /api/collections/NS/WORDS-ID/items/_id"""
    with store.changing(call.hub.data, _own(call)["id"]) as collection:
        del collection["items"][store.place_of(collection, call.args["item"])]
    return {"success": True}


def _shown(call: Call, collection: Collection, most: int = store.MAX_ITEMS) -> dict[str, Any]:
    """A collection as the Hub answers it (huggingface_hub/hf_api.py: Collection), with up to `most` items."""
    shown = (found for item in collection["items"] if (found := _item(call, item)))
    items = [item | {"position": position} for position, item in enumerate(islice(shown, most))]
    return {
        "slug": store.slug_of(collection),
        "title": collection["title"],
        "description": collection["description"] or None,
        "owner": _owner(call, collection["owner"]),
        "items": items,
        "lastUpdated": collection["updated"],
        "position": collection["position"],
        "private": collection["private"],
        "theme": collection["theme"],
        "gating": False,
        "upvotes": 0,
        "isUpvotedByUser": False,
    }


def _owner(call: Call, name: str) -> dict[str, Any]:
    org = call.hub.org(name)
    known = org or call.hub.account(name)
    fullname = known.fullname if known else ""
    return {"name": name, "fullname": fullname or name, "type": "org" if org else "user", "avatarUrl": ""}


def _item(call: Call, item: Item) -> dict[str, Any] | None:
    """An item as it is now; None when the caller does not see what it means."""
    shown = {"_id": item["_id"], "id": item["id"], "type": item["type"]}
    if item["note"]:
        shown["note"] = {"text": item["note"], "html": ""}
    if item["type"] in REPOSITORIES:
        repo = store.repository(call.hub.data, item)
        if repo is None or not may_read(call.user, repo):
            return None
        shown |= {"id": repo.id, "author": repo.namespace, "repoType": repo.kind}
        return shown | {"private": repo.private, "gated": repo.gated or False}
    if item["type"] == "collection":
        collection = store.nested(call.hub.data, item)
        if collection is None or not _may_see(call.user, collection):
            return None
        shown |= {"id": collection["id"], "slug": store.slug_of(collection)}
        return shown | {"title": collection["title"]}
    return shown
