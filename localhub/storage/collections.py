"""Collections: lists of repositories, papers and other collections that an owner puts together.

DATA/collections/ID.json   one collection; ID is 24 hexadecimal digits
DATA/collections/lock      held by whoever changes one

The address of a collection ends in its ID, and only that counts: `ada/recent-models-ID` stays good when the
title changes. A repository in it is known by its identity, so it is found again under another name, and a new
repository that takes the old name is not mistaken for it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from localhub.errors import HubError
from localhub.storage import redirects, repos
from localhub.storage.discussions import now
from localhub.storage.disk import locked, read_json, write_json
from localhub.storage.remembered import remembered
from localhub.storage.repos import Repo

Collection = dict[str, Any]
Item = dict[str, Any]
MAX_ITEMS = 1000
MAX_COLLECTIONS = 1000  # of one owner
REMEMBERED = 50_000  # items

_ID = re.compile(r"(?:.*-)?([0-9a-f]{24})", re.ASCII | re.DOTALL)


def not_found(slug: str) -> HubError:
    """The answer for a collection that is not there, and for one that the caller may not see."""
    return HubError(404, f"Collection {slug[:200]} not found")


def slug_of(collection: Collection) -> str:
    """`owner/words-of-the-title-ID`, as the Hub addresses it."""
    plain = unicodedata.normalize("NFKD", collection["title"]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return f"{collection['owner']}/{words}{'-' if words else ''}{collection['id']}"


def every(data: Path) -> list[Collection]:
    """All collections, in no order. They are remembered, and not to be changed."""
    try:
        names = os.listdir(data / "collections")
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        if _ID.fullmatch(name.removesuffix(".json")) and name.endswith(".json"):
            with suppress(FileNotFoundError):  # deleted while we were listing
                found.append(_load(data / "collections" / name))
    return found


def _load(path: Path) -> Collection:
    state = path.stat()
    return _read(str(path), state.st_ino, state.st_mtime_ns, state.st_size)


@remembered(REMEMBERED, lambda collection: 1 + len(collection["items"]))
def _read(path: str, inode: int, changed: int, size: int) -> Collection:
    del inode, changed, size  # they are what makes a state of the file another
    found: Collection = read_json(Path(path))
    return found


def find(data: Path, owner: str, words_and_id: str) -> Collection:
    """The collection whose address ends in this ID and begins with its owner; HubError 404."""
    match = _ID.fullmatch(words_and_id)
    if match:
        with suppress(FileNotFoundError):
            found = _load(_file(data, match[1]))
            if found["owner"].lower() == owner.lower():
                return found
    raise not_found(f"{owner}/{words_and_id}")


def _file(data: Path, identity: str) -> Path:
    return data / "collections" / f"{identity}.json"


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    (data / "collections").mkdir(mode=0o700, exist_ok=True)
    with locked(data / "collections" / "lock"):
        yield


def create(data: Path, owner: str, title: str, description: str, private: bool) -> Collection:
    """A new, empty collection; HubError 409, whose body has `slug`, when the owner has one of that title."""
    made: Collection = {
        "id": uuid4().hex[:24],
        "owner": owner,
        "title": title,
        "description": description,
        "private": private,
        "theme": "orange",
        "updated": now(),
        "items": [],
    }
    with _alone(data):
        others = [other for other in every(data) if other["owner"].lower() == owner.lower()]
        for other in others:
            if other["title"] == title:
                raise HubError(409, "You already created this collection.", slug=slug_of(other))
        if len(others) >= MAX_COLLECTIONS:
            raise HubError(400, f"An owner has at most {MAX_COLLECTIONS} collections.")
        made["position"] = max((other["position"] for other in others), default=-1) + 1
        write_json(_file(data, made["id"]), made)
    return made


@contextmanager
def changing(data: Path, identity: str) -> Iterator[Collection]:
    """A collection as it is now; what is done to it is saved, unless an exception ends it. HubError 404."""
    with _alone(data):
        try:
            collection: Collection = read_json(_file(data, identity))
        except FileNotFoundError:
            raise not_found(identity) from None
        yield collection
        collection["updated"] = now()
        write_json(_file(data, identity), collection)


def delete(data: Path, identity: str) -> None:
    """Remove a collection; nothing of what is listed in it. HubError 404."""
    with _alone(data):
        try:
            _file(data, identity).unlink()
        except FileNotFoundError:
            raise not_found(identity) from None


def add(collection: Collection, item: Item) -> None:
    """Put an item at the end; HubError 409 when it is in the collection, 400 when that is full."""
    same = ("type", "id") if item["uid"] is None else ("type", "uid")
    if any(all(other[key] == item[key] for key in same) for other in collection["items"]):
        raise HubError(409, f"{item['id']} is in this collection already.")
    if len(collection["items"]) >= MAX_ITEMS:
        raise HubError(400, f"A collection holds at most {MAX_ITEMS} items.")
    collection["items"].append(item | {"_id": uuid4().hex[:24]})


def place_of(collection: Collection, item_id: str) -> int:
    """Where the item of that `_id` stands, from 0; HubError 404."""
    for place, item in enumerate(collection["items"]):
        if item["_id"] == item_id:
            return place
    raise HubError(404, f"Item {item_id[:40]} not found")


def repository(data: Path, item: Item) -> Repo | None:
    """The repository that an item means, whatever its name is now; None when it was deleted."""
    for place in (item["id"], *redirects.places(data, item["uid"])):
        repo = repos.find(data, item["type"], *place.split("/", 1))
        if repo and repo.uid == item["uid"]:
            return repo
    return None


def nested(data: Path, item: Item) -> Collection | None:
    """The collection that an item means; None when it was deleted."""
    with suppress(FileNotFoundError):
        return _load(_file(data, item["uid"]))
    return None
