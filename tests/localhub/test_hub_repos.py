"""Repositories as a whole: made, moved, copied, set, described, listed, deleted. With the real client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from localhub.launch import Server
from localhub.storage import repos
from tests.localhub.conftest import ROOT

BIG = bytes(range(256)) * 50


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


def fresh(namespace: str) -> str:
    return f"{namespace}/r{uuid4().hex[:10]}"


def filled(api: HfApi, name: str, private: bool = False) -> str:
    """A repository with a small file, a large one and a tag; the head's SHA."""
    api.create_repo(name, private=private)
    card = b"---\nlicense: mit\npipeline_tag: text-classification\n---\n# A card\n"
    files = [CommitOperationAdd("README.md", card), CommitOperationAdd("w.bin", BIG)]
    sha = api.create_commit(name, files, commit_message="first").oid
    api.create_tag(name, tag="v1")
    return sha


def refused(status: int, call: Callable[[], object]) -> HfHubHTTPError:
    with pytest.raises(HfHubHTTPError) as caught:
        call()
    assert caught.value.response.status_code == status, caught.value
    return caught.value


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_create_and_delete(ada: HfApi, bob: HfApi, kind: str, tmp_path: Path) -> None:
    name, sdk = fresh("engines"), {"space_sdk": "static"} if kind == "space" else {}
    url = ada.create_repo(name, repo_type=kind, **sdk)
    assert url.repo_id == name and url.repo_type == kind
    assert ada.create_repo(name, repo_type=kind, exist_ok=True, **sdk) == url
    taken = refused(409, lambda: ada.create_repo(name, repo_type=kind, **sdk))
    assert taken.response.json()["url"] == str(url)
    refused(403, lambda: bob.create_repo(fresh("engines"), repo_type=kind, **sdk))
    info = ada.repo_info(name, repo_type=kind)
    assert info.id == name and info.private is False and info.sha
    assert getattr(info, "sdk", None) == sdk.get("space_sdk")
    ada.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id=name, repo_type=kind)
    path = ada.hf_hub_download(name, "a.txt", repo_type=kind, cache_dir=tmp_path)
    assert Path(path).read_bytes() == b"x"
    ada.delete_repo(name, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError):
        ada.repo_info(name, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError):
        ada.delete_repo(name, repo_type=kind)


def test_an_organisation_is_spelled_as_it_is(ada: HfApi) -> None:
    name = fresh("engines")
    assert ada.create_repo(name.replace("engines", "ENGINES")).repo_id == name
    assert ada.model_info(name.upper()).id == name
    refused(409, lambda: ada.create_repo(name.upper()))


def test_what_a_space_needs_to_run_is_refused_by_name(ada: HfApi) -> None:
    for option in ({"space_secrets": [{"key": "K", "value": "v"}]}, {"space_hardware": "t4-medium"}):
        create = partial(ada.create_repo, fresh("ada"), repo_type="space", space_sdk="gradio", **option)
        error = refused(501, create)
        assert error.response.headers["X-Error-Code"] == "NotImplemented"
        assert "of a space" in str(error)
    name = fresh("ada")
    ada.create_repo(name, repo_type="space", space_sdk="gradio")
    for call in (lambda: ada.get_space_runtime(name), lambda: ada.restart_space(name)):
        assert "the runtime of spaces" in str(refused(501, call))
    assert "the hardware of spaces" in str(refused(501, ada.get_zero_gpu_quota))


def test_settings(ada: HfApi, bob: HfApi) -> None:
    name = fresh("ada")
    ada.create_repo(name, repo_type="dataset")
    ada.update_repo_settings(name, repo_type="dataset", gated="auto", private=True)
    info = ada.dataset_info(name)
    assert info.gated == "auto" and info.private is True
    ada.update_repo_settings(name, repo_type="dataset", visibility="public")
    info = ada.dataset_info(name)
    assert info.gated == "auto" and info.private is False, "what is not named stays"
    ada.update_repo_settings(name, repo_type="dataset", gated=False)
    assert ada.dataset_info(name).gated is False
    refused(403, lambda: bob.update_repo_settings(name, repo_type="dataset", private=True))
    url, token = f"{ada.endpoint}/api/datasets/{name}/settings", {"Authorization": "Bearer token-of-ada"}
    for body, status in (({"gated": True}, 400), ({"gated": 0}, 400), ({"discussionsDisabled": True}, 501)):
        assert httpx.put(url, json=body, headers=token).status_code == status, body
    assert httpx.put(url, json={"visibility": "secret"}, headers=token).status_code == 400


