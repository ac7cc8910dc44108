"""Reading through the real client and, for headers, plain HTTP."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from localhub.launch import Server

BINARY = bytes(range(256)) * 400
TEXT = b"hello hub\n" * 30


@pytest.fixture
def filled(api: HfApi, repo_id: str) -> str:
    operations = [
        CommitOperationAdd("a.txt", TEXT),
        CommitOperationAdd("sub/dir/b.bin", BINARY),
        CommitOperationAdd("sub/é %.txt", b"odd name\n"),
    ]
    api.create_commit(repo_id, operations, commit_message="fill")
    return repo_id


def test_whoami(api: HfApi) -> None:
    me = api.whoami()
    assert me["name"] == "local" and me["type"] == "user" and me["orgs"] == []


def test_tree_paths_and_expand(api: HfApi, filled: str) -> None:
    flat = {item.path: item for item in api.list_repo_tree(filled)}
    assert set(flat) == {".gitattributes", "a.txt", "sub"} and flat["a.txt"].size == len(TEXT)
    deep = {item.path: item for item in api.list_repo_tree(filled, recursive=True, expand=True)}
    assert set(deep) == {".gitattributes", "a.txt", "sub", "sub/dir", "sub/dir/b.bin", "sub/é %.txt"}
    large = deep["sub/dir/b.bin"]
    assert large.lfs.sha256 == hashlib.sha256(BINARY).hexdigest() and large.lfs.size == large.size == len(
        BINARY
    )
    assert large.last_commit.title == "fill" and deep[".gitattributes"].last_commit.title == "initial commit"
    assert {item.path for item in api.list_repo_tree(filled, "sub")} == {"sub/dir", "sub/é %.txt"}
    info = api.get_paths_info(filled, ["a.txt", "sub", "missing", "../x"])
    assert [item.path for item in info] == ["a.txt", "sub"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(filled, "missing"))
    with pytest.raises(RevisionNotFoundError):
        list(api.list_repo_tree(filled, revision="missing"))


def test_long_tree_comes_in_pages(api: HfApi, repo_id: str) -> None:
    wanted = {f"d/{number:04}.txt" for number in range(1100)}
    api.create_commit(repo_id, [CommitOperationAdd(path, b"x") for path in wanted], commit_message="many")
    assert {item.path for item in api.list_repo_tree(repo_id, "d")} == wanted
    assert len(list(api.list_repo_tree(repo_id, "d", expand=True))) == 1100


def test_history_in_pages(api: HfApi, hub: Server, repo_id: str) -> None:
    with httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}) as client:
        for number in range(55):
            lines = (
                {"key": "header", "value": {"summary": f"c{number}"}},
                {"key": "file", "value": {"path": "n", "content": str(number), "encoding": "utf-8"}},
            )
            body = "\n".join(json.dumps(line) for line in lines)
            assert client.post(f"/api/models/{repo_id}/commit/main", content=body).status_code == 200
    titles = [commit.title for commit in api.list_repo_commits(repo_id)]
    assert titles == [f"c{number}" for number in reversed(range(55))] + ["initial commit"]


def test_info_and_expand(api: HfApi, repo_id: str) -> None:
    card = b"---\nlicense: mit\nlanguage: [en, fr]\nbase_model: org/base\ntags: [x]\n"
    card += b"pipeline_tag: fill-mask\n---\n"
    api.create_commit(repo_id, [CommitOperationAdd("README.md", card)], commit_message="card")
    info = api.model_info(repo_id)
    assert info.author == "rehearsal" and info.private is False and info.pipeline_tag == "fill-mask"
    assert info.card_data.license == "mit" and info.last_modified >= info.created_at.replace(microsecond=0)
    assert {"license:mit", "en", "fr", "x", "base_model:org/base", "base_model:finetune:org/base"} <= set(
        info.tags
    )
    assert api.model_info(repo_id, revision=info.sha[:10]).sha == info.sha
    narrow = api.model_info(repo_id, expand=["sha", "cardData"])
    assert narrow.sha == info.sha and narrow.card_data.license == "mit" and narrow.siblings is None
    found = {model.id for model in api.list_models(author="rehearsal", filter="license:mit")}
    assert repo_id in found
    assert [model.id for model in api.list_models(search=repo_id.split("/")[1])] == [repo_id]
    assert api.repo_exists(repo_id) and api.revision_exists(repo_id, "main")
    assert api.file_exists(repo_id, "README.md") and not api.file_exists(repo_id, "nope")


def test_download_headers(api: HfApi, hub: Server, filled: str, tmp_path: Path) -> None:
    sha = api.model_info(filled).sha
    for path, content in (("a.txt", TEXT), ("sub/dir/b.bin", BINARY), ("sub/é %.txt", b"odd name\n")):
        url = hf_hub_url(filled, path, endpoint=hub.url)
        found = get_hf_file_metadata(url, token=hub.token)
        large = path.endswith("bin")
        digest = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        assert (found.commit_hash, found.etag, found.size) == (sha, digest.hexdigest(), len(content))
        local = api.hf_hub_download(filled, path, cache_dir=tmp_path)
        assert Path(local).read_bytes() == content and f"snapshots/{sha}/" in local
        head = httpx.head(url)
        assert head.headers["accept-ranges"] == "bytes" and head.content == b""
        assert ("x-linked-etag" in head.headers) == large
        part = httpx.get(url, headers={"Range": "bytes=3-7"})
        assert part.status_code == 206 and part.content == content[3:8]
        assert part.headers["content-range"] == f"bytes 3-7/{len(content)}"
        assert httpx.get(url, headers={"Range": "bytes=-4"}).content == content[-4:]
        assert httpx.get(url, headers={"Range": f"bytes={len(content)}-"}).status_code == 416
        for odd in ("²-3", "3-²", "1" * 5000 + "-", "-" + "1" * 5000):
            ranged = {"Range": f"bytes={odd}".encode("latin-1")}
            assert httpx.get(url, headers=ranged).status_code in (200, 206, 400, 416), odd  # never a 500
        assert httpx.get(url, headers={"If-None-Match": head.headers["etag"]}).status_code == 304
        assert "sandbox" in head.headers["content-security-policy"]


def test_interrupted_download_goes_on(api: HfApi, filled: str, tmp_path: Path) -> None:
    blobs = tmp_path / f"models--{filled.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(BINARY).hexdigest()}.incomplete").write_bytes(BINARY[:50_000])
    assert Path(api.hf_hub_download(filled, "sub/dir/b.bin", cache_dir=tmp_path)).read_bytes() == BINARY


def test_missing_file_revision_and_repository(api: HfApi, filled: str, tmp_path: Path) -> None:
    with pytest.raises(EntryNotFoundError) as missing:
        api.hf_hub_download(filled, "nope.json", cache_dir=tmp_path)
    assert missing.value.response.headers["x-repo-commit"] == api.model_info(filled).sha
    assert list(tmp_path.glob("**/.no_exist/*/nope.json")), "absence is cached, which needs X-Repo-Commit"
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(filled, "a.txt", revision="nope", cache_dir=tmp_path)
    for repo in ("rehearsal/nope", "gpt2"):
        with pytest.raises(RepositoryNotFoundError):
            api.hf_hub_download(repo, "a.txt", cache_dir=tmp_path)
        with pytest.raises(RepositoryNotFoundError):
            api.model_info(repo)


def test_snapshot_and_file_system(api: HfApi, hub: Server, filled: str, tmp_path: Path) -> None:
    folder = Path(api.snapshot_download(filled, cache_dir=tmp_path))
    assert (folder / "sub/dir/b.bin").read_bytes() == BINARY
    files = HfFileSystem(endpoint=hub.url, token=hub.token, skip_instance_cache=True)
    with files.open(f"{filled}/sub/dir/b.bin", block_size=1024) as file:
        file.seek(5000)
        assert file.read(10) == BINARY[5000:5010]


def test_ids_ignore_case(api: HfApi, filled: str) -> None:
    assert api.model_info(filled.upper()).id == filled


def test_unserved_parts_of_the_hub_say_so(api: HfApi) -> None:
    for call in (
        lambda: api.list_webhooks(),
        lambda: api.paper_info("2307.09288"),
    ):
        with pytest.raises(HfHubHTTPError, match="does not serve") as refused:
            call()
        assert refused.value.response.status_code == 501
        assert refused.value.response.headers["x-error-code"] == "NotImplemented"


def test_no_request_waits_for_a_delayed_acknowledgement(hub: Server) -> None:
    """Without TCP_NODELAY each answer on a kept connection takes 40 ms, however idle the machine."""
    with httpx.Client(base_url=hub.url) as client:
        begun = time.monotonic()
        for _ in range(50):
            client.post("/api/validate-yaml", json={"content": "---\nlicense: mit\n---\n"})
        assert time.monotonic() - begun < 1.5
