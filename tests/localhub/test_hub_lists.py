"""What the API says about repositories, one by one and in lists, and about accounts."""

from __future__ import annotations

import json
import struct
from typing import Any
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from localhub.launch import Server
from tests.localhub.test_hub_repos import BIG, filled, fresh, refused


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


def weights(parameters: int) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [parameters], "data_offsets": [0, 4 * parameters]}})
    return struct.pack("<Q", len(header)) + header.encode() + bytes(4 * parameters)


def test_listing(ada: HfApi) -> None:
    word = uuid4().hex[:8]
    names = [f"engines/{word}-{letter}" for letter in "abcde"]
    for name in names:
        ada.create_repo(name)
    ada.upload_file(
        path_or_fileobj=b"---\npipeline_tag: token-classification\ntags: [x1]\n---\n",
        path_in_repo="README.md",
        repo_id=names[0],
    )
    ada.upload_file(path_or_fileobj=weights(300), path_in_repo="model.safetensors", repo_id=names[1])
    ada.update_repo_settings(names[2], gated="manual")

    def ids(**query: Any) -> list[str]:
        return [model.id for model in ada.list_models(search=word, **query)]

    assert set(ids()) == set(names) and ids(author="ada") == []
    assert ids(author="ENGINES", limit=2) == ids()[:2]
    assert ids(filter="x1") == ids(pipeline_tag="token-classification") == [names[0]]
    assert ids(filter=["x1", "x2"]) == []
    assert ids(gated=True) == [names[2]] and names[2] not in ids(gated=False)
    assert ids(num_parameters="min:200,max:1K") == [names[1]] and ids(num_parameters="min:6B") == []
    assert ids(inference="warm") == []
    assert ids(sort="created_at") == names[::-1]
    for query in ({"apps": "ollama"}, {"num_parameters": "many"}, {"sort": "beauty"}):
        assert refused(501 if "apps" in query else 400, lambda query=query: ids(**query))
    rows = {model.id: model for model in ada.list_models(search=word, full=True)}
    assert {file.rfilename for file in rows[names[0]].siblings or []} == {".gitattributes", "README.md"}
    rows = {model.id: model for model in ada.list_models(search=word, expand=["safetensors"])}
    assert rows[names[1]].safetensors is not None and rows[names[1]].safetensors.total == 300
    assert rows[names[1]].author is None