def test_duplicate(team: str, ada: HfApi, bob: HfApi, tmp_path: Path) -> None:
    source, copy = fresh("ada"), fresh("bob")
    filled(ada, source)
    ada.create_branch(source, branch="side")
    ada.create_pull_request(source, title="Not copied")
    made = bob.duplicate_repo(source, copy)
    assert (made.repo_id, made.files_copy_pending) == (copy, False)
    assert bob.model_info(copy).sha == ada.model_info(source).sha, "history and all"
    refs = bob.list_repo_refs(copy, include_pull_requests=True)
    assert [
        [ref.name for ref in group] for group in (refs.branches, refs.tags, refs.pull_requests or [])
    ] == [
        ["main", "side"],
        ["v1"],
        [],
    ]
    assert list(bob.get_repo_discussions(copy)) == []
    ada.delete_repo(source)
    assert Path(bob.hf_hub_download(copy, "w.bin", revision="v1", cache_dir=tmp_path)).read_bytes() == BIG
    assert bob.duplicate_repo(copy, copy + "2", private=True).repo_id == copy + "2"
    assert bob.model_info(copy + "2").private is True
    error = refused(409, lambda: bob.duplicate_repo(copy, copy + "2"))
    assert error.response.json()["url"] == f"{team}/{copy}2"
    assert bob.duplicate_repo(copy, copy + "2", exist_ok=True).repo_id == copy + "2"
    refused(403, lambda: bob.duplicate_repo(copy, fresh("ada")))


def test_a_private_repository_is_copied_by_those_who_may_read_it(ada: HfApi, bob: HfApi) -> None:
    source = fresh("engines")
    filled(ada, source, private=True)
    refused(404, lambda: bob.duplicate_repo(source))
    assert ada.duplicate_repo(source, fresh("ada")).repo_id
    assert ada.model_info(ada.duplicate_repo(source, fresh("ada")).repo_id).private is True


def test_a_copy_holds_only_what_its_refs_lead_to(ada: HfApi) -> None:
    source = fresh("ada")
    filled(ada, source)
    dropped = ada.create_commit(
        source, [CommitOperationAdd("s.txt", b"secret")], commit_message="x", create_pr=True
    )
    ada.list_repo_files(source, revision=dropped.oid)
    copy = ada.duplicate_repo(source, fresh("ada")).repo_id
    refused(404, lambda: ada.list_repo_files(copy, revision=dropped.oid))


def test_a_killed_writer_locks_nobody_out(hub: Server, data: Path, api: HfApi, repo_id: str) -> None:
    """Killed while libgit2 held its own lock on main: the next commit must not find it locked for ever."""
    script = f"""
import os, sys, time
from pathlib import Path
from localhub.storage import repos
repo = repos.find(Path({str(data)!r}), "model", *{repo_id!r}.split("/"))
with repo.lock():
    (repo.path / "git/refs/heads/main.lock").write_text("")
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "held\n"
        writer.kill()
    sha = api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo_id).oid
    assert api.model_info(repo_id).sha == sha
    assert (data / f"repos/models/{repo_id}/lock").stat().st_mode & 0o777 == 0o600


def test_finding_one_repository_reads_no_other(tmp_path: Path) -> None:
    """Thousands of others must not make a request slow, for a name in another case or a wrong one neither."""
    repos.prepare(tmp_path)
    made = repos.create(tmp_path, "model", "Ada", "One", False, fill=lambda _: None)
    for number in range(50):
        broken = tmp_path / f"repos/models/Ada/other{number}"
        broken.mkdir()
        (broken / "repo.json").write_text("not JSON: reading it would raise")
    assert repos.find(tmp_path, "model", "Ada", "One") == made
    assert repos.find(tmp_path, "model", "aDA", "oNE") == made
    assert repos.find(tmp_path, "model", "ada", "two") is None
    assert repos.find(tmp_path, "dataset", "Ada", "One") is None
