"""Tags in the order in which they were released."""

from __future__ import annotations

import re

import pygit2

from localhub.errors import HubError
from localhub.storage import refs, trees
from localhub.storage.repos import Repo

_DIGITS = re.compile(r"(\d+)", re.ASCII)


def in_order(git: pygit2.Repository) -> dict[str, str]:
    """{tag: commit SHA}, oldest commit first; tags of one time as people count (v0.9 before v0.10)."""
    found = refs.names(git, "refs/tags/")
    times = {name: trees.when(trees.resolve(git, sha)) for name, sha in found.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: (times[name], _natural(name)))}


def newest(repo: Repo, most: int = 3) -> list[str]:
    """The last tags; none of a repository that is deleted while a list is made."""
    try:
        return list(in_order(repo.git()))[-most:]
    except (HubError, OSError, pygit2.GitError):
        return []


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in _DIGITS.split(name[:100])]
