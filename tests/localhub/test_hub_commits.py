"""Commits through the real client: uploads, skips, deletes, races, pull requests."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)

from localhub.launch import Server

BINARY = bytes(range(256)) * 40


def add(path: str, content: bytes = b"text\n") -> CommitOperationAdd:
    return CommitOperationAdd(path, content)


def files(api: HfApi, repo_id: str, revision: str | None = None) -> set[str]:
    return set(api.list_repo_files(repo_id, revision=revision))


def test_create_twice_and_delete(api: HfApi) -> None:
    url = api.create_repo("someone-else/model")
    assert url.repo_id == "someone-else/model" and str(url).endswith("/someone-else/model")
    assert api.create_repo("someone-else/model", exist_ok=True) == url
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_repo("Someone-Else/MODEL")
    assert refused.value.response.status_code == 409
    assert refused.value.response.json()["url"] == str(url)
    api.delete_repo("someone-else/model")
    assert not api.repo_exists("someone-else/model")
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo("someone-else/model")
    api.create_repo("someone-else/model")
    assert files(api, "someone-else/model") == {".gitattributes"}


def test_upload_folder_text_and_large(api: HfApi, repo_id: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "sub" / "weights.safetensors").write_bytes(BINARY)
    first = api.upload_folder(
        repo_id=repo_id, folder_path=tmp_path, commit_message="one", commit_description="two"
    )
    info = api.model_info(repo_id, files_metadata=True)
    assert info.sha == first.oid
    found = {item.rfilename: item for item in info.siblings}
    assert set(found) == {".gitattributes", "config.json", "empty.txt", "sub/weights.safetensors"}
    large = found["sub/weights.safetensors"]
    assert large.size == len(BINARY) and large.lfs.sha256 == hashlib.sha256(BINARY).hexdigest()
    assert found["config.json"].lfs is None
    assert found["config.json"].blob_id == hashlib.sha1(b"blob 2\0{}").hexdigest()
    commit = api.list_repo_commits(repo_id)[0]
    assert (commit.title, commit.message, commit.authors) == ("one", "two", ["local"])

    again = api.upload_folder(repo_id=repo_id, folder_path=tmp_path, commit_message="again")
    assert again.oid == first.oid, "unchanged files must be skipped"


def test_stale_parent_is_412(api: HfApi, repo_id: str) -> None:
    before = api.model_info(repo_id).sha
    after = api.create_commit(repo_id, [add("a.txt")], commit_message="a", parent_commit=before).oid
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_commit(repo_id, [add("b.txt")], commit_message="b", parent_commit=before)
    assert refused.value.response.status_code == 412
    assert api.model_info(repo_id).sha == after


def test_racing_commits_on_one_parent_have_one_winner(api: HfApi, repo_id: str) -> None:
    parent = api.model_info(repo_id).sha

    def attempt(number: int) -> int:
        try:
            api.create_commit(repo_id, [add(f"{number}.txt")], commit_message="race", parent_commit=parent)
        except HfHubHTTPError as error:
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(attempt, range(8)))
    assert outcomes == [200] + [412] * 7
    assert len(files(api, repo_id)) == 2


def test_concurrent_commits_without_parent_are_all_kept(api: HfApi, repo_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: api.create_commit(repo_id, [add(f"{n}.txt")], commit_message="x"), range(12)))
    assert len(files(api, repo_id)) == 13
    assert len(api.list_repo_commits(repo_id)) == 13


def test_pull_requests_opened_at_once_get_their_own_numbers(api: HfApi, repo_id: str) -> None:
    def opened(number: int) -> int | None:
        done = api.create_commit(
            repo_id, [add(f"{number}.txt")], commit_message=f"pr {number}", create_pr=True
        )
        return done.pr_num

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(opened, range(10))) == list(range(1, 11))
    assert len(list(api.get_repo_discussions(repo_id))) == 10


def test_deletes_and_copies(api: HfApi, repo_id: str) -> None:
    api.create_commit(repo_id, [add("a"), add("d/b"), add("d/e/c", BINARY), add("keep")], commit_message="x")
    api.create_commit(repo_id, [CommitOperationCopy("d/e/c", "copy.bin")], commit_message="x")
    api.delete_file("a", repo_id)
    api.delete_folder("d", repo_id)
    assert files(api, repo_id) == {".gitattributes", "keep", "copy.bin"}
    with pytest.raises(RemoteEntryNotFoundError, match="A file with this name doesn't exist"):
        api.create_commit(repo_id, [CommitOperationDelete("nope")], commit_message="x")


def test_a_file_can_become_a_folder(api: HfApi, repo_id: str) -> None:
    api.create_commit(repo_id, [add("x")], commit_message="file")
    api.create_commit(repo_id, [CommitOperationDelete("x"), add("x/y")], commit_message="folder")
    assert files(api, repo_id) == {".gitattributes", "x/y"}


def test_gitattributes_rule_for_unknown_large_file(api: HfApi, repo_id: str, tmp_path: Path) -> None:
    big = tmp_path / "notes with space.txt"
    big.write_bytes(b"0123456789abcdef" * (11 << 16))  # 11 MiB of plain text
    api.upload_file(path_or_fileobj=big, path_in_repo="d/notes with space.txt", repo_id=repo_id)
    rules = Path(api.hf_hub_download(repo_id, ".gitattributes", cache_dir=tmp_path / "c")).read_text()
    assert "d/notes[[:space:]]with[[:space:]]space.txt filter=lfs" in rules
    count = rules.count("\n")
    big.write_bytes(b"fedcba9876543210" * (11 << 16))
    api.upload_file(path_or_fileobj=big, path_in_repo="d/notes with space.txt", repo_id=repo_id)
    rules = Path(api.hf_hub_download(repo_id, ".gitattributes", cache_dir=tmp_path / "c")).read_text()
    assert rules.count("\n") == count, "a rule is added once"


def test_gitignore_is_honoured(api: HfApi, repo_id: str, tmp_path: Path) -> None:
    for name in ("keep.txt", "skip.log", "build/out.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\n")
    api.upload_folder(repo_id=repo_id, folder_path=tmp_path)
    assert files(api, repo_id) == {".gitattributes", ".gitignore", "keep.txt"}


def test_pull_request_by_commit_then_merge(api: HfApi, repo_id: str) -> None:
    main = api.model_info(repo_id).sha
    opened = api.create_commit(
        repo_id, [add("a.txt")], commit_message="Release 1", create_pr=True, parent_commit=main
    )
    assert opened.pr_num == 1 and opened.pr_revision == "refs/pr/1"
    staged = api.create_commit(
        repo_id, [add("b.bin", BINARY)], commit_message="more", revision="refs/pr/1", parent_commit=opened.oid
    )
    assert files(api, repo_id) == {".gitattributes"}, "main shows nothing before the merge"
    assert files(api, repo_id, "refs/pr/1") == {".gitattributes", "a.txt", "b.bin"}
    assert files(api, repo_id, staged.oid) == {".gitattributes", "a.txt", "b.bin"}
    details = api.get_discussion_details(repo_id, 1)
    assert (
        details.status == "open"
        and details.target_branch == "refs/heads/main"
        and details.conflicting_files == []
    )
    assert "+text" in details.diff
    assert [event.oid for event in details.events if event.type == "commit"] == [opened.oid, staged.oid]
    api.merge_pull_request(repo_id, 1, comment="checked")
    details = api.get_discussion_details(repo_id, 1)
    assert details.status == "merged" and details.merge_commit_oid == api.model_info(repo_id).sha
    assert files(api, repo_id) == {".gitattributes", "a.txt", "b.bin"}
    assert api.list_repo_commits(repo_id)[0].title == "Release 1 (#1)"
    with pytest.raises(BadRequestError, match="merged"):
        api.merge_pull_request(repo_id, 1)


def test_stale_parent_opens_no_pull_request(api: HfApi, repo_id: str) -> None:
    stale = api.model_info(repo_id).sha
    api.create_commit(repo_id, [add("a.txt")], commit_message="a")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_commit(repo_id, [add("b.txt")], commit_message="b", create_pr=True, parent_commit=stale)
    assert refused.value.response.status_code == 412
    assert list(api.get_repo_discussions(repo_id)) == []


def test_draft_pull_request_must_be_opened_and_can_be_closed(api: HfApi, repo_id: str) -> None:
    draft = api.create_pull_request(repo_id, "A draft", description="why")
    assert draft.status == "draft" and draft.git_reference == "refs/pr/1"
    assert draft.events[0].content == "why"
    api.create_commit(repo_id, [add("a.txt")], commit_message="a", revision="refs/pr/1")
    with pytest.raises(BadRequestError, match="draft"):
        api.merge_pull_request(repo_id, 1)
    assert api.change_discussion_status(repo_id, 1, "closed", comment="not now").new_status == "closed"
    assert api.change_discussion_status(repo_id, 1, "open").new_status == "open"
    assert api.comment_discussion(repo_id, 1, "hello").content == "hello"
    assert api.rename_discussion(repo_id, 1, "Another title").new_title == "Another title"
    api.merge_pull_request(repo_id, 1)
    api.create_discussion(repo_id, "Only words")
    listed = list(api.get_repo_discussions(repo_id))
    assert [(item.num, item.title, item.is_pull_request) for item in listed] == [
        (2, "Only words", False),
        (1, "Another title", True),
    ]
    assert [item.num for item in api.get_repo_discussions(repo_id, discussion_type="pull_request")] == [1]


def test_conflicting_pull_request_is_refused(api: HfApi, repo_id: str) -> None:
    api.create_commit(repo_id, [add("a.txt", b"base\n")], commit_message="a")
    api.create_commit(repo_id, [add("a.txt", b"theirs\n")], commit_message="b", create_pr=True)
    head = api.create_commit(repo_id, [add("a.txt", b"ours\n")], commit_message="c").oid
    assert api.get_discussion_details(repo_id, 1).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError) as refused:
        api.merge_pull_request(repo_id, 1)
    assert refused.value.response.status_code == 409
    assert api.model_info(repo_id).sha == head


def test_pull_request_merges_beside_other_changes(api: HfApi, repo_id: str) -> None:
    api.create_commit(repo_id, [add("a.txt")], commit_message="a", create_pr=True)
    api.create_commit(repo_id, [add("b.txt")], commit_message="b")
    api.merge_pull_request(repo_id, 1)
    assert files(api, repo_id) == {".gitattributes", "a.txt", "b.txt"}


def test_invalid_card_stops_the_commit(api: HfApi, repo_id: str) -> None:
    with pytest.raises((BadRequestError, ValueError), match="license"):
        api.create_commit(
            repo_id, [add("README.md", b"---\nlicense: licence\n---\n# x\n")], commit_message="x"
        )
    api.create_commit(repo_id, [add("README.md", b"---\nlicense: mit\n---\n# x\n")], commit_message="x")
    assert "README.md" in files(api, repo_id)


def test_large_file_both_ways(api: HfApi, repo_id: str, tmp_path: Path) -> None:
    big = tmp_path / "model.safetensors"
    big.write_bytes(os.urandom(1 << 20) * 30)
    api.upload_file(path_or_fileobj=big, path_in_repo="model.safetensors", repo_id=repo_id)
    back = api.hf_hub_download(repo_id, "model.safetensors", cache_dir=tmp_path / "cache")
    assert Path(back).read_bytes() == big.read_bytes()


def test_copies_within_and_over_what_is_there(api: HfApi, repo_id: str) -> None:
    """Large files are copied by name, others come back and are sent again; equal ones make no commit."""
    api.create_commit(repo_id, [add("a.txt", b"a"), add("w.bin", BINARY)], commit_message="x")
    copies = [CommitOperationCopy("a.txt", "d/a.txt"), CommitOperationCopy("w.bin", "d/w.bin")]
    first = api.create_commit(repo_id, copies, commit_message="copies").oid
    info = {item.path: item for item in api.get_paths_info(repo_id, ["a.txt", "d/a.txt", "w.bin", "d/w.bin"])}
    assert info["a.txt"].blob_id == info["d/a.txt"].blob_id
    assert info["w.bin"].lfs.sha256 == info["d/w.bin"].lfs.sha256
    copies = [CommitOperationCopy("a.txt", "d/a.txt"), CommitOperationCopy("w.bin", "d/w.bin")]
    assert api.create_commit(repo_id, copies, commit_message="again").oid == first
    move = [CommitOperationCopy("w.bin", "moved.bin", src_revision=first), CommitOperationDelete("w.bin")]
    api.create_commit(repo_id, move, commit_message="moved", revision="main")
    assert files(api, repo_id) == {".gitattributes", "a.txt", "d/a.txt", "d/w.bin", "moved.bin"}
    with pytest.raises(EntryNotFoundError, match="file is missing on repo"):
        api.create_commit(repo_id, [CommitOperationCopy("w.bin", "x")], commit_message="x")


def test_readers_open_requests_and_go_on_with_their_own(team: str) -> None:
    """They learn before they send anything that they may not commit."""
    ada, bob = (HfApi(endpoint=team, token=f"token-of-{name}") for name in ("ada", "bob"))
    name = f"ada/m{os.urandom(4).hex()}"
    ada.create_repo(name)
    with pytest.raises(HfHubHTTPError) as refused:
        bob.create_commit(name, [add("w.bin", BINARY)], commit_message="x")
    assert refused.value.response.status_code == 403 and "/preupload/" in str(refused.value.response.url)
    opened = bob.create_commit(name, [add("w.bin", BINARY)], commit_message="mine", create_pr=True)
    bob.create_commit(name, [add("b.txt")], commit_message="more", revision=opened.pr_revision)
    ada.create_commit(name, [add("c.txt")], commit_message="hers", create_pr=True)
    with pytest.raises(HfHubHTTPError) as refused:
        bob.create_commit(name, [add("d.txt")], commit_message="x", revision="refs/pr/2")
    assert refused.value.response.status_code == 403
    assert files(ada, name) == {".gitattributes"} and "b.txt" in files(ada, name, "refs/pr/1")


def test_unchanged_files_are_known_by_their_identity(hub: Server, api: HfApi, repo_id: str) -> None:
    api.create_commit(repo_id, [add("a.txt", b"a"), add("d/w.bin", BINARY)], commit_message="x")
    rows = [{"path": path, "size": 1, "sample": ""} for path in ("a.txt", "d/w.bin", "d", "new.txt", "w.bin")]
    answer = httpx.post(
        f"{hub.url}/api/models/{repo_id}/preupload/main",
        json={"files": rows, "gitIgnore": "new.*\n"},
        headers={"Authorization": f"Bearer {hub.token}"},
    ).json()["files"]
    assert [(row["uploadMode"], row.get("oid"), row["shouldIgnore"]) for row in answer] == [
        ("regular", hashlib.sha1(b"blob 1\0a").hexdigest(), False),
        ("lfs", hashlib.sha256(BINARY).hexdigest(), False),
        ("regular", None, False),
        ("regular", None, True),
        ("lfs", None, False),
    ]
