"""Who may do what, and what nobody may: tokens, private repositories, signed links, names, hosts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RepositoryNotFoundError

from localhub import launch
from localhub.launch import Server
from localhub.routes import ROUTES

SECRET = bytes(range(256)) * 99
SECRET_OID = hashlib.sha256(SECRET).hexdigest()


def status(error: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return error.value.response.status_code


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


@pytest.fixture
def private(ada: HfApi) -> str:
    name = f"engines/p{uuid4().hex[:8]}"
    ada.create_repo(name, private=True)
    ada.create_commit(name, [CommitOperationAdd("w.bin", SECRET)], commit_message="secret")
    return name


def test_private_repository(team: str, ada: HfApi, bob: HfApi, private: str, tmp_path: Path) -> None:
    assert ada.model_info(private).private is True
    ada.auth_check(private, write=True)
    nobody = HfApi(endpoint=team, token=False)
    for stranger, code in ((nobody, 401), (bob, 404)):
        for call in (
            lambda s: s.model_info(private),
            lambda s: s.auth_check(private),
            lambda s: list(s.list_repo_tree(private)),
            lambda s: s.hf_hub_download(private, "w.bin", cache_dir=tmp_path),
            lambda s: s.list_repo_refs(private),
        ):
            with pytest.raises(RepositoryNotFoundError) as refused:
                call(stranger)
            assert status(refused) == code
        assert private not in {model.id for model in stranger.list_models()}
    assert private in {model.id for model in ada.list_models()}
    ada.update_repo_settings(private, private=False)
    assert nobody.model_info(private).private is False


def test_wrong_token_is_401_even_for_public(hub: Server, repo_id: str) -> None:
    stranger = HfApi(endpoint=hub.url, token="hf_aRealLookingTokenThatIsNotOurs")
    for call in (stranger.whoami, lambda: stranger.model_info(repo_id)):
        with pytest.raises(HfHubHTTPError) as refused:
            call()
        assert status(refused) == 401 and not isinstance(refused.value, RepositoryNotFoundError)


def test_writing_needs_rights(team: str, ada: HfApi, bob: HfApi) -> None:
    name = f"ada/m{uuid4().hex[:8]}"
    ada.create_repo(name)
    add = [CommitOperationAdd("a", b"a")]
    nobody = HfApi(endpoint=team, token=False)
    with pytest.raises(HfHubHTTPError) as refused:
        nobody.create_commit(name, add, commit_message="x")
    assert status(refused) == 401
    for call in (
        lambda: bob.create_commit(name, add, commit_message="x"),
        lambda: bob.create_tag(name, tag="v1"),
        lambda: bob.create_repo("ada/another"),
        lambda: bob.delete_repo(name),
        lambda: bob.auth_check(name, write=True),
    ):
        with pytest.raises(HfHubHTTPError) as refused:
            call()
        assert status(refused) == 403
    opened = bob.create_commit(name, [CommitOperationAdd("a", b"b")], commit_message="please", create_pr=True)
    bob.create_commit(
        name, [CommitOperationAdd("c", b"c")], commit_message="more", revision=opened.pr_revision
    )
    with pytest.raises(HfHubHTTPError) as refused:
        bob.merge_pull_request(name, opened.pr_num)
    assert status(refused) == 403
    ada.merge_pull_request(name, opened.pr_num)
    assert ada.file_exists(name, "c")


def batch(url: str, repo: str, token: str, operation: str = "upload") -> dict[str, object]:
    answer = httpx.post(
        f"{url}/{repo}.git/info/lfs/objects/batch",
        json={"operation": operation, "objects": [{"oid": SECRET_OID, "size": len(SECRET)}]},
        headers={"Authorization": f"Bearer {token}"},
    )
    found: dict[str, object] = answer.json()["objects"][0]
    return found


def test_knowing_a_hash_opens_nothing(team: str, bob: HfApi, private: str) -> None:
    mine = f"bob/m{uuid4().hex[:8]}"
    bob.create_repo(mine)
    line = {
        "key": "lfsFile",
        "value": {"path": "w.bin", "algo": "sha256", "oid": SECRET_OID, "size": len(SECRET)},
    }
    body = "\n".join(json.dumps(item) for item in ({"key": "header", "value": {"summary": "x"}}, line))
    answer = httpx.post(
        f"{team}/api/models/{mine}/commit/main",
        content=body,
        headers={"Authorization": "Bearer token-of-bob"},
    )
    assert answer.status_code == 400 and "not uploaded here" in answer.json()["error"]
    assert "actions" in batch(team, mine, "token-of-bob"), "must be asked to upload it, like any other file"
    assert "error" in batch(team, mine, "token-of-bob", "download")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SECRET_OID}\nsize {len(SECRET)}\n"
    add = [CommitOperationAdd("w.bin.txt", pointer.encode())]
    with pytest.raises(BadRequestError, match="LFS pointer pointed to a file that does not exist"):
        bob.create_commit(mine, add, commit_message="a pointer as text")
    assert httpx.get(f"{team}/{mine}/resolve/main/w.bin.txt").status_code == 404


WORD = "zanzibar"  # stands in everything that the private repository holds


def fill(ada: HfApi, name: str) -> None:
    card = f"---\nlicense: mit\ntags: [{WORD}]\n---\n# {WORD}\n"
    files = {"README.md": card, f"{WORD}.txt": WORD, f"{WORD}/config.json": f'{{"a": "{WORD}"}}'}
    add = [CommitOperationAdd(path, text.encode()) for path, text in files.items()]
    ada.create_commit(name, add, commit_message=WORD)
    ada.create_tag(name, tag=WORD)
    ada.create_discussion(name, title=WORD, description=WORD)
    change = [CommitOperationAdd("a.txt", WORD.encode())]
    ada.create_commit(name, change, commit_message=WORD, create_pr=True)


def address(pattern: str, parts: dict[str, str]) -> str:
    return re.sub(r"\{(\w+\*?)\}", lambda match: parts.get(match[1], "1"), pattern)


def test_private_is_as_missing_at_every_address(team: str, ada: HfApi, private: str) -> None:
    """Whoever may not see it gets what they get for a repository that is not there, word for word."""
    fill(ada, private)
    known = {"kind": "models", "rev": "main", "path*": "README.md", "sha": "main", "num": "1"}
    known |= {"oid": SECRET_OID, "pair*": f"main..{WORD}", "status": "pending"}
    asked = 0
    for route in ROUTES:
        if (
            not {"{ns}", "{name}"} <= set(re.findall(r"\{\w+\}", route.pattern))
            or ("kind", "spaces") in route.fixed
        ):
            continue
        for token in (None, "token-of-bob"):
            found = []
            for name in (private, "engines/p00000000"):
                parts = known | dict(zip(("ns", "name"), name.split("/"), strict=True))
                path = address(route.pattern, parts)
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                body = None if route.method == "GET" else b"{}"
                answer = httpx.request(route.method, team + path, headers=headers, content=body)
                assert WORD not in answer.text + str(answer.headers), (path, token)
                found.append((answer.status_code, answer.text.replace(name, "ID")))
            assert found[0] == found[1], (route.method, route.pattern, token)
            asked += 1
    assert asked > 100


def test_no_way_round_leads_to_the_bytes_of_others(team: str, ada: HfApi, bob: HfApi, private: str) -> None:
    """A completion without parts, copies: each would need no byte that bob does not have."""
    gated = f"engines/g{uuid4().hex[:8]}"
    ada.create_repo(gated)
    ada.create_commit(gated, [CommitOperationAdd("w.bin", SECRET)], commit_message="secret")
    ada.update_repo_settings(gated, gated="manual")
    mine = f"bob/m{uuid4().hex[:8]}"
    bob.create_repo(mine)
    headers = {"Authorization": "Bearer token-of-bob"}
    known = {"oid": SECRET_OID, "size": len(SECRET)}
    wanted = {"operation": "upload", "transfers": ["multipart"], "objects": [known]}
    answer = httpx.post(f"{team}/{mine}.git/info/lfs/objects/batch", json=wanted, headers=headers)
    upload = answer.json()["objects"][0]["actions"]["upload"]
    for parts in ([], [{"partNumber": 1, "etag": SECRET_OID}]):
        done = httpx.post(upload["href"], json={"oid": SECRET_OID, "parts": parts})
        assert done.status_code in (400, 404, 422), done.text
    copy = {"files": [{"sha256": SECRET_OID, "filename": "w.bin"}]}
    for source, target in ((private, mine), (mine, mine), (gated, mine)):
        body = copy | {"target": {"type": "model", "name": target}}
        done = httpx.post(f"{team}/api/models/{source}/lfs-files/duplicate", json=body, headers=headers)
        assert done.status_code in (403, 404) or done.json()["success"] == [], done.text
    for source in (private, gated):
        body = {"repository": f"{mine}-copy"}
        done = httpx.post(f"{team}/api/models/{source}/duplicate", json=body, headers=headers)
        assert done.status_code in (403, 404)
        wanted = {"operation": "download", "objects": [known]}
        done = httpx.post(f"{team}/{source}.git/info/lfs/objects/batch", json=wanted, headers=headers)
        assert done.status_code in (403, 404)
    assert "error" in batch(team, mine, "token-of-bob", "download")
    assert "actions" in batch(team, mine, "token-of-bob"), "it is still not here"


def test_signed_links(team: str, bob: HfApi) -> None:
    mine = f"bob/m{uuid4().hex[:8]}"
    bob.create_repo(mine)
    actions = batch(team, mine, "token-of-bob")["actions"]
    assert isinstance(actions, dict)
    href = httpx.URL(actions["upload"]["href"])
    assert httpx.put(href, content=SECRET[:-1]).status_code == 400
    assert httpx.put(href, content=SECRET + b"more").status_code == 400
    assert httpx.put(href, content=SECRET[::-1]).status_code == 400
    assert "actions" in batch(team, mine, "token-of-bob"), "nothing wrong may be kept"
    for change in ({"expires": "9999999999"}, {"signature": "0" * 64}, {"size": "1"}, {"expires": ""}):
        assert httpx.put(href.copy_merge_params(change), content=SECRET).status_code == 403
    assert httpx.get(href).status_code == 403, "an upload link does not read"
    assert httpx.put(href, content=SECRET).status_code == 200
    assert "actions" not in batch(team, mine, "token-of-bob")
    fetched = batch(team, mine, "token-of-bob", "download")["actions"]
    assert isinstance(fetched, dict)
    assert httpx.get(fetched["download"]["href"]).content == SECRET


def test_only_this_machine(hub: Server, repo_id: str) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil", "[::1", ""):
        assert httpx.get(f"{hub.url}/api/models/{repo_id}", headers={"Host": host}).status_code == 403
    port = hub.url.rsplit(":", 1)[1]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", "localhost"):
        assert httpx.get(f"{hub.url}/api/models/{repo_id}", headers={"Host": host}).status_code == 200


def test_other_sites_pages_cannot_write(hub: Server) -> None:
    body = {"name": "x", "organization": "evil"}
    basic = {"Authorization": "Basic " + base64.b64encode(f"me:{hub.token}".encode()).decode()}
    bearer = {"Authorization": f"Bearer {hub.token}"}
    url = f"{hub.url}/api/repos/create"
    assert httpx.post(url, json=body, headers=basic).status_code == 401
    assert httpx.post(url, json=body, headers=bearer | {"Origin": "https://evil.example"}).status_code == 403
    assert httpx.get(f"{hub.url}/api/whoami-v2", headers=basic).json()["name"] == "local"


def test_files_of_a_data_directory_are_private(hub: Server, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with launch.running(data) as server:
        assert (data / "token").read_text() == server.token and len(server.token) > 40
        assert (data / "token").stat().st_mode & 0o777 == 0o600
        assert (data / "secret").stat().st_mode & 0o777 == 0o600
        assert data.stat().st_mode & 0o777 == 0o700
        assert server.token != hub.token


def test_upload_into_a_deleted_repository_leaves_no_ghost(team: str, bob: HfApi) -> None:
    mine = f"bob/m{uuid4().hex[:8]}"
    bob.create_repo(mine)
    actions = batch(team, mine, "token-of-bob")["actions"]
    assert isinstance(actions, dict)
    bob.delete_repo(mine)
    assert httpx.put(actions["upload"]["href"], content=SECRET).status_code == 403
    bob.create_repo(mine)
    assert bob.list_repo_files(mine) == [".gitattributes"]
