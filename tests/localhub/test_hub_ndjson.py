"""Commits by hand: order of operations, bounds, malformed lines, memory."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pygit2
import pytest
from huggingface_hub import HfApi

from localhub.api.ndjson import MAX_LINE, MAX_SHORT
from localhub.errors import HubError
from localhub.launch import Server
from localhub.storage import commits, lfs, overlay
from localhub.storage.attributes import LARGE
from tests.localhub.conftest import serve

HEADER = {"key": "header", "value": {"summary": "by hand", "description": ""}}


def file(path: str, content: bytes = b"text\n") -> dict[str, Any]:
    text = base64.b64encode(content).decode()
    return {"key": "file", "value": {"content": text, "path": path, "encoding": "base64"}}


def deleted(path: str, key: str = "deletedFile") -> dict[str, Any]:
    return {"key": key, "value": {"path": path}}


def post(hub: Server, repo_id: str, *lines: dict[str, Any], rev: str = "main") -> httpx.Response:
    if lines[0]["key"] != "header":
        lines = (HEADER, *lines)
    body = "\n".join(map(json.dumps, lines))
    url, headers = f"{hub.url}/api/models/{repo_id}/commit/{rev}", {"Authorization": f"Bearer {hub.token}"}
    return httpx.post(url, content=body, headers=headers, timeout=60)


def files(api: HfApi, repo_id: str) -> set[str]:
    return set(api.list_repo_files(repo_id)) - {".gitattributes"}


def test_operations_take_effect_in_their_order(hub: Server, api: HfApi, repo_id: str) -> None:
    assert post(hub, repo_id, file("a"), file("d/x/1"), file("d/2"), file("e/3")).status_code == 200
    lines = [deleted("a"), file("a/b"), deleted("d/", "deletedFolder"), file("d/new"), file("e"), file("f/g")]
    assert post(hub, repo_id, *lines, deleted("f")).status_code == 200
    assert files(api, repo_id) == {"a/b", "d/new", "e"}
    assert post(hub, repo_id, file("a"), file("e/4/5/6")).status_code == 200
    assert files(api, repo_id) == {"a", "d/new", "e/4/5/6"}
    assert post(hub, repo_id, deleted("e"), deleted("a"), deleted("d")).status_code == 200
    assert files(api, repo_id) == set()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (deleted("nothing"), "A file with this name doesn't exist: nothing"),
        (deleted("a/b"), "A file with this name doesn't exist: a/b"),
        (deleted("nothing/", "deletedFolder"), "Entry not found: nothing"),
    ],
)
def test_missing_paths_stop_the_whole_commit(
    hub: Server, api: HfApi, repo_id: str, line: dict[str, Any], message: str
) -> None:
    assert post(hub, repo_id, file("a")).status_code == 200
    head = api.model_info(repo_id).sha
    answer = post(hub, repo_id, file("b"), line)
    assert (answer.status_code, answer.headers["x-error-code"]) == (404, "EntryNotFound")
    assert answer.json()["error"] == message and api.model_info(repo_id).sha == head


@pytest.mark.parametrize("size", [LARGE + 1, LARGE * 2])
def test_a_regular_file_has_at_most_ten_mebibytes(hub: Server, api: HfApi, repo_id: str, size: int) -> None:
    """The one is seen when it is decoded, the other when its line is too long; both are named."""
    answer = post(hub, repo_id, file('d/"big" é.txt', b"x" * size), file("small"))
    assert answer.status_code == 400 and "files larger than 10 MiB" in answer.json()["error"]
    assert answer.json()["error"].endswith('Offending files: - d/"big" é.txt')
    assert files(api, repo_id) == set()
    assert post(hub, repo_id, file("big.txt", b"x" * LARGE)).status_code == 200
    assert files(api, repo_id) == {"big.txt"}


@pytest.mark.parametrize("path", ['"a\\qb"', '"\\ud800"', '"\xff', "5", '"' + "x" * 99_999 + '"'])
def test_long_lines_with_strange_paths(hub: Server, repo_id: str, path: str) -> None:
    line = '{"key": "file", "value": {"content": "' + "x" * MAX_LINE + '", "path": ' + path + "}}"
    answer = httpx.post(
        f"{hub.url}/api/models/{repo_id}/commit/main",
        content=line.encode("latin-1"),
        headers={"Authorization": f"Bearer {hub.token}"},
        timeout=60,
    )
    assert answer.status_code == 400 and "larger than 10 MiB" in answer.json()["error"]


@pytest.mark.parametrize("key", ["lfsFile", "header", "deletedFile"])
def test_other_long_lines_are_413(hub: Server, repo_id: str, key: str) -> None:
    line = {"key": key, "value": {"path": "x" * MAX_SHORT, "summary": "x"}}
    answer = post(hub, repo_id, HEADER, file("a"), line)
    assert answer.status_code == 413 and str(MAX_SHORT) in answer.json()["error"]


def test_a_commit_has_one_header(hub: Server, api: HfApi, repo_id: str) -> None:
    """Header lines would add up in memory."""
    answer = post(hub, repo_id, HEADER, file("a"), HEADER)
    assert answer.status_code == 400 and "more than one header line" in answer.json()["error"]
    assert files(api, repo_id) == set()


@pytest.mark.parametrize("digits", [5, 6, 40])
def test_a_parent_may_be_short(hub: Server, api: HfApi, repo_id: str, digits: int) -> None:
    """As short as huggingface_hub takes it; what is not the head's is stale."""
    head = str(api.model_info(repo_id).sha)
    for parent, status in (
        (head[: digits - 1] + "g", 400),
        ("0" * digits, 412),
        (head[:digits].upper(), 200),
    ):
        header = {"key": "header", "value": {"summary": "x", "parentCommit": parent}}
        assert post(hub, repo_id, header, file("a")).status_code == status
    assert (
        post(hub, repo_id, {**HEADER, "value": {"summary": "x", "parentCommit": "abcd"}}).status_code == 400
    )


