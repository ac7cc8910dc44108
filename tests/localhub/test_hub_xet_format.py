"""Xorbs and shards that no client sends: refused in one sentence, with nothing left behind."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import HfApi
from hypothesis import given, settings
from hypothesis import strategies as st

from localhub import auth
from localhub.errors import HubError
from localhub.launch import Server
from localhub.storage import repos
from localhub.xet import rebuild, xorbs
from localhub.xet import shards as reading
from tests.localhub.conftest import serve
from tests.localhub.shards import GROUPED, LZ4, PLAIN, chunk, entry, group, shard

NAME = "ab" * 32
PARTS = (b"plain" * 100, bytes(100_000), bytes(range(256)) * 100 + b"odd")
XORB = chunk(PARTS[0]) + chunk(PARTS[1], LZ4) + chunk(PARTS[2], GROUPED)
WHOLE = b"".join(PARTS)


def cas(url: str, token: str, repo_id: str, scope: str = "write", query: str = "") -> httpx.Client:
    """A client of the content store of a repository, with the token that its user is given."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.get(f"{url}/api/models/{repo_id}/xet-{scope}-token/main{query}", headers=headers)
    answer.raise_for_status()
    given = answer.json()
    assert given["casUrl"] == answer.headers["x-xet-cas-url"]
    assert given["accessToken"] == answer.headers["x-xet-access-token"]
    assert str(given["exp"]) == answer.headers["x-xet-token-expiration"]
    return httpx.Client(
        base_url=given["casUrl"], headers={"Authorization": f"Bearer {given['accessToken']}"}, timeout=60
    )


@pytest.fixture
def store(hub: Server, repo_id: str) -> Any:
    with cas(hub.url, hub.token, repo_id) as client:
        assert client.post(f"/v1/xorbs/default/{NAME}", content=XORB).json() == {"was_inserted": True}
        yield client


def held(data: Path, repo_id: str) -> list[Path]:
    return [path for path in (data / "repos/models" / repo_id / "lfs").rglob("*") if path.is_file()]


def test_every_scheme_and_any_order(store: httpx.Client, data: Path, repo_id: str) -> None:
    twice = PARTS[1] + PARTS[2] + PARTS[0] + PARTS[0]
    pieces = [(NAME, len(PARTS[1] + PARTS[2]), 1, 3), *[(NAME, len(PARTS[0]), 0, 1)] * 2]
    body = shard(entry(WHOLE, [(NAME, len(WHOLE), 0, 3)]), entry(twice, pieces), entry(b"", []))
    for _ in range(2):  # the second time everything is there
        assert store.post("/v1/shards", content=body).json() == {"result": 1}
    wanted = {hashlib.sha256(content).hexdigest(): content for content in (WHOLE, twice, b"")}
    assert {path.name: path.read_bytes() for path in held(data, repo_id)} == wanted
    assert store.post(f"/v1/xorbs/default/{NAME}", content=XORB).json() == {"was_inserted": False}


def test_an_index_at_the_end_is_passed_over(store: httpx.Client) -> None:
    other = NAME[::-1]
    assert store.post(f"/v1/xorbs/default/{other}", content=XORB + b"XETBLOB\1" + bytes(500)).is_success
    body = shard(entry(WHOLE, [(other, len(WHOLE), 0, 3)]))
    assert store.post("/v1/shards", content=body).is_success


WHOLE_PIECE = (NAME, len(WHOLE), 0, 3)
BAD_SHARDS = {
    "chunks that are not there": shard(entry(WHOLE, [(NAME, len(WHOLE), 0, 4)])),
    "chunks from beyond the end": shard(entry(WHOLE, [(NAME, len(WHOLE), 2**32 - 2, 2**32 - 1)])),
    "no chunks": shard(entry(b"", [(NAME, 0, 1, 1)])),
    "chunks backwards": shard(entry(WHOLE, [(NAME, len(WHOLE), 3, 0)])),
    "fewer bytes than announced": shard(entry(WHOLE, [(NAME, len(WHOLE) + 1, 0, 3)])),
    "more bytes than announced": shard(entry(WHOLE, [(NAME, len(WHOLE) - 1, 0, 3)])),
    "another SHA-256": shard(entry(WHOLE + b"!", [WHOLE_PIECE])),
    "no SHA-256": shard(entry(WHOLE, [WHOLE_PIECE], flags=1 << 31)),
    "unknown parts": shard(entry(WHOLE, [WHOLE_PIECE], flags=0b111 << 29)),
    "a xorb that was not sent": shard(entry(WHOLE, [("cd" * 32, len(WHOLE), 0, 3)])),
    "a cut": shard(entry(WHOLE, [WHOLE_PIECE]))[:150],
    "no end": shard()[:48],
    "not a shard": b"PK" + bytes(200),
    "another version": shard()[:32] + b"\3" + shard()[33:],
    "nothing": b"",
}


