"""Pull requests: from draft to merged, conflicts, bases, diffs, and races."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pygit2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError

from tests.localhub.talking import proposed, refused


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


@pytest.fixture
def adas(ada: HfApi) -> str:
    """A fresh public repository of ada's."""
    name = f"ada/m{uuid4().hex[:8]}"
    ada.create_repo(name)
    return name


def test_a_gate_hides_what_a_request_changes(ada: HfApi, bob: HfApi, adas: str) -> None:
    num = proposed(ada, adas, "secret.txt", "the secret")
    ada.update_repo_settings(adas, gated="manual")
    assert "the secret" in str(ada.get_discussion_details(adas, num).diff)
    seen = bob.get_discussion_details(adas, num)
    assert seen.diff is None and seen.conflicting_files == [] and seen.title == "Write secret.txt"
    bob.comment_discussion(adas, num, "May I see it?")


def test_from_draft_to_merged(ada: HfApi, adas: str) -> None:
    draft = ada.create_pull_request(adas, "A draft", description="About it")
    assert (draft.status, draft.git_reference, draft.target_branch) == (
        "draft",
        "refs/pr/1",
        "refs/heads/main",
    )
    assert draft.diff == "" and draft.conflicting_files == []
    ada.create_commit(
        adas, [CommitOperationAdd("a.txt", b"a\n")], commit_message="Add a", revision=draft.git_reference
    )
    assert not ada.file_exists(adas, "a.txt") and ada.file_exists(adas, "a.txt", revision="refs/pr/1")
    status, message = refused(lambda: ada.merge_pull_request(adas, 1))
    assert status == 400 and "this one is draft" in message
    ada.change_discussion_status(adas, 1, "open")
    ada.merge_pull_request(adas, 1, comment="Merging")
    told = ada.get_discussion_details(adas, 1)
    newest = ada.list_repo_commits(adas)[0]
    assert told.status == "merged" and told.merge_commit_oid == newest.commit_id
    assert newest.title == "A draft (#1)" and newest.authors == ["ada"] and "- Add a (" in newest.message
    kinds = [event.type for event in told.events]
    assert kinds == ["comment", "commit", "status-change", "comment", "status-change"]
    assert "+a" in str(told.diff).splitlines() and told.conflicting_files == []
    for again in (
        lambda: ada.merge_pull_request(adas, 1),
        lambda: ada.change_discussion_status(adas, 1, "closed", comment="never said"),
    ):
        status, message = refused(again)
        assert status == 400 and "already merged" in message
    assert len(ada.get_discussion_details(adas, 1).events) == 5
    talk = ada.create_discussion(adas, "Just talk").num
    assert refused(lambda: ada.merge_pull_request(adas, talk))[0] == 400


def test_conflicts_are_named_and_stop_a_merge(ada: HfApi, bob: HfApi, adas: str) -> None:
    def write(path: str, text: str) -> None:
        ada.create_commit(adas, [CommitOperationAdd(path, text.encode())], commit_message=f"Write {path}")

    write("a.txt", "a\n")
    num = proposed(bob, adas, "a.txt", "b\n")
    side = proposed(bob, adas, "other.txt", "o\n")
    write("a.txt", "c\n")
    assert ada.get_discussion_details(adas, num).conflicting_files == ["a.txt"]
    head = ada.model_info(adas).sha
    status, message = refused(lambda: ada.merge_pull_request(adas, num, comment="not kept"))
    assert status == 409 and "conflicts in a.txt" in message
    told = ada.get_discussion_details(adas, num)
    assert told.status == "open" and ada.model_info(adas).sha == head
    assert [event.type for event in told.events] == ["commit"], "a refused merge says nothing"
    ada.merge_pull_request(adas, side)
    assert (ada.file_exists(adas, "other.txt"), ada.get_discussion_details(adas, side).status) == (
        True,
        "merged",
    )
    bob.create_commit(
        adas, [CommitOperationAdd("a.txt", b"c\n")], commit_message="As on main", revision=f"refs/pr/{num}"
    )
    assert ada.get_discussion_details(adas, num).conflicting_files == []
    ada.merge_pull_request(adas, num)


