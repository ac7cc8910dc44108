"""What a repository stores: listed, deleted for good with and without its history, lent to another."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pygit2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from localhub.launch import Server
from localhub.storage import lfs


def add(api: HfApi, repo_id: str, path: str, content: bytes, revision: str = "main", pr: bool = False) -> str:
    operation = CommitOperationAdd(path, content)
    done = api.create_commit(
        repo_id, [operation], commit_message=f"add {path}", revision=revision, create_pr=pr
    )
    return str(done.oid)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_of(data: Path, repo_id: str) -> pygit2.Repository:
    return pygit2.Repository(str(data / "repos" / "models" / repo_id / "git"))


def mentioned(data: Path, repo_id: str) -> set[str]:
    """The large files that any commit on any ref still points to, found the slow way."""
    git = git_of(data, repo_id)
    found = set()
    for ref in git.references:
        for commit in git.walk(git.references[ref].peel(pygit2.Commit).id):
            index = pygit2.Index()
            index.read_tree(commit.tree)
            pointers = [lfs.parse_pointer(git[entry.id].data) for entry in index]
            found |= {pointer.oid for pointer in pointers if pointer}
    return found


def test_listing_names_sizes_times_and_refs(hub: Server, api: HfApi, repo_id: str) -> None:
    add(api, repo_id, "old/name.bin", b"\0one")
    api.create_commit(
        repo_id,
        [
            CommitOperationDelete("old/"),
            CommitOperationAdd("new.bin", b"\0one"),
            CommitOperationAdd("t", b"t"),
        ],
        commit_message="renamed",
    )
    api.create_branch(repo_id, branch="side")
    add(api, repo_id, "side.bin", b"\0two", "side")
    add(api, repo_id, "asked.bin", b"\0three", pr=True)
    add(api, repo_id, "gone.bin", b"\0four")
    api.delete_file("gone.bin", repo_id)
    api.preupload_lfs_files(repo_id, [CommitOperationAdd("never.bin", b"\0five")])
    found = {item.file_oid: item for item in api.list_lfs_files(repo_id)}
    assert {(item.filename, item.ref) for item in found.values()} == {
        ("new.bin", "refs/heads/main"),
        ("side.bin", "refs/heads/side"),
        ("asked.bin", "refs/pr/1"),
        ("gone.bin", "refs/heads/main"),
        (sha(b"\0five"), None),
    }
    one = found[sha(b"\0one")]
    assert (one.size, one.oid) == (4, sha(b"\0one"))
    assert datetime.now(UTC) - one.pushed_at < timedelta(minutes=5)
    page = httpx.get(
        f"{hub.url}/api/models/{repo_id}/lfs-files?limit=2", headers={"Authorization": f"Bearer {hub.token}"}
    )
    assert len(page.json()) == 2 and 'rel="next"' in page.headers["link"]
    times = [item.pushed_at for item in api.list_lfs_files(repo_id)]
    assert times == sorted(times, reverse=True)


def test_rewriting_takes_a_file_out_of_every_commit(api: HfApi, repo_id: str, data: Path) -> None:
    """Branches, tags of both kinds, pull requests open and merged; what had nothing to do with it stays."""
    untouched = add(api, repo_id, "keep.bin", b"\0keep")
    api.create_tag(repo_id, tag="before")
    add(api, repo_id, "deep/down/doomed.bin", b"\0doomed")
    add(api, repo_id, "copy.bin", b"\0doomed")
    api.create_tag(repo_id, tag="plain")
    api.create_tag(repo_id, tag="annotated", tag_message="with it")
    api.create_branch(repo_id, branch="side")
    last = add(api, repo_id, "side.txt", b"side", "side")
    opened = add(api, repo_id, "asked.txt", b"asked", pr=True)
    add(api, repo_id, "merged.txt", b"merged", pr=True)
    api.merge_pull_request(repo_id, 2)
    chosen = [item for item in api.list_lfs_files(repo_id) if item.file_oid == sha(b"\0doomed")]
    history = [(commit.title, commit.created_at) for commit in api.list_repo_commits(repo_id)]
    api.permanently_delete_lfs_files(repo_id, chosen)

    assert mentioned(data, repo_id) == {sha(b"\0keep")}
    assert [item.filename for item in api.list_lfs_files(repo_id)] == ["keep.bin"]
    assert [(commit.title, commit.created_at) for commit in api.list_repo_commits(repo_id)] == history
    assert set(api.list_repo_files(repo_id)) == {".gitattributes", "keep.bin", "merged.txt"}
    assert set(api.list_repo_files(repo_id, revision="side")) == {".gitattributes", "keep.bin", "side.txt"}
    refs = api.list_repo_refs(repo_id, include_pull_requests=True)
    tags = {tag.name: tag.target_commit for tag in refs.tags}
    assert tags["before"] == untouched and tags["plain"] == tags["annotated"] != untouched
    git = git_of(data, repo_id)
    tag = git[git.references["refs/tags/annotated"].target]
    assert isinstance(tag, pygit2.Tag) and (tag.name, tag.message.strip()) == ("annotated", "with it")
    assert last not in {commit.commit_id for commit in api.list_repo_commits(repo_id, revision="side")}

    story = api.get_discussion_details(repo_id, 1)
    named = [event.oid for event in story.events if event.type == "commit"]
    assert named == [api.model_info(repo_id, revision="refs/pr/1").sha] != [opened]
    assert "doomed" not in (story.diff or "") and "+asked" in (story.diff or "")
    api.merge_pull_request(repo_id, 1)
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(repo_id, "deep/down/doomed.bin")
    add(api, repo_id, "deep/down/doomed.bin", b"\0doomed")
    assert mentioned(data, repo_id) == {sha(b"\0keep"), sha(b"\0doomed")}, "it may come back"


def test_without_rewriting_the_pointers_stay(api: HfApi, repo_id: str, data: Path, tmp_path: Path) -> None:
    head = add(api, repo_id, "w.bin", b"\0w")
    api.permanently_delete_lfs_files(repo_id, api.list_lfs_files(repo_id), rewrite_history=False)
    assert api.model_info(repo_id).sha == head and mentioned(data, repo_id) == {sha(b"\0w")}
    assert list(api.list_lfs_files(repo_id)) == []
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(repo_id, "w.bin", cache_dir=tmp_path)
    again = committed(f"{api.endpoint}/api/models/{repo_id}", str(api.token), b"\0w")
    assert again.status_code == 400 and "was not uploaded here" in again.text


def committed(url: str, token: str, content: bytes) -> httpx.Response:
    """A commit by hand that names a large file."""
    lines = [
        {"key": "header", "value": {"summary": "by hand"}},
        {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": sha(content)}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    return httpx.post(f"{url}/commit/main", content=body, headers={"Authorization": f"Bearer {token}"})


def test_a_file_deleted_while_its_commit_arrives(hub: Server, api: HfApi, repo_id: str) -> None:
    add(api, repo_id, "w.bin", b"\0w")

    def body() -> Iterator[bytes]:
        yield b'{"key": "header", "value": {"summary": "x"}}\n'
        line = {"key": "lfsFile", "value": {"path": "x.bin", "algo": "sha256", "oid": sha(b"\0w")}}
        yield json.dumps(line).encode() + b"\n"
        time.sleep(0.5)
        api.permanently_delete_lfs_files(repo_id, list(api.list_lfs_files(repo_id)))

    answer = httpx.post(
        f"{hub.url}/api/models/{repo_id}/commit/main",
        content=body(),
        headers={"Authorization": f"Bearer {hub.token}"},
    )
    assert answer.status_code == 400 and "deleted from this repository meanwhile" in answer.text
    assert api.list_repo_files(repo_id) == [".gitattributes"]


def test_everything_of_a_commit_may_go(api: HfApi, repo_id: str, data: Path) -> None:
    api.delete_file(".gitattributes", repo_id)
    add(api, repo_id, "only/one.bin", b"\0one")
    api.delete_file(".gitattributes", repo_id)
    api.permanently_delete_lfs_files(repo_id, api.list_lfs_files(repo_id))
    assert api.list_repo_files(repo_id) == [] and mentioned(data, repo_id) == set()


def test_only_writers_see_and_delete(team: str) -> None:
    ada, bob = (HfApi(endpoint=team, token=f"token-of-{name}") for name in ("ada", "bob"))
    ada.create_repo("ada/stored", exist_ok=True)
    add(ada, "ada/stored", "w.bin", b"\0w")
    mine = list(ada.list_lfs_files("ada/stored"))
    for refused in (
        lambda: list(bob.list_lfs_files("ada/stored")),
        lambda: bob.permanently_delete_lfs_files("ada/stored", mine),
    ):
        with pytest.raises(HfHubHTTPError) as error:
            refused()
        assert error.value.response.status_code == 403
    assert len(list(ada.list_lfs_files("ada/stored"))) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"deletions": []}, 400),
        ({"deletions": {"sha": "x"}}, 400),
        ({"deletions": {"sha": ["../../x"]}}, 422),
        ({"deletions": {"sha": ["0" * 64] * 1001}}, 413),
        ({"deletions": {"sha": ["0" * 64]}}, 200),
    ],
)
def test_malformed_deletions(hub: Server, repo_id: str, body: dict[str, Any], status: int) -> None:
    url = f"{hub.url}/api/models/{repo_id}/lfs-files/batch"
    assert httpx.post(url, json=body, headers={"Authorization": f"Bearer {hub.token}"}).status_code == status


def test_lending_needs_both_repositories_and_a_commit(team: str) -> None:
    """`files` are lent by who may read the one and write the other; an uncommitted object by nobody."""
    ada, bob = (HfApi(endpoint=team, token=f"token-of-{name}") for name in ("ada", "bob"))
    source, hidden, target = (f"{name}{uuid4().hex[:8]}" for name in ("ada/open", "ada/hidden", "bob/target"))
    ada.create_repo(source)
    ada.create_repo(hidden, private=True)
    bob.create_repo(target, repo_type="dataset")
    for repo_id in (source, hidden):
        add(ada, repo_id, "w.bin", b"\0w")
    ada.preupload_lfs_files(source, [CommitOperationAdd("never.bin", b"\0never")])

    def lend(
        api: HfApi, repo_id: str, content: bytes, to: str = target, kind: object = "dataset"
    ) -> httpx.Response:
        files = [{"sha256": sha(content), "filename": "w.bin"}]
        return httpx.post(
            f"{team}/api/models/{repo_id}/lfs-files/duplicate",
            json={"target": {"type": kind, "name": to}, "files": files},
            headers={"Authorization": f"Bearer {api.token}"},
        )

    assert lend(bob, hidden, b"\0w").status_code == 404
    assert lend(ada, source, b"\0w").status_code == 403
    assert lend(ada, source, b"\0w", "bob/nothing").status_code == 404
    assert [row["sha256"] for row in lend(bob, source, b"\0never").json()["failed"]] == [sha(b"\0never")]
    assert lend(bob, source, b"\0w", kind="dataset/../dataset").status_code == 404
    assert lend(bob, source, b"\0w", kind=[]).status_code == 404
    assert lend(bob, source, b"\0w").json()["failed"] == []
    assert committed(f"{team}/api/datasets/{target}", "token-of-bob", b"\0w").status_code == 200
    ada.delete_repo(source)
    assert httpx.get(f"{team}/datasets/{target}/resolve/main/w.bin").content == b"\0w"