@pytest.mark.parametrize("what", BAD_SHARDS)
def test_bad_shards(store: httpx.Client, data: Path, repo_id: str, what: str) -> None:
    answer = store.post("/v1/shards", content=BAD_SHARDS[what])
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")
    assert held(data, repo_id) == [] and list((data / "tmp").iterdir()) == []


BOMB = chunk(bytes(4 << 20), LZ4, size=1000)
BAD_XORBS = {
    "chunk of a later version": b"\1" + XORB[1:],
    "unknown scheme": XORB[:4] + b"\3" + XORB[5:],
    "chunk too large": chunk(bytes(xorbs.MAX_CHUNK + 1), LZ4),
    "empty chunk": chunk(b""),
    "cut in a chunk": XORB[:-1],
    "cut in a header": XORB + b"\0\0",
    "too many chunks": chunk(b"x") * (xorbs.MAX_CHUNKS + 1),
}


@pytest.mark.parametrize("what", BAD_XORBS)
def test_bad_xorbs(store: httpx.Client, data: Path, what: str) -> None:
    answer = store.post(f"/v1/xorbs/default/{'ef' * 32}", content=BAD_XORBS[what])
    assert answer.status_code == 400 and list((data / "tmp").iterdir()) == []
    assert store.post("/v1/xorbs/default/..%2f..%2fx", content=XORB).status_code == 400


PLAINLY = chunk(b"no frame")


@pytest.mark.parametrize("content", [BOMB, PLAINLY[:4] + b"\1" + PLAINLY[5:]], ids=["bomb", "no frame"])
def test_chunks_that_unpack_to_something_else(store: httpx.Client, content: bytes) -> None:
    assert store.post(f"/v1/xorbs/default/{'ef' * 32}", content=content).is_success
    size = int.from_bytes(content[5:8], "little")
    answer = store.post("/v1/shards", content=shard(entry(b"", [("ef" * 32, size, 0, 1)])))
    assert answer.status_code == 400 and "chunk" in answer.json()["error"]


