"""Repositories get other names: what follows, what does not, and who wins a name."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from localhub.errors import HubError
from localhub.storage import moves, redirects, repos
from tests.localhub.test_hub_repos import BIG, filled, fresh, refused


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


def test_move(team: str, ada: HfApi, tmp_path: Path) -> None:
    old, new = fresh("ada"), fresh("engines")
    sha = filled(ada, old)
    identity = httpx.get(f"{team}/api/models/{old}").json()["_id"]
    ada.move_repo(old, new)
    for path in (
        "/api/models/{}",
        "/api/models/{}/tree/main?recursive=true",
        "/{}/resolve/main/w.bin",
        "/{}",
    ):
        answer = httpx.get(team + path.format(old))
        assert (answer.status_code, answer.headers["location"]) == (307, path.format(new))
    shown = httpx.get(f"{team}/{old}?x=%20y", headers={"Accept": "text/html"})
    assert (shown.status_code, shown.headers["location"]) == (307, f"/{new}?x=%20y")
    found = httpx.get(f"{team}/api/models/{old}", follow_redirects=True).json()
    assert (found["id"], found["_id"], found["sha"], found["author"]) == (new, identity, sha, "engines")
    assert ada.model_info(old).id == new
    assert Path(ada.hf_hub_download(old, "w.bin", cache_dir=tmp_path)).read_bytes() == BIG
    assert [tag.name for tag in ada.list_repo_refs(old).tags] == ["v1"]
    more = [CommitOperationAdd("b.bin", BIG[::-1]), CommitOperationAdd("c.txt", b"c")]
    again = [CommitOperationAdd("d.txt", b"d")]
    ada.create_commit(old, more, commit_message="by its former name")
    assert {"b.bin", "c.txt"} <= set(ada.list_repo_files(new))
    pushed = ada.create_commit(old, again, commit_message="as a request", create_pr=True)
    assert f"/{new}/discussions/" in str(pushed.pr_url)


def test_git_follows_a_move(team: str, ada: HfApi, tmp_path: Path) -> None:
    old, new = fresh("ada"), fresh("engines")
    sha = filled(ada, old)
    ada.move_repo(old, new)
    quiet = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    for address in (old, f"{old}.git"):
        command = ["git", "ls-remote", f"{team}/{address}", "refs/heads/main"]
        done = subprocess.run(command, capture_output=True, text=True, env=quiet, cwd=tmp_path)
        assert done.stdout.split() == [sha, "refs/heads/main"], done.stderr
        assert f"redirecting to {team}/{new}" in done.stderr


def test_of_many_who_take_a_name_one_gets_it(ada: HfApi) -> None:
    """Also when they spell it differently, or move something there."""
    name, sources = fresh("ada"), [fresh("ada") for _ in range(3)]
    for source in sources:
        ada.create_repo(source)

    def attempt(number: int) -> int:
        try:
            if number < 3:
                ada.move_repo(sources[number], name)
            else:
                ada.create_repo(name.upper() if number % 2 else name)
        except HfHubHTTPError as error:
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(8)))
    assert sorted(answers) == [200, *[409] * 7]
    assert len({model.id for model in ada.list_models(search=name.split("/")[1])}) == 1


def test_a_name_that_is_taken_while_a_repository_is_being_made(tmp_path: Path) -> None:
    repos.prepare(tmp_path)

    def slow(made: repos.Repo) -> None:
        repos.create(tmp_path, "model", "ada", "A", False, fill=lambda _: None)

    with pytest.raises(HubError) as error:
        repos.create(tmp_path, "model", "ada", "a", False, fill=slow)
    assert error.value.status == 409
    assert [repo.id for repo in repos.every(tmp_path, "model")] == ["ada/A"]
    assert list((tmp_path / "tmp").iterdir()) == [], "nothing half made is left"


def test_moves_chain_and_come_back(team: str, ada: HfApi) -> None:
    first, second, third = fresh("ada"), fresh("engines"), fresh("ada")
    filled(ada, first)
    ada.move_repo(first, second)
    ada.move_repo(second, third)
    assert ada.model_info(first).id == ada.model_info(second).id == third
    ada.move_repo(third, first)
    assert ada.model_info(second).id == ada.model_info(third).id == ada.model_info(first).id == first
    ada.create_repo(second)
    assert ada.model_info(second).id == second, "a new repository ends the redirect"
    assert ada.model_info(third).id == first
    ada.delete_repo(second)
    with pytest.raises(RepositoryNotFoundError):
        ada.model_info(second)
    ada.delete_repo(first)
    with pytest.raises(RepositoryNotFoundError):
        ada.model_info(third)
    ada.create_repo(first)
    with pytest.raises(RepositoryNotFoundError):
        ada.model_info(third)  # it led to a repository, not to a name


def test_move_refused(ada: HfApi, bob: HfApi) -> None:
    mine, taken = fresh("ada"), fresh("engines")
    filled(ada, mine)
    ada.create_repo(taken)
    error = refused(409, lambda: ada.move_repo(mine, taken))
    assert f"A model repository called {taken} already exists" in str(error)
    refused(409, lambda: ada.move_repo(mine, mine))
    refused(403, lambda: ada.move_repo(mine, fresh("bob")))
    refused(403, lambda: bob.move_repo(mine, fresh("bob")))
    refused(404, lambda: ada.move_repo(fresh("ada"), fresh("ada")))
    refused(404, lambda: ada.move_repo(mine, fresh("ada"), repo_type="dataset"))
    refused(400, lambda: ada.move_repo(mine, "ada/no..good"))
    assert ada.model_info(mine).id == mine
    shouted = "ada/" + mine.split("/")[1].upper()
    ada.move_repo(mine, shouted)
    assert ada.model_info(mine).id == shouted


def test_a_private_repository_is_as_hidden_behind_its_former_name(team: str, ada: HfApi) -> None:
    old, new = fresh("ada"), fresh("engines")
    filled(ada, old, private=True)
    ada.move_repo(old, new)
    for headers, status in (({"Authorization": "Bearer token-of-bob"}, 404), ({}, 401)):
        for name in (old, fresh("ada")):
            answer = httpx.get(f"{team}/api/models/{name}", headers=headers)
            assert answer.status_code == status and "location" not in answer.headers
    assert ada.model_info(old).private is True
    refused(404, lambda: ada.delete_repo(old))


def test_a_kill_in_the_middle_of_a_move_leaves_it_at_one_name(tmp_path: Path) -> None:
    """The note is written first; until the rename, the old name and those before it still lead there."""
    repos.prepare(tmp_path)
    repo = repos.create(tmp_path, "model", "ada", "a", False, fill=lambda made: None)
    moved = moves.move(tmp_path, repo, "ada", "b")
    redirects.note(tmp_path, "model", moved.id, "ada/c", moved.uid)  # and killed here
    found = moves.follow(tmp_path, "model", "ada", "a")
    assert found is not None and found.id == "ada/b"
    assert repos.find(tmp_path, "model", "ada", "b") is not None
    assert moves.follow(tmp_path, "model", "ada", "c") is None


def test_a_writer_who_waited_does_not_write_into_the_next_repository(tmp_path: Path) -> None:
    repos.prepare(tmp_path)
    old = repos.create(tmp_path, "model", "ada", "a", False, fill=lambda made: None)
    repos.delete(tmp_path, old)
    repos.create(tmp_path, "model", "ada", "a", False, fill=lambda made: None)
    with pytest.raises(HubError) as error, old.lock():
        pass
    assert error.value.code == "RepoNotFound"
