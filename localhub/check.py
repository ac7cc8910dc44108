"""Is all that a data directory says true? `python -m localhub check --data DIR` reads every byte to tell.

Each repository: its settings and its discussions can be read; every ref names a commit; every tree and file
of every commit that a ref reaches is there and has the name of its content; so has every large file. And each
collection can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pygit2
from pygit2.enums import ObjectType, SortMode

from localhub.storage import lfs, repos, stories
from localhub.storage.disk import read_json
from localhub.storage.repos import Repo


def run(data: Path) -> int:
    """Print what is broken; exit status 0 when nothing is. FileNotFoundError without a data directory."""
    if not (data / "repos").is_dir():
        raise FileNotFoundError(f"{data} holds no Hub's data")
    found = 0
    for line in problems(data):
        print(line, flush=True)
        found += 1
    print(f"{found} problems" if found else "everything is there and whole")
    return 1 if found else 0


def problems(data: Path) -> Iterator[str]:
    """One sentence for each thing that is broken; nothing is changed."""
    for path in sorted((data / "repos").glob("*/*/*")):
        if not path.is_dir():
            continue
        try:
            repo = repos.load(path)
        except (OSError, ValueError, TypeError) as error:
            yield f"{path}: its repo.json cannot be read: {error}"
            continue
        yield from (f"{repo.kind} {repo.id}: {problem}" for problem in _of(repo))
    for path in sorted((data / "collections").glob("*.json")):
        yield from _unreadable(path, read_json)


def _of(repo: Repo) -> Iterator[str]:
    yield from _records(repo)
    try:
        git = repo.git()
        heads = {ref: git.references[ref].peel(pygit2.Commit).id for ref in git.references}
    except (KeyError, ValueError, pygit2.GitError) as error:
        yield f"its git cannot be read: {error}"
        return
    if "refs/heads/main" not in heads:
        yield "it has no branch main"
    yield from _objects(repo, git, heads)


def _records(repo: Repo) -> Iterator[str]:
    for path in sorted(repo.path.glob("*.json")):
        yield from _unreadable(path, read_json)
    for path in sorted((repo.path / "discussions").glob("*.jsonl")):
        yield from _unreadable(path, stories.read_file)


def _unreadable(path: Path, read: Callable[[Path], Any]) -> Iterator[str]:
    try:
        if not isinstance(read(path), dict | list):
            yield f"{path.parent.name}/{path.name} holds no record"
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        yield f"{path.parent.name}/{path.name} cannot be read: {error}"


def _objects(repo: Repo, git: pygit2.Repository, heads: dict[str, pygit2.Oid]) -> Iterator[str]:
    """Everything that the refs reach, each object once."""
    seen: set[pygit2.Oid] = set()
    large: set[lfs.Pointer] = set()
    for ref, head in heads.items():
        try:
            for commit in git.walk(head, SortMode.TOPOLOGICAL):
                if commit.id not in seen:
                    seen.add(commit.id)
                    _look(git, commit.tree_id, seen, large)
        except (KeyError, ValueError, pygit2.GitError) as error:
            yield f"{ref}: {error}"
    for pointer in sorted(large, key=lambda item: item.oid):
        yield from _large(repo, pointer)


def _look(git: pygit2.Repository, oid: pygit2.Oid, seen: set[pygit2.Oid], large: set[lfs.Pointer]) -> None:
    """Read a tree and what is below it. libgit2 compares each object with its name and raises GitError."""
    waiting = [oid]
    while waiting:
        oid = waiting.pop()
        if oid in seen:
            continue
        seen.add(oid)
        kind, content = git.odb.read(oid)
        if kind == ObjectType.TREE:
            waiting += [child.id for child in git[oid].peel(pygit2.Tree)]
        elif pointer := lfs.parse_pointer(content):
            large.add(pointer)


def _large(repo: Repo, pointer: lfs.Pointer) -> Iterator[str]:
    try:
        with open(lfs.object_path(repo.path, pointer.oid), "rb") as file:
            digest, size = sha256(), 0
            while step := file.read(1 << 20):
                digest.update(step)
                size += len(step)
    except FileNotFoundError:
        yield f"the large file {pointer.oid} is missing"
        return
    if (digest.hexdigest(), size) != (pointer.oid, pointer.size):
        yield f"the large file {pointer.oid} does not hold what its name says"
