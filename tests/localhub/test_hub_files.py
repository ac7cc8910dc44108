"""HEAD and GET of files: conditions, parts, pointers, odd names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_url

from localhub.launch import Server

BINARY = bytes(range(256)) * 400
TEXT = b"hello hub\n" * 30


@pytest.fixture
def filled(api: HfApi, repo_id: str) -> str:
    operations = [CommitOperationAdd("a.txt", TEXT), CommitOperationAdd("sub/dir/b.bin", BINARY)]
    api.create_commit(repo_id, operations, commit_message="fill")
    return repo_id


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """One for all requests of a test: each `httpx.get` reads the certificates of the world first."""
    with httpx.Client() as shared:
        yield shared


@pytest.mark.parametrize("path", ["a.txt", "sub/dir/b.bin"])
def test_conditional_and_partial_requests(hub: Server, client: httpx.Client, filled: str, path: str) -> None:
    """RFC 9110: lists, weak tags and `*` in If-None-Match; If-Range; ranges from the end; several at once."""
    url = hf_hub_url(filled, path, endpoint=hub.url)
    content = TEXT if path == "a.txt" else BINARY
    etag = client.head(url).headers["etag"]

    def get(**headers: str) -> httpx.Response:
        return client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    for matching in (etag, f'"other", {etag}', f"W/{etag}", "*", f'W/"a,b",{etag}'):
        answer = get(If_None_Match=matching)
        assert answer.status_code == 304 and answer.content == b"", matching
        assert answer.headers["etag"] == etag and answer.headers["x-repo-commit"]
    for other in ('"other"', etag.strip('"'), "nonsense"):
        assert get(If_None_Match=other).content == content, other
    part = get(Range="bytes=5-9", If_Range=etag)
    assert (part.status_code, part.content) == (206, content[5:10]) and part.headers["content-length"] == "5"
    for stale in ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert get(Range="bytes=5-9", If_Range=stale).content == content, stale
    size = len(content)
    assert get(Range=f"bytes=-{size * 2}").content == content
    assert get(Range="bytes=10-").content == content[10:]
    assert get(Range=f"bytes=0-{size * 2}").headers["content-range"] == f"bytes 0-{size - 1}/{size}"
    for ignored in ("bytes=0-1,5-6", "bytes=9-5", "lines=1-2", "bytes=a-b", "bytes=-"):
        answer = get(Range=ignored)
        assert answer.status_code == 200 and answer.content == content, ignored
    outside = get(Range=f"bytes={size}-")
    assert outside.status_code == 416 and outside.headers["content-range"] == f"bytes */{size}"
    assert get(Range="bytes=-0").status_code == 416
    head = client.head(url, headers={"Range": "bytes=5-9"})
    assert head.status_code == 200 and head.headers["content-length"] == str(size)


def test_empty_file_and_pointer(api: HfApi, hub: Server, client: httpx.Client, filled: str) -> None:
    api.upload_file(path_or_fileobj=b"", path_in_repo="empty", repo_id=filled)
    answer = client.get(f"{hub.url}/{filled}/resolve/main/empty", headers={"Range": "bytes=0-"})
    assert answer.status_code in (200, 416) and client.get(answer.request.url).content == b""
    pointer = client.get(f"{hub.url}/{filled}/raw/main/sub/dir/b.bin")
    assert pointer.text.startswith("version https://git-lfs") and str(len(BINARY)) in pointer.text
    assert (
        pointer.headers["etag"]
        != client.head(f"{hub.url}/{filled}/resolve/main/sub/dir/b.bin").headers["etag"]
    )
    assert client.get(f"{hub.url}/{filled}/raw/main/a.txt").content == TEXT
    cached = client.get(f"{hub.url}/api/resolve-cache/models/{filled}/main/a.txt")
    assert cached.content == TEXT and cached.headers["x-repo-commit"] == api.model_info(filled).sha


def test_odd_revisions_and_paths(
    api: HfApi, hub: Server, client: httpx.Client, filled: str, tmp_path: Path
) -> None:
    api.create_branch(filled, branch="feature/x%y")
    api.create_commit(
        filled, [CommitOperationAdd("p?q#r&s.txt", b"odd")], commit_message="o", revision="feature/x%y"
    )
    found = api.hf_hub_download(filled, "p?q#r&s.txt", revision="feature/x%y", cache_dir=tmp_path)
    assert Path(found).read_bytes() == b"odd"
    assert "p?q#r&s.txt" in {item.path for item in api.list_repo_tree(filled, revision="feature/x%y")}
    pull = api.create_pull_request(filled, title="A change").num
    assert api.model_info(filled, revision=f"refs/pr/{pull}").sha == api.model_info(filled).sha
    for path in ("sub", "sub/dir", "missing/deep.txt"):  # a folder is no file
        answer = client.get(f"{hub.url}/{filled}/resolve/main/{path}")
        assert answer.status_code == 404 and answer.headers["x-error-code"] == "EntryNotFound"
        assert answer.headers["x-repo-commit"] == api.model_info(filled).sha
    for path in ("../x", "a/%2e%2e/b", "%2fetc/passwd", "a%00b", "a%5cb", "%ff"):
        request = httpx.Request("GET", f"{hub.url}/{filled}/resolve/main/{path}")
        request.url = request.url.copy_with(raw_path=f"/{filled}/resolve/main/{path}".encode())
        assert client.send(request).status_code in (400, 404, 422), path
