"""Gated repositories: what stands before the gate, who may pass it, and how one asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

BIG = bytes(range(256)) * 50
ADA = {"Authorization": "Bearer token-of-ada"}
BOB = {"Authorization": "Bearer token-of-bob"}
CARD = b"---\nextra_gated_fields:\n  Company: text\n---\n# The card\n"


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


@pytest.fixture(params=["model", "dataset"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def gated(ada: HfApi, kind: str) -> Iterator[str]:
    """A repository of ada's organisation, gated by hand."""
    name = f"engines/g{uuid4().hex[:8]}"
    ada.create_repo(name, repo_type=kind)
    files = [CommitOperationAdd("README.md", CARD), CommitOperationAdd("w.bin", BIG)]
    files += [CommitOperationAdd("a/README.md", b"x"), CommitOperationAdd("config.json", b"{}")]
    ada.create_commit(name, files, commit_message="x", repo_type=kind)
    ada.update_repo_settings(name, gated="manual", repo_type=kind)
    yield name


def page(team: str, kind: str, name: str) -> str:
    return f"{team}/{name}" if kind == "model" else f"{team}/{kind}s/{name}"


def calls(team: str, kind: str, name: str) -> list[tuple[str, str, object]]:
    """Everything that gives files, or acts on them, as (method, address, JSON)."""
    api, web = f"{team}/api/{kind}s/{name}", page(team, kind, name)
    batch = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}
    return [
        ("GET", f"{api}/auth-check", None),
        ("GET", f"{web}/resolve/main/w.bin", None),
        ("HEAD", f"{web}/resolve/main/config.json", None),
        ("GET", f"{web}/resolve/main/a/README.md", None),
        ("GET", f"{web}/resolve/main/nothing-like-it", None),
        ("GET", f"{web}/resolve/no-such-branch/w.bin", None),
        ("POST", f"{web}.git/info/lfs/objects/batch", batch),
        ("POST", f"{api}/duplicate", {"repository": "bob/mine"}),
    ]


def test_before_the_gate(team: str, ada: HfApi, bob: HfApi, gated: str, kind: str, tmp_path: Path) -> None:
    nobody = HfApi(endpoint=team, token=False)
    for api in (nobody, bob):
        info = api.repo_info(gated, repo_type=kind, files_metadata=True)
        assert info.gated == "manual" and info.card_data is not None
        large = next(file for file in info.siblings or [] if file.rfilename == "w.bin")
        assert large.lfs is not None and large.lfs.sha256 == "*" * 64
        assert {"w.bin", "config.json"} <= set(api.list_repo_files(gated, repo_type=kind))
        card = api.hf_hub_download(gated, "README.md", repo_type=kind, cache_dir=tmp_path)
        assert Path(card).read_bytes() == CARD
    file = next(
        file for file in ada.repo_info(gated, repo_type=kind, files_metadata=True).siblings or [] if file.lfs
    )
    assert file.lfs is not None and len(set(file.lfs.sha256)) > 1


def test_the_gate(team: str, ada: HfApi, bob: HfApi, gated: str, kind: str, tmp_path: Path) -> None:
    words = f"Access to {kind} {gated} is restricted"
    login = f"{words}. You must have access to it and be authenticated to access it. Please log in."
    ask = (
        f"{words} and you are not in the authorized list. Visit {page(team, kind, gated)} to ask for access."
    )
    for method, url, body in calls(team, kind, gated):
        for headers, status, message in (({}, 401, login), (BOB, 403, ask)):
            if url.endswith("duplicate") and not headers:
                continue
            answer = httpx.request(method, url, json=body, headers=headers)
            assert answer.status_code == status, (method, url)
            assert answer.headers["X-Error-Code"] == "GatedRepo"
            assert answer.headers["X-Error-Message"] == message
        assert httpx.request(method, url, json=body, headers=ADA).headers.get("X-Error-Code") != "GatedRepo"
    with pytest.raises(GatedRepoError):
        bob.hf_hub_download(gated, "w.bin", repo_type=kind, cache_dir=tmp_path)
    with pytest.raises(GatedRepoError):
        bob.snapshot_download(gated, repo_type=kind, cache_dir=tmp_path)
    with pytest.raises(GatedRepoError):
        bob.create_commit(
            gated, [CommitOperationAdd("x", b"x")], commit_message="x", create_pr=True, repo_type=kind
        )
    path = ada.hf_hub_download(gated, "w.bin", repo_type=kind, cache_dir=tmp_path)
    assert Path(path).read_bytes() == BIG


