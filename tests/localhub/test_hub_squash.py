"""One commit made of many: branches, pull requests, and what must not be squashed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from localhub.launch import Server

BINARY = bytes(range(256)) * 40


def fill(api: HfApi, repo_id: str, revision: str = "main") -> str:
    """Three commits; the last one's SHA."""
    for number in range(3):
        operation = CommitOperationAdd("a.txt", str(number).encode())
        done = api.create_commit(repo_id, [operation], commit_message=f"c{number}", revision=revision)
    return str(done.oid)


def titles(api: HfApi, repo_id: str, revision: str = "main") -> list[str]:
    return [commit.title for commit in api.list_repo_commits(repo_id, revision=revision)]


def test_branch_is_one_commit_with_the_same_files(api: HfApi, repo_id: str) -> None:
    api.upload_file(path_or_fileobj=BINARY, path_in_repo="w.bin", repo_id=repo_id)
    head = fill(api, repo_id)
    api.create_branch(repo_id, branch="other")
    api.create_tag(repo_id, tag="v1")
    before = {item.path: item.blob_id for item in api.list_repo_tree(repo_id)}
    api.super_squash_history(repo_id, commit_message="one")
    assert titles(api, repo_id) == ["one"]
    assert {item.path: item.blob_id for item in api.list_repo_tree(repo_id)} == before
    assert api.model_info(repo_id).sha != head and api.list_repo_commits(repo_id)[0].authors == ["local"]
    assert len(titles(api, repo_id, "other")) == len(titles(api, repo_id, "v1")) == 5
    fill(api, repo_id)
    assert titles(api, repo_id) == ["c2", "c1", "c0", "one"]
    with pytest.raises(HfHubHTTPError) as refused:
        operation = CommitOperationAdd("b.txt", b"b")
        api.create_commit(repo_id, [operation], commit_message="late", parent_commit=head)
    assert refused.value.response.status_code == 412


def test_pull_request_is_squashed_and_still_merges(api: HfApi, repo_id: str) -> None:
    request = api.create_pull_request(repo_id, "A request")
    fill(api, repo_id, request.git_reference)
    api.super_squash_history(repo_id, branch=request.git_reference)
    assert titles(api, repo_id, "refs/pr/1") == ["Super-squash branch 'refs/pr/1' using huggingface_hub"]
    assert "+2" in (api.get_discussion_details(repo_id, 1).diff or "")
    api.change_discussion_status(repo_id, 1, "open")
    api.merge_pull_request(repo_id, 1)
    assert set(api.list_repo_files(repo_id)) == {".gitattributes", "a.txt"}


def test_tags_commits_and_unknown_names_are_refused(api: HfApi, anonymous: HfApi, repo_id: str) -> None:
    head = fill(api, repo_id)
    api.create_tag(repo_id, tag="v1")
    for revision in ("v1", "refs/tags/v1", head):
        with pytest.raises(BadRequestError, match="Invalid reference for a branch"):
            api.super_squash_history(repo_id, branch=revision)
    for revision in ("nothing", "refs/pr/9", "refs/heads/nothing", "a b"):
        with pytest.raises(RevisionNotFoundError):
            api.super_squash_history(repo_id, branch=revision)
    with pytest.raises(HfHubHTTPError) as refused:
        anonymous.super_squash_history(repo_id)
    assert refused.value.response.status_code == 401
    assert api.model_info(repo_id).sha == head


def test_readers_may_not_squash(team: str) -> None:
    ada, bob = (HfApi(endpoint=team, token=f"token-of-{name}") for name in ("ada", "bob"))
    ada.create_repo("ada/squashed", exist_ok=True)
    with pytest.raises(HfHubHTTPError) as refused:
        bob.super_squash_history("ada/squashed")
    assert refused.value.response.status_code == 403
    ada.create_repo("ada/hidden", private=True, exist_ok=True)
    with pytest.raises(RepositoryNotFoundError):
        bob.super_squash_history("ada/hidden")


def test_commits_and_squashes_at_once_lose_nothing(api: HfApi, repo_id: str) -> None:
    def step(number: int) -> None:
        if number % 4 == 0:
            api.super_squash_history(repo_id)
        else:
            operation = CommitOperationAdd(f"{number}.txt", b"x")
            api.create_commit(repo_id, [operation], commit_message="x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(step, range(24)))
    assert len(api.list_repo_files(repo_id)) == 1 + 18


def test_message_is_bounded(hub: Server, repo_id: str) -> None:
    url, headers = (
        f"{hub.url}/api/models/{repo_id}/super-squash/main",
        {"Authorization": f"Bearer {hub.token}"},
    )
    assert httpx.post(url, json={"message": "x" * 70_000}, headers=headers).status_code == 413
    assert httpx.post(url, json={"message": 1}, headers=headers).status_code == 400
    assert httpx.post(url, json={}, headers=headers).status_code == 200
