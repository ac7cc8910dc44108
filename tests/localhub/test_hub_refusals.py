"""Requests that no client of ours sends: unsafe names, malformed bodies. None may be a 500."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import httpx
import pytest
from huggingface_hub import HfApi

from localhub.launch import Server


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../x",
        "/etc/passwd",
        "a//b",
        ".",
        "a/.",
        ".git/config",
        "a/.GIT/x",
        "a\\b",
        "..\\x",
        "a\nb",
        "a\x00b",
        "git~1/x",
        ".git ./x",
        "x" * 300,
        "",
    ],
)
def test_unsafe_paths_are_refused(hub: Server, repo_id: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {hub.token}"}
    lines = [
        {"key": "header", "value": {"summary": "x"}},
        {
            "key": "file",
            "value": {"path": path, "content": base64.b64encode(b"x").decode(), "encoding": "base64"},
        },
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    answer = httpx.post(f"{hub.url}/api/models/{repo_id}/commit/main", content=body, headers=headers)
    assert answer.status_code == 422 and answer.json()["error"].startswith("Invalid path")
    ask = {"files": [{"path": path, "size": 1, "sample": ""}]}
    answer = httpx.post(f"{hub.url}/api/models/{repo_id}/preupload/main", json=ask, headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["..%2f..%2ftoken", "%2e%2e/%2e%2e/token", "a%5c..%5ctoken", "%00", "x%ff"])
def test_unsafe_addresses_are_refused(hub: Server, repo_id: str, path: str) -> None:
    for address in (f"/{repo_id}/resolve/main/{path}", f"/{repo_id}/blob/main/{path}", f"/{path}/x"):
        answer = httpx.get(hub.url + address, headers={"Authorization": f"Bearer {hub.token}"})
        assert answer.status_code in (400, 401, 404, 422) and hub.token not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a..b/x",
        "a/..",
        "a/x.git",
        "-a/x",
        "a/x-",
        "a/b--c",
        "api/x",
        "a/" + "x" * 97,
        "a/x y",
        "a/é",
        ".a/b",
    ],
)
def test_unsafe_repository_ids_are_refused(hub: Server, name: str) -> None:
    namespace, _, short = name.partition("/")
    answer = httpx.post(
        f"{hub.url}/api/repos/create",
        json={"organization": namespace, "name": short},
        headers={"Authorization": f"Bearer {hub.token}"},
    )
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"not json",
        b"[1]",
        b'{"key": "header", "value": 3}',
        b'{"key": "header", "value": {}}',
        b'{"key": "header", "value": {"summary": 3}}',
        b'{"key":"x","value":{}}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"key": "header", "value": {"summary": "s", "parentCommit": "zz"}}',
        b'{"key": "header", "value": {"summary": "s"}}\n{"key": "file", "value": {"path": "a"}}\n{}',
        b'{"key": "lfsFile", "value": {"path": "a", "oid": "../../../token"}}',
        b'{"key": "file", "value": {"path": 3, "content": "aa", "encoding": "base64"}}',
    ],
)
def test_malformed_commits_are_refused(hub: Server, api: HfApi, repo_id: str, body: bytes) -> None:
    answer = httpx.post(
        f"{hub.url}/api/models/{repo_id}/commit/main",
        content=body,
        headers={"Authorization": f"Bearer {hub.token}"},
    )
    assert answer.status_code in (400, 422) and answer.json()["error"]
    assert len(api.list_repo_commits(repo_id)) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"[" * 100_000, b'{"name": 3}', b'{"name": null}'])
def test_malformed_json_is_400(hub: Server, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {hub.token}"}
    assert httpx.post(f"{hub.url}/api/repos/create", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("name", ["y" * 5000, "é" * 150, "a/" * 500 + "b", "y" * 230])
def test_names_too_long_for_a_file_are_unknown(hub: Server, repo_id: str, name: str) -> None:
    headers = {"Authorization": f"Bearer {hub.token}"}
    page, api = f"{hub.url}/{repo_id}", f"{hub.url}/api/models/{repo_id}"
    quoted = quote(name, safe="")
    lines = b'{"key": "header", "value": {"summary": "x"}}\n{"key": "deletedFile", "value": {"path": "a"}}'
    assert httpx.get(f"{page}/resolve/{quoted}/README.md").status_code == 404
    assert httpx.get(f"{api}/tree/main/{quoted}").status_code in (404, 422)
    assert httpx.delete(f"{api}/tag/{quoted}", headers=headers).status_code == 404
    assert httpx.post(f"{api}/commit/{quoted}", content=lines, headers=headers).status_code == 404
    assert httpx.post(f"{api}/tag/main", json={"tag": name}, headers=headers).status_code == 400
    assert httpx.post(f"{api}/branch/{quoted}", json={}, headers=headers).status_code == 400


def test_lone_surrogates_are_400(hub: Server, repo_id: str) -> None:
    """JSON can spell them, UTF-8 cannot: they must not reach git or a file name."""
    headers = {"Authorization": f"Bearer {hub.token}"}
    tag = httpx.post(
        f"{hub.url}/api/models/{repo_id}/tag/main", content=b'{"tag": "\\ud800"}', headers=headers
    )
    lines = (
        b'{"key": "header", "value": {"summary": "\\ud800"}}\n{"key": "deletedFile", "value": {"path": "a"}}'
    )
    commit = httpx.post(f"{hub.url}/api/models/{repo_id}/commit/main", content=lines, headers=headers)
    assert (tag.status_code, commit.status_code) == (400, 400)