def test_another_branch_may_be_the_base(ada: HfApi, adas: str) -> None:
    ada.create_branch(adas, branch="next")
    ada.create_tag(adas, tag="v1")
    num = proposed(ada, adas, "n.txt", "n", revision="next")
    assert ada.get_discussion_details(adas, num).target_branch == "refs/heads/next"
    for revision in ("v1", "refs/tags/v1", f"refs/pr/{num}", str(ada.model_info(adas).sha), "nowhere"):
        with pytest.raises(RevisionNotFoundError):
            proposed(ada, adas, "x.txt", "x", revision=revision)
    ada.merge_pull_request(adas, num)
    assert ada.file_exists(adas, "n.txt", revision="next") and not ada.file_exists(adas, "n.txt")
    last = proposed(ada, adas, "m.txt", "m", revision="next")
    ada.delete_branch(adas, branch="next")
    told = ada.get_discussion_details(adas, last)
    assert (told.status, told.conflicting_files, told.diff) == ("open", [], None)
    assert refused(lambda: ada.merge_pull_request(adas, last))[0] == 404


def test_the_diff_is_gits(ada: HfApi, adas: str) -> None:
    lines = "".join(f"line {number}\n" for number in range(30))
    ada.create_commit(adas, [CommitOperationAdd("old.txt", lines.encode())], commit_message="One")
    changed = lines.replace("line 7\n", "ligne 7\n").encode()
    operations = [CommitOperationAdd("new.txt", changed), CommitOperationDelete("old.txt")]
    num = ada.create_commit(adas, operations, commit_message="Rename", create_pr=True).pr_num
    assert num is not None
    diff = str(ada.get_discussion_details(adas, num).diff).splitlines()
    assert diff[0] == "diff --git a/old.txt b/new.txt" and diff[1].startswith("similarity index 9")
    assert diff[2:4] == ["rename from old.txt", "rename to new.txt"]
    assert "-line 7" in diff and "+ligne 7" in diff
    bare = httpx.get(f"{ada.endpoint}/api/models/{adas}/discussions/{num}").json()
    assert "diff" not in bare and bare["filesWithConflicts"] == [] and "start" not in bare["changes"]


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_data_sets_and_spaces_too(ada: HfApi, bob: HfApi, kind: str) -> None:
    name = f"ada/r{uuid4().hex[:8]}"
    ada.create_repo(name, repo_type=kind, space_sdk="static" if kind == "space" else None)
    add = [CommitOperationAdd("rows.csv", b"a,b\n")]
    made = bob.create_commit(name, add, commit_message="Rows", repo_type=kind, create_pr=True)
    assert made.pr_url == f"{ada.endpoint}/{kind}s/{name}/discussions/1"
    told = bob.get_discussion_details(name, 1, repo_type=kind)
    assert told.url == made.pr_url and told.repo_type == kind and told.repo_id == name
    ada.merge_pull_request(name, 1, repo_type=kind)
    assert ada.file_exists(name, "rows.csv", repo_type=kind)


def test_racing_merges(ada: HfApi, adas: str) -> None:
    """Of eight that merge one request, one does; of four requests merged at once, all are in."""
    nums = [proposed(ada, adas, f"{number}.txt", "x") for number in range(4)]

    def merge(num: int) -> bool:
        try:
            ada.merge_pull_request(adas, num)
        except HfHubHTTPError as error:
            assert "already merged" in str(error)
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(merge, [nums[0]] * 8)) == 1
        assert all(pool.map(merge, nums[1:]))
    assert {f"{number}.txt" for number in range(4)} < set(ada.list_repo_files(adas))
    assert len(ada.list_repo_commits(adas)) == 5


def test_a_ref_without_a_story_is_no_pull_request(api: HfApi, data: Path, repo_id: str) -> None:
    """What a server that was killed half-way leaves: not shown, and the next ones take their numbers."""
    git = pygit2.Repository(str(data / "repos/models" / repo_id / "git"))
    left = git.references["refs/heads/main"].target
    for number in (1, 2, 3):
        git.references.create(f"refs/pr/{number}", left)
    assert api.list_repo_refs(repo_id, include_pull_requests=True).pull_requests == []
    assert proposed(api, repo_id, "a", "text") == 1
    assert api.create_pull_request(repo_id, title="An empty draft").num == 2
    shown = api.list_repo_refs(repo_id, include_pull_requests=True).pull_requests or []
    head = api.model_info(repo_id, revision="refs/pr/1").sha
    assert {ref.name: ref.target_commit for ref in shown} == {"1": head, "2": str(left)} and head != str(left)
    assert api.create_discussion(repo_id, title="A discussion").num == 3
    assert set(git.references) >= {"refs/pr/1", "refs/pr/2"} and "refs/pr/3" not in git.references
