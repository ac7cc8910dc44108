"""Giving a repository another name, and finding it by a former one."""

from __future__ import annotations

import os
from pathlib import Path

from localhub.errors import HubError
from localhub.names import check_repo_id, is_repo_part
from localhub.storage import redirects, repos
from localhub.storage.repos import Repo


def move(data: Path, repo: Repo, namespace: str, name: str) -> Repo:
    """Rename a repository in one step; its former names lead to it.

    Raises HubError 400 (impossible name), 409 (taken), RepoNotFound (deleted meanwhile).
    """
    new = check_repo_id(namespace, name)
    final = repos.folder(data, repo.kind, namespace, name)
    with repos.naming(data), repo.lock():
        there = repos.find(data, repo.kind, namespace, name)
        if there and (there.uid != repo.uid or there.id == new):  # another spelling of its own id is free
            raise HubError(409, f"A {repo.kind} repository called {there.id} already exists")
        repos.save(repos.load(repo.path))  # older files hold no identity: it would follow the name
        redirects.note(data, repo.kind, repo.id, new, repo.uid)
        final.parent.mkdir(parents=True, exist_ok=True)
        os.rename(repo.path, final)
        redirects.forget(data, repo.kind, new)
    return repos.load(final)


def follow(data: Path, kind: str, namespace: str, name: str) -> Repo | None:
    """The repository that once had this id and has another now."""
    if not (is_repo_part(namespace) and is_repo_part(name)):
        return None
    uid, places = redirects.lookup(data, kind, f"{namespace}/{name}") or ("", [])
    for place in places:
        repo = repos.find(data, kind, *place.split("/", 1))
        if repo and repo.uid == uid:
            return repo
    return None