def requests(team: str, kind: str, name: str, status: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = httpx.get(
        f"{team}/api/{kind}s/{name}/user-access-request/{status}", headers=ADA
    ).json()
    return found


def review(
    team: str, kind: str, name: str, verb: str, body: object, headers: object = None
) -> httpx.Response:
    url = f"{team}/api/{kind}s/{name}/user-access-request/{verb}"
    return httpx.post(url, json=body, headers=headers or ADA)  # type: ignore[arg-type]


def test_asking(team: str, bob: HfApi, gated: str, kind: str, tmp_path: Path) -> None:
    web = page(team, kind, gated)
    for answers in ({"json": {"Company": "Engines", "Other": "x"}}, {"data": {"Company": "Later"}}):
        asked = httpx.post(f"{web}/ask-access", headers=BOB, **answers)  # type: ignore[arg-type]
        assert (asked.status_code, asked.headers["location"]) == (303, web)
    (row,) = requests(team, kind, gated, "pending")
    assert row["user"]["user"] == "bob" and row["user"]["email"] == "bob@example.org"  # type: ignore[index]
    assert row["fields"] == {"Company": "Engines"}, "the first answers, and only those that were asked for"
    assert datetime.fromisoformat(str(row["timestamp"])).tzinfo is not None
    waiting = f"Your request to access {kind} {gated} is awaiting a review from the repo authors."
    assert httpx.get(f"{web}/resolve/main/w.bin", headers=BOB).headers["X-Error-Message"] == waiting
    assert review(team, kind, gated, "handle", {"user": "bob", "status": "accepted"}).json() == {}
    bob.auth_check(gated, repo_type=kind)
    path = bob.hf_hub_download(gated, "w.bin", repo_type=kind, cache_dir=tmp_path)
    assert Path(path).read_bytes() == BIG
    assert review(team, kind, gated, "cancel", None, BOB).status_code == 404, "accepted: not pending any more"
    review(team, kind, gated, "handle", {"user": "bob", "status": "rejected", "rejectionReason": "no"})
    answer = httpx.get(f"{web}/resolve/main/w.bin", headers=BOB)
    assert answer.headers["X-Error-Message"].endswith("has been rejected by the repo's authors.")
    review(team, kind, gated, "handle", {"requestId": row["requestId"], "status": "pending"})
    assert review(team, kind, gated, "cancel", None, BOB).json() == {"ok": True}
    assert requests(team, kind, gated, "pending") == []
    assert httpx.post(f"{web}/ask-access").status_code == 401


def test_automatic_approval(team: str, ada: HfApi, bob: HfApi, gated: str, kind: str) -> None:
    ada.update_repo_settings(gated, gated="auto", repo_type=kind)
    with pytest.raises(GatedRepoError):
        bob.auth_check(gated, repo_type=kind)
    httpx.post(f"{page(team, kind, gated)}/ask-access", headers=BOB)
    bob.auth_check(gated, repo_type=kind)
    (row,) = requests(team, kind, gated, "accepted")
    assert "grantedBy" not in row and row["reviewedAt"] == row["timestamp"]


def test_refusals_of_owners(team: str, ada: HfApi, gated: str, kind: str) -> None:
    def refused(verb: str, body: object, headers: object = None) -> tuple[int, str]:
        answer = review(team, kind, gated, verb, body, headers)
        return answer.status_code, answer.json()["error"]

    nothing = "No access request found matching your criteria"
    not_yours = "You have read access but not the required permissions for this operation"
    assert refused("handle", {"user": "bob", "status": "accepted"}) == (404, nothing)
    assert refused("handle", {"user": "nobody", "status": "accepted"}) == (404, "User not found")
    assert refused("handle", {"requestId": "0" * 24, "status": "accepted"}) == (404, nothing)
    assert refused("handle", {"status": "accepted"})[0] == 400
    assert refused("handle", {"user": "bob", "requestId": "0", "status": "accepted"})[0] == 400
    assert refused("handle", {"user": "bob", "status": "maybe"})[0] == 400
    assert refused("handle", {"user": "bob", "status": "rejected", "rejectionReason": "x" * 201})[0] == 413
    assert refused("grant", {"user": "bob"}, BOB) == (403, not_yours)
    assert review(team, kind, gated, "grant", {"user": "bob"}).json() == {}
    assert refused("grant", {"user": "bob"}) == (400, "That user already has access to the repo")
    assert refused("grant", {"user": "ada"}) == (400, "That user already has access to the repo")
    (row,) = requests(team, kind, gated, "accepted")
    assert "email" not in row["user"] and row["grantedBy"]["user"] == "ada"  # type: ignore[operator,index]
    ada.update_repo_settings(gated, gated=False, repo_type=kind)
    assert refused("grant", {"user": "bob"}) == (400, f"{kind} {gated} is not gated")
    listing = f"{team}/api/{kind}s/{gated}/user-access-request/pending"
    assert httpx.get(listing).status_code == 401
    assert httpx.get(listing, headers=BOB).json()["error"] == not_yours
    assert httpx.get(listing.replace("pending", "lost"), headers=ADA).status_code == 404


def test_gated_and_private_is_private(team: str, ada: HfApi, bob: HfApi, gated: str, kind: str) -> None:
    review(team, kind, gated, "grant", {"user": "bob"})
    ada.update_repo_settings(gated, private=True, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError) as refused:
        bob.auth_check(gated, repo_type=kind)
    assert not isinstance(refused.value, GatedRepoError)
    assert httpx.post(f"{page(team, kind, gated)}/ask-access", headers=BOB).status_code == 404


def test_lists_of_requests_come_in_pages(team: str, ada: HfApi, gated: str, kind: str) -> None:
    review(team, kind, gated, "grant", {"user": "bob"})
    review(team, kind, gated, "handle", {"user": "bob", "status": "pending"})
    url = f"{team}/api/{kind}s/{gated}/user-access-request/pending?limit=1"
    assert "next" not in httpx.get(url, headers=ADA).links
    assert httpx.get(f"{url}&cursor=1", headers=ADA).json() == []


def test_the_client_of_an_owner(team: str, tmp_path: Path) -> None:
    """Some of these methods ask HF_ENDPOINT whatever the client was given: a process of its own."""
    script = """
from huggingface_hub import HfApi
api = HfApi(token="token-of-ada")
name = api.create_repo("engines/by-client", exist_ok=True).repo_id
api.update_repo_settings(name, gated="manual")
api.grant_access(name, "bob")
(one,) = api.list_accepted_access_requests(name)
assert (one.username, one.fullname, one.email, one.status) == ("bob", "Bob", None, "accepted"), one
api.cancel_access_request(name, "bob")
(one,) = api.list_pending_access_requests(name)
api.reject_access_request(name, "bob", rejection_reason="because")
assert [r.username for r in api.list_rejected_access_requests(name)] == ["bob"]
api.accept_access_request(name, request_id=one.request_id)
api.auth_check(name, token="token-of-bob")
print("done")
"""
    environment = os.environ | {"HF_ENDPOINT": team, "HF_HOME": str(tmp_path), "HF_TOKEN": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "done", done.stderr[-3000:]


def test_a_gate_makes_no_difference_to_those_who_may_write(ada: HfApi, gated: str, kind: str) -> None:
    before = ada.repo_info(gated, repo_type=kind).sha
    ada.upload_file(path_or_fileobj=b"y", path_in_repo="y", repo_id=gated, repo_type=kind)
    assert ada.repo_info(gated, repo_type=kind).sha != before
    ada.auth_check(gated, write=True, repo_type=kind)


def test_asking_is_bounded(team: str, gated: str, kind: str) -> None:
    url = f"{page(team, kind, gated)}/ask-access"
    for content, status in ((b"[]", 400), (b"{", 400), (b'{"a": "\\ud800"}', 400), (b" " * 70_000, 413)):
        assert httpx.post(url, content=content, headers=BOB).status_code == status
    many = "&".join(f"k{number}=v" for number in range(200))
    form = BOB | {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(url, content=many, headers=form).status_code == 400


def unexpected(call: Callable[[], object]) -> None:
    with pytest.raises(HfHubHTTPError):
        call()


def test_a_moved_gate_knows_who_was_accepted(
    team: str, ada: HfApi, bob: HfApi, gated: str, kind: str
) -> None:
    review(team, kind, gated, "grant", {"user": "bob"})
    ada.move_repo(gated, f"{gated}-moved", repo_type=kind)
    bob.auth_check(gated, repo_type=kind)
    bob.auth_check(f"{gated}-moved", repo_type=kind)
    copy = bob.duplicate_repo(gated, f"bob/copy-{uuid4().hex[:8]}", repo_type=kind).repo_id
    assert bob.repo_info(copy, repo_type=kind).gated == "manual"
    unexpected(lambda: HfApi(endpoint=team, token=False).auth_check(copy, repo_type=kind))
