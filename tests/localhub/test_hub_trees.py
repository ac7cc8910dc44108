"""Listings of trees and commits: their pages, and which commit changed what."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pygit2
from huggingface_hub import CommitOperationAdd, HfApi

from localhub.launch import Server
from localhub.storage import trees


def test_pages_of_a_list_stay_at_their_commit(api: HfApi, hub: Server, repo_id: str) -> None:
    """Somebody commits while a client reads on: nothing comes twice, nothing is left out."""
    paths = {f"{number:02}.txt" for number in range(30)}
    api.create_commit(repo_id, [CommitOperationAdd(path, b"x") for path in paths], commit_message="many")
    for listing in ("tree/main?limit=20&recursive=1", "commits/main?limit=1"):
        first = httpx.get(f"{hub.url}/api/models/{repo_id}/{listing}")
        api.upload_file(path_or_fileobj=listing.encode(), path_in_repo="00-new.txt", repo_id=repo_id)
        second = httpx.get(first.links["next"]["url"])
        key = "path" if listing.startswith("tree") else "title"
        seen = [row[key] for row in first.json() + second.json()]
        assert len(seen) == len(set(seen)) and "00-new.txt" not in seen[20:], seen
    tree = httpx.get(f"{hub.url}/api/models/{repo_id}/tree/main?cursor=7")
    assert tree.status_code == 400 and "Link" in tree.json()["error"]


def test_formatted_commits(api: HfApi, repo_id: str) -> None:
    text = "A *title*\n\nWith <b>text</b>"
    api.create_commit(repo_id, [CommitOperationAdd("a", b"1")], commit_message=text)
    newest = api.list_repo_commits(repo_id, formatted=True)[0]
    assert newest.title == "A *title*" and newest.message == "With <b>text</b>"
    assert newest.formatted_message == "With &lt;b&gt;text&lt;/b&gt;" and newest.authors == ["local"]


def test_last_commits_are_those_of_git_log(api: HfApi, data: Path, repo_id: str) -> None:
    """Files and folders, changed, deleted and made again, on both sides of a merge."""
    for number in range(12):
        operations = [CommitOperationAdd(f"d{number % 3}/e/{number % 5}.txt", str(number).encode())]
        operations += [CommitOperationAdd("top.txt", str(number // 4).encode())]
        api.create_commit(repo_id, operations, commit_message=f"c{number}")
    api.delete_file("d0/e/0.txt", repo_id)
    api.create_commit(repo_id, [CommitOperationAdd("d0/e/0.txt", b"again")], commit_message="again")
    place = data / "repos/models" / repo_id / "git"
    git = pygit2.Repository(str(place))
    main = git.references["refs/heads/main"].target
    merge_of_two_sides(git, main)
    found = {
        item.path: item.last_commit.oid for item in api.list_repo_tree(repo_id, recursive=True, expand=True)
    }
    assert len(found) == 22
    for path, sha in found.items():
        command = ["git", "-C", str(place), "log", "-1", "--format=%H", "main", "--", path]
        assert subprocess.check_output(command, text=True).strip() == sha, path
    few = api.get_paths_info(repo_id, ["d1", "top.txt", "none"], expand=True)
    assert {item.path: item.last_commit.oid for item in few} == {
        path: found[path] for path in ("d1", "top.txt")
    }


def merge_of_two_sides(git: pygit2.Repository, base: pygit2.Oid) -> None:
    """main becomes a merge of two commits, each with a file of its own."""
    who = pygit2.Signature("a", "a@localhub.invalid", 1_900_000_000, 0)
    sides, index = [], pygit2.Index()
    index.read_tree(git[base].peel(pygit2.Tree))
    for name in ("left.txt", "right.txt"):
        side = pygit2.Index()
        side.read_tree(git[base].peel(pygit2.Tree))
        for where in (side, index):
            where.add(pygit2.IndexEntry(name, git.create_blob(name.encode()), pygit2.enums.FileMode.BLOB))
        sides.append(git.create_commit(None, who, who, name, side.write_tree(git), [base]))
    merged = git.create_commit(None, who, who, "merge", index.write_tree(git), sides)
    git.references.create("refs/heads/main", merged, force=True)


def test_a_long_tree_with_a_long_history_is_quick(data: Path, repo_id: str) -> None:
    """5,000 files in one folder, 80 commits: one comparison of trees each, not one for each path."""
    git = pygit2.Repository(str(data / "repos/models" / repo_id / "git"))
    who = pygit2.Signature("a", "a@localhub.invalid", 1_700_000_000, 0)
    builder, parent = git.TreeBuilder(), git.references["refs/heads/main"].target
    for number in range(5000):
        builder.insert(f"{number:04}.txt", git.create_blob(str(number).encode()), pygit2.enums.FileMode.BLOB)
    for number in range(80):
        builder.insert(f"{number * 7:04}.txt", git.create_blob(b"new"), pygit2.enums.FileMode.BLOB)
        root = git.TreeBuilder()
        root.insert("d", builder.write(), pygit2.enums.FileMode.TREE)
        parent = git.create_commit(None, who, who, str(number), root.write(), [parent])
    head = git[parent].peel(pygit2.Commit)
    begun = time.process_time()
    entries = list(trees.listing(git, head, recursive=True))
    listed = time.process_time()
    last = trees.last_commits(git, head, [entry.path for entry in entries])
    ended = time.process_time()
    assert len(entries) == len(last) == 5001
    assert last["d/0007.txt"].message == "1" and last["d/0001.txt"].message == "0"
    assert listed - begun < 0.5 and ended - listed < 1.5, "0.03 s and 0.15 s on an idle machine"


def test_a_gated_tree_shows_names_and_opens_nothing(team: str) -> None:
    ada, bob = (HfApi(endpoint=team, token=f"token-of-{name}") for name in ("ada", "bob"))
    name = f"ada/t{uuid4().hex[:8]}"
    ada.create_repo(name)
    ada.upload_file(path_or_fileobj=bytes(range(256)), path_in_repo="w.bin", repo_id=name)
    ada.update_repo_settings(name, gated="manual")
    for found in (list(bob.list_repo_tree(name)), bob.get_paths_info(name, ["w.bin"])):
        weights = next(item for item in found if item.path == "w.bin")
        assert weights.size == 256 and set(weights.lfs.sha256) == {"*"}
    assert "*" not in ada.get_paths_info(name, ["w.bin"])[0].lfs.sha256
    for path in ("resolve/main/w.bin", "raw/main/w.bin"):
        answer = httpx.get(f"{team}/{name}/{path}", headers={"Authorization": "Bearer token-of-bob"})
        assert answer.status_code == 403 and answer.headers["x-error-code"] == "GatedRepo"
