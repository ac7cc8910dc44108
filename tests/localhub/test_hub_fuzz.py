"""Every route, with requests that nobody should send: whatever comes, no answer is a 500 and nothing is torn.

The application itself is called, as the server calls it (https://asgi.readthedocs.io). Examples are the same
each time; FUZZ_EXAMPLES=2000 looks further, and elsewhere each time.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from localhub import auth, check
from localhub.api.call import Hub
from localhub.app import build
from localhub.routes import ROUTES
from localhub.storage import repos
from tests.localhub.hostile import Asked, Seeds, requests

MANY = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SETTINGS = settings(
    max_examples=MANY or 15,
    derandomize=not MANY,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LARGE = b"\x00weights" * 99
CARD = b"---\nlicense: mit\ntags: [a]\n---\n# Card\n\n| a |\n|---|\n| 1 |\n"
ALLOWED = (501, 507)


@dataclass
class Place:
    """The application over a data directory, and a copy of that as it began."""

    app: ASGIApp
    data: Path
    copy: Path
    loop: asyncio.AbstractEventLoop
    seeds: Seeds

    def ask(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return self.loop.run_until_complete(_ask(self.app, asked))

    def restore(self) -> None:
        """As it began, if a request took away what the next ones are about."""
        if sorted(_ids(self.data)) == sorted(_ids(self.copy)):
            return
        for name in ("repos", "collections"):
            shutil.rmtree(self.data / name)
            shutil.copytree(self.copy / name, self.data / name)


def _ids(data: Path) -> Iterator[str]:
    found = (*data.glob("repos/*/*/*"), *data.glob("collections/*"))
    return (str(path.relative_to(data)) for path in found)


async def _ask(app: ASGIApp, asked: Asked) -> tuple[int, dict[str, str], bytes]:
    sent: list[Message] = []
    bodies = [asked.body[: len(asked.body) // 2], asked.body[len(asked.body) // 2 :]]
    coming: list[Message] = [
        {"type": "http.request", "body": body, "more_body": not last}
        for body, last in zip(bodies, (0, 1), strict=True)
    ]

    async def receive() -> Message:
        if coming:
            return coming.pop(0)
        await asyncio.sleep(30)  # a client that waits for its answer
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = asked.path.encode("ascii", "replace")
    scope = {
        "type": "http",
        "method": asked.method,
        "path": unquote(asked.path),
        "raw_path": raw,
        "query_string": asked.query.encode("ascii", "replace"),
        "headers": list(asked.headers),
        "scheme": "http",
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 2),
        "http_version": "1.1",
        "root_path": "",
    }
    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def _plain(place: Place, method: str, address: str, body: bytes = b"", token: str = "t-local") -> Any:
    path, _, query = address.partition("?")
    headers = ((b"host", b"127.0.0.1:1"), (b"authorization", f"Bearer {token}".encode()))
    status, found, answer = place.ask(Asked(method, path, query, headers, body))
    assert status < 300, (method, address, answer)
    return json.loads(answer) if "json" in found.get("content-type", "") else None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Models (public and private) and a data set, with a tag, a branch, a discussion and a pull request."""
    base = tmp_path_factory.mktemp("fuzz")
    data = base / "data"
    repos.prepare(data)
    users = {
        "t-local": auth.User("local", "", "", admin=True),
        "t-ada": auth.User("ada", "", "", (auth.Org("engines"),)),
        "t-bob": auth.User("bob", "", ""),
    }
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    place = Place(
        build(Hub(data, users, "secret")), data, base / "copy", loop, Seeds({}, (), (), (), {}, ("", ""), b"")
    )
    place.seeds = _seeded(place)
    shutil.copytree(data, place.copy)
    yield place
    loop.close()


def _seeded(place: Place) -> Seeds:
    from hashlib import sha256

    oid, links = sha256(LARGE).hexdigest(), []
    for kind, name in itertools.product(("model", "dataset", "space"), ("m", "secret")):
        made = {"organization": "ada", "name": name, "type": kind, "sdk": "static"}
        made["visibility"] = "private" if name == "secret" else "public"
        _plain(place, "POST", "/api/repos/create", json.dumps(made).encode())
        prefix = "" if kind == "model" else f"/{kind}s"
        for size in (len(LARGE), 5):
            batch = {"operation": "upload", "objects": [{"oid": oid, "size": size}]}
            address = f"{prefix}/ada/{name}.git/info/lfs/objects/batch"
            found = _plain(place, "POST", address, json.dumps(batch).encode())
            link = urlsplit(found["objects"][0]["actions"]["upload"]["href"])
            links.append(f"{link.path}?{link.query}")
        _plain(place, "PUT", links[-2], LARGE)
        sha = _commit(place, f"/api/{kind}s/ada/{name}", oid)
    parts = {
        "kind": ("models", "datasets", "spaces"),
        "ns": ("ada",),
        "name": ("m", "secret", "M"),
        "rev": ("main", "v1", "b", "refs/pr/2", "refs/heads/b", sha, sha[:8]),
        "sha": (sha, sha[:8], "main"),
        "path": ("README.md", "w.bin", "data/a.csv", "data", ".gitattributes", ""),
        "pair": (f"{sha}..main", "v1..main", "main...b", "main"),
        "num": ("1", "2"),
        "oid": (oid,),
        "user": ("ada", "local"),
        "org": ("engines",),
        "status": ("pending", "accepted", "rejected"),
        "hash": (oid,),
        "file": ("style.css",),
    }
    words = (
        *(
            "1",
            "2",
            "open",
            "closed",
            "true",
            "auto",
            "public",
            "private",
            "ada/m",
            "ada/d",
            "model",
            "dataset",
        ),
        *("upload", "download", "ada", "bob", "v1", "v2", CARD.decode(), "*.bin\n!x\n", "pull_request"),
    )
    tokens = ("t-local", "t-local", "t-local", "t-ada", "t-bob")
    store = _plain(place, "GET", "/api/models/ada/m/xet-write-token/main")
    where = (urlsplit(store["casUrl"]).path, store["accessToken"])
    return Seeds(parts | _talk(place), tokens, tuple(links), words, _bodies(oid, sha), where, LARGE)