def test_pages_of_a_list_neither_repeat_nor_miss(team: str, ada: HfApi) -> None:
    word = uuid4().hex[:8]
    names = [f"ada/{word}-{letter}" for letter in "abcde"]
    for name in names:
        ada.create_repo(name, repo_type="dataset")
    url = f"{team}/api/datasets?search={word}&limit=2&sort=createdAt"
    seen = []
    while url and len(seen) < 20:
        answer = httpx.get(url)
        seen += [row["id"] for row in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
        if len(seen) == 2:  # what is made meanwhile comes before the first page
            ada.create_repo(f"ada/{word}-late", repo_type="dataset")
    assert seen == names[::-1]
    assert httpx.get(f"{team}/api/datasets?cursor=nonsense").status_code == 400


def test_expand(team: str, ada: HfApi) -> None:
    name, child = fresh("ada"), fresh("ada")
    filled(ada, name)
    config = json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"}).encode()
    tokens = json.dumps({"mask_token": {"content": "[MASK]"}}).encode()
    card = b"---\nbase_model: other/base\nwidget: [{text: hello}]\n---\n"
    ada.create_commit(
        name,
        [
            CommitOperationAdd("README.md", card),
            CommitOperationAdd("config.json", config),
            CommitOperationAdd("tokenizer_config.json", tokens),
        ],
        commit_message="more",
    )
    ada.create_repo(child)
    ada.upload_file(
        path_or_fileobj=f"---\nbase_model: {name}\n---\n".encode(), path_in_repo="README.md", repo_id=child
    )
    ada.create_repo(child, repo_type="space", space_sdk="static")
    ada.upload_file(
        path_or_fileobj=f"---\nmodels: [{name}]\n---\n".encode(),
        path_in_repo="README.md",
        repo_id=child,
        repo_type="space",
    )
    found = httpx.get(
        f"{team}/api/models/{name}?expand=baseModels&expand=childrenModelCount&expand=spaces"
    ).json()
    assert found.keys() == {"_id", "id", "baseModels", "childrenModelCount", "spaces"}
    assert found["baseModels"]["models"] == [{"id": "other/base"}]
    assert (found["childrenModelCount"], found["spaces"]) == (1, [child])
    assert child in {space.id for space in ada.list_spaces(models=name)}
    assert child in {space.id for space in ada.list_spaces(linked=True)}
    assert list(ada.list_spaces(models=name, datasets="no/such")) == []
    info = ada.model_info(name)
    assert info.transformers_info is not None
    assert info.transformers_info.auto_model == "AutoModelForMaskedLM"
    assert info.transformers_info.processor == "AutoTokenizer"
    assert (info.mask_token, info.widget_data, info.downloads) == ("[MASK]", [{"text": "hello"}], 0)
    assert info.used_storage is not None and info.used_storage > len(BIG)
    error = refused(400, lambda: ada.model_info(name, expand=["beauty"]))  # type: ignore[list-item]
    assert 'expected one of "author"|"baseModels"' in error.response.json()["error"]
    large = next(file for file in ada.model_info(name, files_metadata=True).siblings or [] if file.lfs)
    assert large.lfs is not None and large.lfs.size == len(BIG)


def test_accounts(team: str, ada: HfApi, bob: HfApi) -> None:
    name = fresh("engines")
    filled(ada, name, private=True)
    user = bob.get_user_overview("ada")
    assert (user.username, user.fullname, [org.name for org in user.orgs]) == ("ada", "Ada", ["engines"])
    mine, theirs = (api.get_organization_overview("engines").num_models for api in (ada, bob))
    assert mine is not None and theirs is not None and mine > theirs
    assert [member.username for member in bob.list_organization_members("engines")] == ["ada"]
    refused(404, lambda: bob.get_user_overview("nobody"))
    refused(404, lambda: list(bob.list_organization_members("ada")))
    row = next(repo for repo in ada.list_user_repos("engines") if repo.id == name)
    assert (row.type, row.visibility) == ("model", "private") and row.storage > len(BIG)
    assert 0 < row.storage_percent <= 100
    refused(403, lambda: list(bob.list_user_repos("engines")))
    assert all(repo.id.startswith("bob/") for repo in bob.list_user_repos())
    assert list(ada.list_repo_likers(name)) == [] and ada.list_liked_repos("bob").total == 0
    ada.unlike(name)
    with pytest.raises(RepositoryNotFoundError):
        bob.unlike(name)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/api/settings/webhooks", "webhooks"),
        ("/api/jobs/ada", "jobs"),
        ("/api/buckets/ada", "buckets"),
        ("/api/kernels/ada/k", "kernels"),
        ("/api/papers/search", "papers"),
        ("/api/spaces/hardware", "the hardware of spaces"),
    ],
)
def test_what_is_not_served_says_so(hub: Server, path: str, what: str) -> None:
    answer = httpx.get(hub.url + path)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (501, "NotImplemented")
    assert answer.json()["error"] == f"localhub does not serve {what} (GET {path})."


def test_ids_of_one_part_are_not_found(api: HfApi) -> None:
    for call in (
        lambda: api.model_info("gpt2"),
        lambda: api.unlike("gpt2"),
        lambda: list(api.list_repo_tree("gpt2")),
        lambda: api.list_repo_refs("gpt2"),
        lambda: api.create_branch("gpt2", branch="x"),
        lambda: list(api.get_repo_discussions("gpt2")),
        lambda: api.auth_check("gpt2"),
    ):
        with pytest.raises(RepositoryNotFoundError):
            call()
