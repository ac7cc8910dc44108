"""Branches and tags through the real client: what makes them, what they may be called, what the Hub says."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RevisionNotFoundError


def add(path: str) -> CommitOperationAdd:
    return CommitOperationAdd(path, b"text\n")


def files(api: HfApi, repo_id: str, revision: str | None = None) -> set[str]:
    return set(api.list_repo_files(repo_id, revision=revision))


def test_tags_and_branches(api: HfApi, repo_id: str) -> None:
    first = api.create_commit(repo_id, [add("a.txt")], commit_message="a").oid
    api.create_tag(repo_id, tag="v1.0", tag_message="the first")
    api.create_tag(repo_id, tag="plain", revision=first[:8])
    second = api.create_commit(repo_id, [add("b.txt")], commit_message="b").oid
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_tag(repo_id, tag="v1.0")
    assert refused.value.response.status_code == 409
    api.create_tag(repo_id, tag="v1.0", exist_ok=True)
    api.create_branch(repo_id, branch="next/try", revision="v1.0")
    api.create_branch(repo_id, branch="next/try", exist_ok=True)
    api.create_commit(repo_id, [add("c.txt")], commit_message="c", revision="next/try")
    refs = api.list_repo_refs(repo_id, include_pull_requests=True)
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"v1.0": first, "plain": first}
    assert {branch.name for branch in refs.branches} == {"main", "next/try"} and refs.pull_requests == []
    assert files(api, repo_id, "v1.0") == {".gitattributes", "a.txt"}
    assert files(api, repo_id, "next/try") == {".gitattributes", "a.txt", "c.txt"}
    assert api.model_info(repo_id, revision="v1.0").sha == first and api.model_info(repo_id).sha == second
    api.delete_tag(repo_id, tag="v1.0")
    api.delete_branch(repo_id, branch="next/try")
    for wrong in (
        lambda: api.delete_tag(repo_id, tag="v1.0"),
        lambda: api.model_info(repo_id, revision="v1.0"),
    ):
        with pytest.raises(RevisionNotFoundError):
            wrong()
    with pytest.raises(HfHubHTTPError) as refused:
        api.delete_branch(repo_id, branch="main")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "name",
    ["a..b", "a b", "refs/pr/1", "refs/heads/x", "x.lock", "a~1", "a\\b", "a@{0}", "0" * 40, "x" * 201],
)
def test_names_that_no_branch_or_tag_can_have(api: HfApi, repo_id: str, name: str) -> None:
    with pytest.raises(BadRequestError, match="Invalid reference for a branch"):
        api.create_branch(repo_id, branch=name)
    with pytest.raises(BadRequestError, match="Invalid reference for a tag"):
        api.create_tag(repo_id, tag=name)
    for missing in (
        lambda: api.delete_branch(repo_id, branch=name),
        lambda: api.delete_tag(repo_id, tag=name),
    ):
        with pytest.raises(RevisionNotFoundError):
            missing()
    refs = api.list_repo_refs(repo_id)
    assert [branch.name for branch in refs.branches] == ["main"] and refs.tags == []


def test_what_the_hub_says_about_branches_and_tags(api: HfApi, repo_id: str) -> None:
    """These are its words; scripts look for them."""
    api.create_tag(repo_id, tag="v1")
    api.create_tag(repo_id, tag="w/x")
    api.create_branch(repo_id, branch="v1")
    for call, status, words in (
        (lambda: api.create_branch(repo_id, branch="main"), 409, "Reference refs/heads/main already exists"),
        (lambda: api.create_tag(repo_id, tag="v1"), 409, "Tag reference exists already"),
        (lambda: api.delete_branch(repo_id, branch="main"), 403, "Cannot delete refs/heads/main"),
        (lambda: api.create_tag(repo_id, tag="a b", revision="nope"), 404, "Invalid rev id: nope"),
        (lambda: api.create_branch(repo_id, branch="x", revision="nope"), 404, "Invalid rev id: nope"),
        (lambda: api.create_branch(repo_id, branch="v1/x"), 409, "cannot exist beside refs/heads/v1"),
        (lambda: api.create_tag(repo_id, tag="v1/x/y", tag_message="m"), 409, "beside refs/tags/v1"),
        (lambda: api.create_tag(repo_id, tag="w"), 409, "beside refs/tags/w/x"),
    ):
        with pytest.raises(HfHubHTTPError, match=words) as refused:
            call()
        assert refused.value.response.status_code == status
    api.delete_tag(repo_id, tag="v1")
    assert {branch.name for branch in api.list_repo_refs(repo_id).branches} == {"main", "v1"}


def test_commit_to_a_tag_or_unknown_branch_is_refused(api: HfApi, repo_id: str) -> None:
    api.create_tag(repo_id, tag="v1")
    with pytest.raises(BadRequestError, match="neither"):
        api.create_commit(repo_id, [add("a")], commit_message="a", revision="v1")
    with pytest.raises(RevisionNotFoundError):
        api.create_commit(repo_id, [add("a")], commit_message="a", revision="nope")