def test_bodies_are_bounded(store: httpx.Client) -> None:
    many = chunk(os.urandom(xorbs.MAX_CHUNK)) * (xorbs.MAX_XORB // xorbs.MAX_CHUNK + 1)
    assert store.post(f"/v1/xorbs/default/{NAME}", content=many).status_code in (400, 413)
    assert store.post("/v1/shards", content=bytes(65 << 20)).status_code in (400, 413)


def test_the_older_ways_are_named(store: httpx.Client, hub: Server) -> None:
    assert store.get(f"/v1/chunks/default/{NAME}").status_code == 404
    assert store.post(f"/v1/xorb-grants/default/{NAME}", json={"length": 1}).status_code == 404
    assert store.post("/v2/shards", content=shard()).status_code == 404
    told = {"events": []}
    headers = store.headers
    assert httpx.post(f"{hub.url}/v1/telemetry", json=told, headers=headers).status_code == 200


@pytest.fixture
def owned(team: str) -> tuple[str, str]:
    """Two repositories of ada's: public, private."""
    ada = HfApi(endpoint=team, token="token-of-ada")
    names = f"ada/x{uuid4().hex[:8]}", f"ada/x{uuid4().hex[:8]}"
    for name, private in zip(names, (False, True), strict=True):
        ada.create_repo(name, private=private)
    return names


def asked(url: str, repo_id: str, token: str | None, path: str = "xet-write-token/main") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{url}/api/models/{repo_id}/{path}", headers=headers).status_code


def test_who_is_given_a_token(team: str, owned: tuple[str, str]) -> None:
    public, private = owned
    ada, bob = "token-of-ada", "token-of-bob"
    proposal = "xet-write-token/main?create_pr=1"
    assert [asked(team, public, who) for who in (ada, bob, None)] == [200, 403, 401]
    assert [asked(team, public, who, proposal) for who in (ada, bob, None)] == [200, 200, 401]
    for path in ("xet-write-token/main", proposal, "xet-read-token/main"):
        assert [asked(team, private, who, path) for who in (ada, bob, None)] == [200, 404, 401]
    assert asked(team, public, None, "xet-read-token/main") == 200
    assert asked(team, public, ada, "xet-write-token/nowhere") == 404


def test_a_token_opens_one_shelf_of_one_repository(team: str, owned: tuple[str, str]) -> None:
    """Knowing a xorb's hash, or the address of somebody's shelf, opens nothing."""
    public, private = owned
    body = shard(entry(WHOLE, [WHOLE_PIECE]))
    with (
        cas(team, "token-of-ada", private) as secret,
        cas(team, "token-of-ada", public) as mine,
        cas(team, "token-of-bob", public, query="?create_pr=1") as bobs,
        cas(team, "", public, "read") as anybody,
    ):
        assert secret.post(f"/v1/xorbs/default/{NAME}", content=XORB).is_success
        for other in (mine, bobs):
            answer = other.post("/v1/shards", content=body)
            assert answer.status_code == 400 and "was not uploaded here" in answer.json()["error"]
            crossed = httpx.post(f"{secret.base_url}v1/shards", content=body, headers=other.headers)
            assert crossed.status_code == 401
        assert anybody.post("/v1/shards", content=body).status_code == 403
        for header in ("", "Bearer token-of-ada", "Bearer write-9-9", "Basic eDp5", "Bearer write--"):
            headers = {"Authorization": header} if header else {}
            assert httpx.post(f"{mine.base_url}v1/shards", content=body, headers=headers).status_code == 401
        late = mine.headers["authorization"].split("-")
        late[1] = "1700000000"
        headers = {"Authorization": "-".join(late)}
        assert httpx.post(f"{mine.base_url}v1/shards", content=body, headers=headers).status_code == 401
        HfApi(endpoint=team, token="token-of-ada").delete_repo(private)
        assert secret.post("/v1/shards", content=body).status_code == 401


def test_a_token_ends(store: httpx.Client, data: Path, repo_id: str) -> None:
    repo = repos.find(data, "model", *repo_id.split("/"))
    assert repo is not None
    purpose = f"xet-write {repo.uid} {store.base_url.path.strip('/').rpartition('/')[2]}"
    now = int(time.time())
    for ends, status in ((now + 60, 200), (now - 1, 401)):
        token = "-".join(map(str, ("write", *auth.sign((data / "secret").read_text(), purpose, ends))))
        answer = store.post("/v1/shards", content=shard(), headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


def test_full_disk_is_507_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file size stands for the full disk."""
    process, url = serve(tmp_path, prefix=("bash", "-c", 'ulimit -f 2000; exec "$@"', "bash"))
    try:
        token = (tmp_path / "token").read_text()
        HfApi(endpoint=url, token=token).create_repo("a/b")
        with cas(url, token, "a/b") as client:
            noise = chunk(os.urandom(xorbs.MAX_CHUNK)) * 20
            assert client.post(f"/v1/xorbs/default/{NAME}", content=noise).status_code == 507
            zeros = chunk(bytes(xorbs.MAX_CHUNK), LZ4)
            assert client.post(f"/v1/xorbs/default/{NAME}", content=zeros).is_success
            pieces = [(NAME, xorbs.MAX_CHUNK, 0, 1)]
            much = shard(entry(bytes(xorbs.MAX_CHUNK * 20), pieces * 20))
            assert client.post("/v1/shards", content=much).status_code == 507
            more = [(NAME, 2**32 - 1, 0, 1)] * 100
            assert client.post("/v1/shards", content=shard(entry(b"", more))).status_code == 507
            assert held(tmp_path, "a/b") == [] and list((tmp_path / "tmp").iterdir()) == []
            little = shard(entry(bytes(xorbs.MAX_CHUNK), pieces))
            assert client.post("/v1/shards", content=little).is_success
    finally:
        process.terminate()
        process.communicate(timeout=10)


def harmless(work: Callable[[], object]) -> None:
    """Whatever is read, nothing but a refusal comes out."""
    try:
        work()
    except HubError as error:
        assert error.status in (400, 413, 507)


def edits(sound: bytes) -> st.SearchStrategy[bytes]:
    """Arbitrary bytes, and `sound` with bytes changed, cut out, put in."""

    def edited(cut: tuple[int, int], new: bytes) -> bytes:
        start, length = cut
        return sound[:start] + new + sound[start + length :]

    places = st.tuples(st.integers(0, len(sound)), st.integers(0, 60))
    return st.binary(max_size=400) | st.builds(edited, places, st.binary(max_size=60))


SMALL = chunk(b"plain") + chunk(bytes(100), LZ4) + chunk(bytes(range(99)), GROUPED)


@settings(max_examples=300, deadline=None)
@given(edits(SMALL), edits(shard(entry(b"x", [(NAME, 204, 0, 3)]), entry(b"y", [(NAME, 5, 0, 1)] * 3))))
def test_any_bytes(xorb: bytes, body: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / NAME).write_bytes(xorb)
        harmless(lambda: xorbs.offsets(io.BytesIO(xorb), len(xorb)))
        sound = list(reading.files(shard(entry(b"x", [(NAME, 204, 0, 3)]))))
        harmless(lambda: rebuild.write(folder, sound[0], folder / "1", {}))

        def all_files() -> None:
            for number, file in enumerate(reading.files(body), start=2):
                harmless(lambda: rebuild.write(folder, file, folder / str(number), {}))  # noqa: B023

        harmless(all_files)


@given(st.binary(max_size=500), st.sampled_from([PLAIN, LZ4, GROUPED]))
def test_chunks_come_back(content: bytes, scheme: int) -> None:
    content += b"!"
    packed = chunk(content, scheme)
    assert xorbs.unpack(xorbs.parse(packed[:8]), packed[8:]) == content


@given(st.binary(max_size=400), st.integers(0, 2), st.integers(1, 400))
def test_unpacking_any_bytes(content: bytes, scheme: int, size: int) -> None:
    harmless(lambda: xorbs.unpack(xorbs.Chunk(len(content), scheme, size), content))


def test_grouping_is_the_format_s() -> None:
    assert group(b"ABCDabcdXY") == b"AaXBbYCcDd"