def _talk(place: Place) -> dict[str, tuple[str, ...]]:
    """A collection and its item, and a comment: what the Hub has named itself."""
    wanted = {"title": "c", "namespace": "ada", "private": False}
    slug = _plain(place, "POST", "/api/collections", json.dumps(wanted).encode())["slug"]
    row = {"item": {"id": "ada/m", "type": "model"}, "note": "n"}
    made = _plain(place, "POST", f"/api/collections/{slug}/items", json.dumps(row).encode())
    story = _plain(place, "GET", "/api/models/ada/m/discussions/1")
    return {
        "slug": (slug.partition("/")[2],),
        "item": (made["items"][0]["_id"],),
        "comment": (story["events"][0]["id"],),
    }


def _bodies(oid: str, sha: str) -> dict[str, Any]:
    """What each route understands, by the end of its pattern."""
    item = {"id": "ada/m", "type": "model"}
    return {
        "/repos/create": {"organization": "ada", "name": "made", "type": "model", "visibility": "private"},
        "/repos/delete": {"organization": "ada", "name": "made", "type": "model"},
        "/repos/move": {"fromRepo": "ada/made", "toRepo": "ada/moved", "type": "model"},
        "/validate-yaml": {"content": CARD.decode(), "repoType": "model"},
        "/settings": {"visibility": "public", "gated": "manual"},
        "/duplicate": {"repository": "ada/copy", "visibility": "private"},
        "/handle": {"user": "bob", "status": "accepted", "rejectionReason": "x"},
        "/grant": {"user": "bob"},
        "/cancel": {"user": "bob"},
        "/preupload/{rev}": {"files": [{"path": "a.bin", "size": 3, "sample": "AAAA"}], "gitIgnore": "*.x"},
        "/branch/{rev}": {"startingPoint": "main"},
        "/tag/{rev}": {"tag": "v9", "message": "m"},
        "/super-squash/{rev}": {"message": "m"},
        "/lfs-files/batch": {"deletions": {"sha": [oid], "rewriteHistory": True}},
        "/lfs-files/duplicate": {"files": [{"sha256": oid, "size": len(LARGE)}], "target": "ada/m"},
        "/discussions": {"title": "title", "description": "d", "pullRequest": True},
        "/comment": {"comment": "c"},
        "/edit": {"content": "c"},
        "/title": {"title": "other"},
        "/status": {"status": "closed", "comment": "c"},
        "/merge": {"comment": "c"},
        "/batch": {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": 792}]},
        "/verify": {"oid": oid, "size": len(LARGE)},
        "/{oid}": {"oid": oid, "parts": [{"partNumber": 1, "etag": oid}]},
        "/api/collections": {"title": "c", "namespace": "ada", "private": False, "item": item},
        "/items": {"item": item, "note": "n"},
        "/items/{item}": {"note": "n", "position": 1},
        "/{slug}": {"title": "c", "description": "d", "theme": "blue", "private": True, "position": 1},
    }


def _commit(place: Place, repo: str, oid: str) -> str:
    lines = [
        {"key": "header", "value": {"summary": "s"}},
        {"key": "file", "value": {"path": "README.md", "content": CARD.decode(), "encoding": "utf-8"}},
        {"key": "file", "value": {"path": "data/a.csv", "content": "a,b\n1,2\n", "encoding": "utf-8"}},
        {"key": "lfsFile", "value": {"path": "w.bin", "oid": oid, "size": len(LARGE)}},
    ]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    found = _plain(place, "POST", f"{repo}/commit/main", body)
    _plain(place, "POST", f"{repo}/tag/main", b'{"tag": "v1"}')
    _plain(place, "POST", f"{repo}/branch/b", b"{}")
    _plain(place, "POST", f"{repo}/discussions", b'{"title": "talk", "description": "text"}')
    _plain(place, "POST", f"{repo}/commit/main?create_pr=1", body.replace(b"1,2", b"3,4"))
    return str(found["commitOid"])


@pytest.mark.parametrize("number", range(len(ROUTES)), ids=[f"{r.method} {r.pattern}" for r in ROUTES])
def test_no_request_is_a_500(place: Place, number: int, caplog: pytest.LogCaptureFixture) -> None:
    @SETTINGS
    @given(st.data())
    def attempt(data: st.DataObject) -> None:
        asked = data.draw(requests(ROUTES[number], place.seeds))
        status, headers, body = place.ask(asked)
        assert status < 500 or status in ALLOWED, body
        assert "set-cookie" not in headers
        if headers.get("content-type", "").startswith("text/html"):
            assert "default-src 'none'" in headers["content-security-policy"]
        place.restore()

    with caplog.at_level(logging.ERROR):
        attempt()
    assert caplog.records == []


def test_nothing_is_torn_after_all_that(place: Place) -> None:
    assert list(check.problems(place.data)) == []
