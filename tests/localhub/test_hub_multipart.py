"""Large files in parts: by the client's own code, and by hand where it would never go."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest
import uvicorn
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.lfs import lfs_upload, post_lfs_batch_info

from localhub import auth, launch
from localhub.api.call import Hub
from localhub.app import build
from localhub.storage import parts, repos
from tests.localhub.conftest import serve, until

CONTENT = os.urandom(1 << 20) * 35 + b"the end"  # three parts of 16 MiB, the last a short one


@pytest.fixture(scope="module")
def cutting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HfApi, Path]]:
    """(client, data directory) of a server that wants files of 20 MiB and more in parts."""
    data = tmp_path_factory.mktemp("cutting") / "data"
    repos.prepare(data)
    user = auth.User("local", "Local user", "local@localhub.invalid", admin=True)
    app = build(Hub(data, {"token": user}, "a secret", multipart_from=20 << 20))
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, loop="asyncio", http="h11", lifespan="off", log_config=None)
    )
    thread = Thread(target=server.run)
    thread.start()
    assert until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield HfApi(endpoint=f"http://127.0.0.1:{port}", token="token"), data
    server.should_exit = True
    thread.join(timeout=10)


def action(url: str, token: str, repo_id: str, content: bytes, only: bool = True) -> dict[str, Any]:
    """What the batch answers about `content`, to a client that can send parts (only)."""
    answer = httpx.post(
        f"{url}/{repo_id}.git/info/lfs/objects/batch",
        json={
            "operation": "upload",
            "transfers": ["multipart"] if only else ["basic", "multipart"],
            "objects": [{"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}],
        },
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["objects"][0]
    return found


def pieces(upload: dict[str, Any]) -> list[str]:
    return [upload["header"][key] for key in sorted(upload["header"]) if key.isdigit()]


def send(upload: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
    """PUT every part; what the completion has to say."""
    size, done = int(upload["header"]["chunk_size"]), []
    for number, url in enumerate(pieces(upload), 1):
        answer = httpx.put(url, content=content[(number - 1) * size : number * size])
        assert answer.status_code == 200, answer.text
        done.append({"partNumber": number, "etag": answer.headers["etag"]})
    return done


def test_commit_of_a_large_file_goes_in_parts(cutting: tuple[HfApi, Path], tmp_path: Path) -> None:
    api, data = cutting
    api.create_repo("a/b", repo_type="dataset")
    upload = action(api.endpoint, "token", "datasets/a/b", CONTENT, only=False)["actions"]["upload"]
    assert len(pieces(upload)) == 3 and upload["header"]["chunk_size"] == str(16 << 20)
    small = action(api.endpoint, "token", "datasets/a/b", b"small", only=False)["actions"]["upload"]
    assert "header" not in small
    big = tmp_path / "big.bin"
    big.write_bytes(CONTENT)
    done = api.create_commit(
        "a/b",
        [CommitOperationAdd("big.bin", big), CommitOperationAdd("small.bin", b"\0small")],
        commit_message="both ways",
        repo_type="dataset",
    )
    assert done.oid == api.dataset_info("a/b").sha
    back = api.hf_hub_download("a/b", "big.bin", repo_type="dataset", cache_dir=tmp_path / "cache")
    assert Path(back).read_bytes() == CONTENT
    assert list((data / "tmp").iterdir()) == []


def test_clients_own_code_sends_parts(hub: launch.Server, api: HfApi, repo_id: str, data: Path) -> None:
    operation = CommitOperationAdd("w.bin", CONTENT)
    asked = {"token": api.token, "repo_type": "model", "repo_id": repo_id, "endpoint": api.endpoint}
    actions, errors, transfer = post_lfs_batch_info([operation.upload_info], transfers=["multipart"], **asked)
    assert errors == [] and transfer == "multipart"
    lfs_upload(operation, actions[0], token=api.token, endpoint=api.endpoint)
    actions, _, _ = post_lfs_batch_info([operation.upload_info], transfers=["multipart"], **asked)
    assert "actions" not in actions[0], "it is there"
    other = f"rehearsal/m{uuid4().hex[:10]}"
    api.create_repo(other)
    actions, _, _ = post_lfs_batch_info([operation.upload_info], **(asked | {"repo_id": other}))
    assert "upload" in actions[0]["actions"], "another repository does not have it"


def test_parts_may_come_twice_and_completion_too(hub: launch.Server, repo_id: str, data: Path) -> None:
    found = action(hub.url, hub.token, repo_id, CONTENT)
    upload, oid = found["actions"]["upload"], found["oid"]
    incomplete = httpx.post(upload["href"], json={"oid": oid, "parts": []})
    assert incomplete.status_code == 400 and "3 parts" in incomplete.text
    httpx.put(pieces(upload)[1], content=CONTENT[16 << 20 : 32 << 20])
    again = action(hub.url, hub.token, repo_id, CONTENT)["actions"]["upload"]
    before = len(list(data.glob("tmp/parts-*")))
    done = send(again, CONTENT)
    assert len(list(data.glob("tmp/parts-*"))) == before, "begun anew, the upload takes its old place"
    wrong = [*done[:2], {"partNumber": 3, "etag": '"of something else"'}]
    assert httpx.post(again["href"], json={"oid": oid, "parts": wrong}).status_code == 400
    body = {"oid": oid, "parts": done}
    with ThreadPoolExecutor(3) as pool:  # the client asks again when it has lost an answer
        answers = list(pool.map(lambda _: httpx.post(again["href"], json=body, timeout=60), range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    verify = httpx.post(
        found["actions"]["verify"]["href"],
        json={"oid": oid, "size": len(CONTENT)},
        headers={"Authorization": f"Bearer {hub.token}"},
    )
    assert verify.status_code == 200 and len(list(data.glob("tmp/parts-*"))) == before - 1


def test_missing_and_wrong_parts_are_refused(hub: launch.Server, repo_id: str, data: Path) -> None:
    before = set(data.glob("tmp/parts-*"))  # of other tests
    found = action(hub.url, hub.token, repo_id, CONTENT)
    upload, oid, last = found["actions"]["upload"], found["oid"], CONTENT[32 << 20 :]
    urls = pieces(upload)
    assert httpx.put(urls[2], content=last + b"x").status_code == 400
    assert httpx.put(urls[2], content=last[:-1]).status_code == 400
    etags = [httpx.put(url, content=b"\0" * (16 << 20)).headers["etag"] for url in urls[:2]]
    done = [{"partNumber": 1 + number, "etag": etag} for number, etag in enumerate(etags)]
    done.append({"partNumber": 3, "etag": etags[0].replace("-1", "-3")})
    missing = httpx.post(upload["href"], json={"oid": oid, "parts": done})
    assert missing.status_code == 400 and "1 of 3 parts have not arrived, the first is 3" in missing.text
    assert httpx.put(urls[2], content=last).status_code == 200
    false = httpx.post(upload["href"], json={"oid": oid, "parts": done})
    assert false.status_code == 400 and "are not the object" in false.text
    assert "actions" in action(hub.url, hub.token, repo_id, CONTENT)
    assert set(data.glob("tmp/parts-*")) <= before


def test_links_are_good_for_one_thing(
    hub: launch.Server, repo_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = action(hub.url, hub.token, repo_id, CONTENT)["actions"]["upload"]
    one, two, _ = pieces(upload)
    for url in (
        one.replace("part=1", "part=2"),
        one.replace("signature=", "signature=0"),
        one.replace("expires=", "expires=9"),
        one.replace("/models/", "/datasets/"),
        one.partition("?")[0] + "?" + urlsplit(upload["href"]).query,
        one.partition("?")[0],
        one.replace("key=", "key=../../x"),
        one.replace(repo_id, "rehearsal/nothing"),
    ):
        answer = httpx.put(url, content=b"x")
        assert (answer.status_code, answer.json()["error"]) == (403, "This link is not valid."), url
    assert httpx.post(two, json={"oid": "0" * 64, "parts": []}).status_code == 403
    fields = {key: values[0] for key, values in parse_qs(urlsplit(one).query).items()}
    assert set(fields) == {"size", "key", "part", "expires", "signature"}


def test_link_ends_with_its_repository(hub: launch.Server, api: HfApi, repo_id: str) -> None:
    one = pieces(action(hub.url, hub.token, repo_id, CONTENT)["actions"]["upload"])[0]
    api.delete_repo(repo_id)
    assert httpx.put(one, content=b"x").status_code == 403
    api.create_repo(repo_id)
    assert httpx.put(one, content=b"x").status_code == 403, "another repository of the same id"


def test_too_large_a_file_is_refused_by_itself(hub: launch.Server, repo_id: str) -> None:
    ask = {
        "operation": "upload",
        "transfers": ["basic", "multipart"],
        "objects": [{"oid": "0" * 64, "size": 1 << 49}, {"oid": "1" * 64, "size": 500 * 10**9}],
    }
    rows = httpx.post(
        f"{hub.url}/{repo_id}.git/info/lfs/objects/batch",
        json=ask,
        headers={"Authorization": f"Bearer {hub.token}"},
    ).json()["objects"]
    assert rows[0]["error"]["code"] == 422 and "500 GB" in rows[0]["error"]["message"]
    header = rows[1]["actions"]["upload"]["header"]
    count = len([key for key in header if key.isdigit()])
    assert count <= 1000 and count == -(-500 * 10**9 // int(header["chunk_size"]))


@pytest.mark.parametrize("size", [1, parts.CHUNK, parts.CHUNK + 1, parts.CHUNK * parts.MOST, 500 * 10**9])
def test_lengths_of_parts_add_up(size: int) -> None:
    lengths = [parts.length(size, number) for number in range(1, parts.count(size) + 1)]
    assert sum(lengths) == size and min(lengths) > 0 and len(lengths) <= parts.MOST
    assert parts.length(size, 0) <= 0 and parts.length(size, parts.count(size) + 1) <= 0


def test_killed_between_parts_and_memory(tmp_path: Path) -> None:
    """The server dies after some parts; the next one takes the upload as if nothing had been."""
    process, url = serve(tmp_path)
    token = (tmp_path / "token").read_text()
    HfApi(endpoint=url, token=token).create_repo("a/b")
    content = CONTENT * 3
    first = action(url, token, "a/b", content)["actions"]["upload"]
    for number, part in enumerate(pieces(first)[:4]):
        httpx.put(part, content=content[number << 24 : (number + 1) << 24])
    process.kill()
    process.communicate()
    process, url = serve(tmp_path)
    try:
        found = action(url, token, "a/b", content)
        done = send(found["actions"]["upload"], content)
        body = {"oid": found["oid"], "parts": done}
        assert httpx.post(found["actions"]["upload"]["href"], json=body, timeout=60).status_code == 200
        assert "actions" not in action(url, token, "a/b", content)
        assert list((tmp_path / "tmp").iterdir()) == []
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 120_000, f"{peak} kB"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_full_disk_while_parts_are_joined(tmp_path: Path) -> None:
    """A limit on file size between that of a part and that of the whole stands for the full disk."""
    process, url = serve(tmp_path, prefix=("bash", "-c", 'ulimit -f 20000; exec "$@"', "bash"))
    try:
        token = (tmp_path / "token").read_text()
        api = HfApi(endpoint=url, token=token)
        api.create_repo("a/b")
        found = action(url, token, "a/b", CONTENT)
        body = {"oid": found["oid"], "parts": send(found["actions"]["upload"], CONTENT)}
        answer = httpx.post(found["actions"]["upload"]["href"], json=body, timeout=60)
        assert answer.status_code == 507 and "No space left" in answer.text
        assert list((tmp_path / "tmp").iterdir()) == [], "the room is given back"
        assert "actions" in action(url, token, "a/b", CONTENT)
        api.upload_file(path_or_fileobj=b"\0fits", path_in_repo="w.bin", repo_id="a/b")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_links_end(hub: launch.Server, api: HfApi, repo_id: str, data: Path) -> None:
    """A link of an hour ago, signed with the server's own key."""
    found = action(hub.url, hub.token, repo_id, CONTENT)
    one = pieces(found["actions"]["upload"])[0]
    fields = {key: values[0] for key, values in parse_qs(urlsplit(one).query).items()}
    uid = json.loads((data / "repos" / "models" / repo_id / "repo.json").read_text())["uid"]
    signed = " ".join(f"{name}={fields[name]}" for name in ("key", "part", "size"))
    for age, status in ((3600, 403), (-3600, 200)):
        ends = int(time.time()) - age
        _, signature = auth.sign((data / "secret").read_text(), f"part {uid} {found['oid']} {signed}", ends)
        query = urlencode(fields | {"expires": ends, "signature": signature})
        answer = httpx.put(f"{one.partition('?')[0]}?{query}", content=CONTENT[: 16 << 20])
        assert answer.status_code == status and ("expired" in answer.text) == (status == 403)