def test_a_folder_has_at_most_ten_thousand_entries(hub: Server, api: HfApi, repo_id: str) -> None:
    """As the Hub does, and in its words: huggingface/datasets#7956. Deleting stays possible."""
    lines = [file(f"d/e/{number}", b"same") for number in range(10_001)]
    answer = post(hub, repo_id, *lines)
    assert answer.status_code == 400 and answer.json()["error"] == (
        "Your push was rejected because it contains too many files per directory. Each directory in your git"
        " repo can only contain up to 10000 files. Offending reference: refs/heads/main"
        " Offending directories: /d/e/"
    )
    assert post(hub, repo_id, *lines[:10_000]).status_code == 200
    assert post(hub, repo_id, lines[-1]).status_code == 400
    assert post(hub, repo_id, lines[-1], rev="main?create_pr=1").json()["error"].split()[-4:-3] == [
        "refs/pr/1"
    ]
    assert post(hub, repo_id, lines[-1], deleted("d/e/0")).status_code == 200


def test_an_overfull_folder_can_shrink(hub: Server, data: Path, repo_id: str) -> None:
    """One that an earlier version let in: files go and change, none come."""
    git = pygit2.Repository(str(data / "repos/models" / repo_id / "git"))
    builder, blob = git.TreeBuilder(), git.create_blob(b"x")
    for number in range(overlay.MAX_ENTRIES + 10):
        builder.insert(str(number), blob, pygit2.enums.FileMode.BLOB)
    who, ref = pygit2.Signature("x", "x@x.invalid"), git.references["refs/heads/main"]
    ref.set_target(git.create_commit(None, who, who, "many", builder.write(), [ref.target]))
    assert post(hub, repo_id, deleted("0"), file("1", b"other")).status_code == 200
    assert post(hub, repo_id, file("one more")).json()["error"].endswith("Offending directories: /")


def test_a_pointer_leads_to_a_file(hub: Server, api: HfApi, data: Path, repo_id: str) -> None:
    """Sent as a regular file too; that another repository has the object opens nothing here."""
    content = os.urandom(300)
    other = f"{repo_id}-other"
    api.create_repo(other)
    api.upload_file(path_or_fileobj=content, path_in_repo="x.bin", repo_id=other)
    pointer = lfs.pointer_bytes(hashlib.sha256(content).hexdigest(), len(content))
    answer = post(hub, repo_id, file("weights.xyz", pointer))
    assert answer.status_code == 400 and files(api, repo_id) == set()
    message = "Your push was rejected because an LFS pointer pointed to a file that does not exist."
    assert answer.json()["error"].startswith(message)
    assert answer.json()["error"].endswith("Offending file: - weights.xyz")
    assert post(hub, other, file("copy.xyz", pointer.replace(b"size 300", b"size 301"))).status_code == 400
    assert post(hub, other, file("copy.xyz", pointer)).status_code == 200
    assert httpx.get(f"{hub.url}/{other}/resolve/main/copy.xyz").content == content
    assert "copy.xyz filter=lfs" in httpx.get(f"{hub.url}/{other}/raw/main/.gitattributes").text


