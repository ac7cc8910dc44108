"""mirror.add: the same bytes give the same commit, here and everywhere."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub import launch, mirror
from localhub.errors import HubError

WEIGHTS = bytes(range(256)) * 500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "base"
    (made / "1_Pooling").mkdir(parents=True)
    (made / ".cache" / "huggingface").mkdir(parents=True)
    (made / ".cache" / "huggingface" / "x.metadata").write_text("12:00")
    (made / "config.json").write_text("{}")
    (made / "1_Pooling" / "config.json").write_text('{"a": 1}')
    (made / "model.safetensors").write_bytes(WEIGHTS)
    (made / "odd").write_bytes(b"\x00binary of no known type")
    return made


def test_deterministic_and_idempotent(folder: Path, tmp_path: Path) -> None:
    first = mirror.add(tmp_path / "one", "org/base", folder, "Mirror")
    os.utime(folder / "config.json", (0, 0))
    assert mirror.add(tmp_path / "two", "org/base", folder, "Mirror") == first
    assert mirror.add(tmp_path / "one", "org/base", folder, "Another message") == first, "no-op"
    (folder / "config.json").write_text('{"b": 2}')
    second = mirror.add(tmp_path / "one", "org/base", folder, "Mirror")
    assert (
        second != first == mirror.add(tmp_path / "three", "other/name", _original(folder, tmp_path), "Mirror")
    )
    (folder / "config.json").write_text("{}")
    assert mirror.add(tmp_path / "one", "org/base", folder, "Mirror") == first, "A, B, A"


def test_it_answers_to_the_commit_that_it_has_elsewhere(folder: Path, tmp_path: Path) -> None:
    """An adapter's card pins its base to a commit of the Hub that it was read from."""
    elsewhere = "ab" * 20
    first = mirror.add(tmp_path / "hub", "org/base", folder, "Mirror", elsewhere)
    with launch.running(tmp_path / "hub") as server:
        api = HfApi(server.url, token=server.token)
        assert api.model_info("org/base", revision=elsewhere).sha == first
        (folder / "config.json").write_text('{"b": 2}')
        second = mirror.add(tmp_path / "hub", "org/base", folder, "Mirror", elsewhere)
        assert api.model_info("org/base", revision=elsewhere).sha == second != first


def _original(folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    for path in ("config.json", "1_Pooling/config.json", "model.safetensors", "odd"):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes((folder / path).read_bytes())
    (copy / "config.json").write_text("{}")
    return copy


def test_beside_a_live_server(data: Path, hub: launch.Server, folder: Path, tmp_path: Path) -> None:
    sha = mirror.add(data, "mirrored/base", folder, "Mirror of base")
    nobody = HfApi(endpoint=hub.url, token=False)
    info = nobody.model_info("mirrored/base", files_metadata=True)
    assert info.sha == sha and not info.private
    large = {item.rfilename for item in info.siblings if item.lfs}
    assert large == {"model.safetensors", "odd"}
    assert {item.rfilename for item in info.siblings} - large == {
        ".gitattributes",
        "config.json",
        "1_Pooling/config.json",
    }
    back = nobody.hf_hub_download(
        "mirrored/base", "model.safetensors", revision=sha, cache_dir=tmp_path / "c"
    )
    assert Path(back).read_bytes() == WEIGHTS
    commit = nobody.list_repo_commits("mirrored/base")[0]
    assert commit.created_at.year == 2020 and commit.title == "Mirror of base"


def test_never_loses_somebody_elses_work(data: Path, api: HfApi, repo_id: str, folder: Path) -> None:
    head = api.create_commit(repo_id, [CommitOperationAdd("theirs.txt", b"x")], commit_message="theirs").oid
    sha = mirror.add(data, repo_id, folder, "Mirror")
    titles = [commit.title for commit in api.list_repo_commits(repo_id)]
    assert titles == ["Mirror", "theirs", "initial commit"] and api.model_info(repo_id).sha == sha != head
    assert "theirs.txt" not in api.list_repo_files(repo_id)


def test_old_revision_stays_readable(data: Path, hub: launch.Server, api: HfApi, folder: Path) -> None:
    first = mirror.add(data, "mirrored/moving", folder, "Mirror")
    (folder / "model.safetensors").write_bytes(WEIGHTS[::-1])
    assert mirror.add(data, "mirrored/moving", folder, "Mirror") != first
    assert api.model_info("mirrored/moving", revision=first).sha == first


def test_many_at_once(folder: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        shas = list(pool.map(lambda _: mirror.add(tmp_path / "d", "org/base", folder, "Mirror"), range(4)))
    assert len(set(shas)) == 1


def test_links_of_a_hub_cache_are_followed(folder: Path, tmp_path: Path) -> None:
    linked = tmp_path / "snapshot"
    linked.mkdir()
    for name in ("config.json", "model.safetensors", "odd"):
        (linked / name).symlink_to(folder / name)
    (linked / "1_Pooling").mkdir()
    (linked / "1_Pooling" / "config.json").symlink_to(folder / "1_Pooling" / "config.json")
    assert mirror.add(tmp_path / "a", "o/b", linked, "m") == mirror.add(tmp_path / "b", "o/b", folder, "m")


def test_impossible_requests(folder: Path, tmp_path: Path) -> None:
    for name in ("../x", "a", "a/../b", "a/b/c"):
        with pytest.raises(HubError):
            mirror.add(tmp_path / "d", name, folder, "m")
    with pytest.raises(HubError, match="no file"):
        (tmp_path / "empty").mkdir()
        mirror.add(tmp_path / "d", "a/b", tmp_path / "empty", "m")