@pytest.mark.parametrize(
    "line",
    [
        {"key": "copyFile", "value": {}},
        {"key": "file", "value": {"path": "x"}},
        {"key": "file", "value": {"path": "x", "content": "not base64!", "encoding": "base64"}},
        {"key": "file", "value": {"path": "x", "content": "\ud800", "encoding": "utf-8"}},
        {"key": "lfsFile", "value": {"path": "x", "oid": "0" * 64}},
        {"key": "deletedFile", "value": {"path": 1}},
        {"key": "header", "value": {"summary": ""}},
        {"key": "header", "value": {"summary": "x", "parentCommit": "main"}},
        {"key": "header", "value": []},
        {"key": "header"},
    ],
)
def test_malformed_operations_are_400(hub: Server, api: HfApi, repo_id: str, line: dict[str, Any]) -> None:
    lines = (line, file("a")) if line["key"] == "header" else (file("a"), line)
    answer = post(hub, repo_id, *lines)
    assert answer.status_code == 400 and files(api, repo_id) == set(), answer.text


def test_only_branches_and_requests_take_commits(hub: Server, api: HfApi, repo_id: str) -> None:
    head = str(api.model_info(repo_id).sha)
    api.create_tag(repo_id, tag="v1")
    for rev in ("v1", "refs%2Ftags%2Fv1", head):
        answer = post(hub, repo_id, file("a"), rev=rev)
        assert answer.status_code == 400 and "neither" in answer.text, rev
    assert api.list_repo_refs(repo_id).tags[0].target_commit == head
    for rev in ("nothing", "refs%2Fheads%2Fnothing", "refs%2Fpr%2F7", "refs%2F..%2Fx"):
        assert post(hub, repo_id, file("a"), rev=rev).status_code == 404, rev
    assert post(hub, repo_id, file("a"), rev="refs%2Fheads%2Fmain").status_code == 200


def test_fields_of_later_clients_are_passed_over(hub: Server, api: HfApi, repo_id: str) -> None:
    later = {"key": "header", "value": {"summary": "later", "lastCommit": "x", "hotReload": True}}
    assert post(hub, repo_id, later, file("a"), rev="main?hot_reload=1").status_code == 200
    assert api.list_repo_commits(repo_id)[0].title == "later"


def test_deep_folders_are_bounded(hub: Server, repo_id: str) -> None:
    assert post(hub, repo_id, file("d/" * 127 + "x")).status_code == 200
    assert post(hub, repo_id, file("d/" * 128 + "x")).status_code == 422
    tree = httpx.get(f"{hub.url}/api/models/{repo_id}/tree/main?recursive=true")
    assert tree.status_code == 200 and len(tree.json()) == 129


def test_preupload_is_bounded(hub: Server, repo_id: str) -> None:
    url, headers = f"{hub.url}/api/models/{repo_id}/preupload/main", {"Authorization": f"Bearer {hub.token}"}
    rows = [{"path": f"{number}.txt", "size": 1, "sample": "eA=="} for number in range(1001)]
    assert httpx.post(url, json={"files": rows}, headers=headers).status_code == 413
    assert httpx.post(url, json={"files": rows[:1000]}, headers=headers).status_code == 200
    wrong = [{"path": "a", "size": 1, "sample": "é"}]
    assert httpx.post(url, json={"files": wrong}, headers=headers).status_code == 400


def test_memory_stays_flat_over_large_files_and_many_operations(tmp_path: Path) -> None:
    """Twelve files of 9 MB, then 10,000 operations: the peak stays where one file puts it."""
    process, url = serve(tmp_path)

    def body(lines: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        yield json.dumps(HEADER).encode()
        for line in lines:
            yield b"\n" + json.dumps(line).encode()

    try:
        token = (tmp_path / "token").read_text()
        HfApi(endpoint=url, token=token).create_repo("a/b")
        big = [file(f"{number}.txt", bytes([48 + number]) * 9_000_000) for number in range(12)]
        for lines in (iter(big), (file(f"d{number % 100}/{number}") for number in range(10_000))):
            answer = httpx.post(
                f"{url}/api/models/a/b/commit/main",
                content=body(lines),
                headers={"Authorization": f"Bearer {token}"},
                timeout=120,
            )
            assert answer.status_code == 200, answer.text
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 160_000, f"{peak} kB"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_commits_do_not_cost_the_size_of_the_repository(hub: Server, api: HfApi, repo_id: str) -> None:
    """Only folders that change are read: a commit to a repository of 5,000 files is about as quick as any."""
    lines = [file(f"d{number % 50}/{number}", b"same") for number in range(5000)]
    assert post(hub, repo_id, *lines).status_code == 200
    small = f"{repo_id}-small"
    api.create_repo(small)
    spent = {}
    for name in (repo_id, small, repo_id, small):
        start = time.perf_counter()
        for _ in range(10):
            assert post(hub, name, file("c/x", os.urandom(8))).status_code == 200
        spent[name] = time.perf_counter() - start
    assert spent[repo_id] < 2 * spent[small] + 0.2, spent


def test_operations_are_counted() -> None:
    draft = commits.Draft([("x", None)] * commits.MAX_OPERATIONS)
    with pytest.raises(HubError, match="at most 100000 operations"):
        commits.delete(draft, "y", folder=False)
