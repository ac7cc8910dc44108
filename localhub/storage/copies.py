"""A copy of a repository under another name: its branches and tags, what they lead to, and nothing else."""

from __future__ import annotations

from pathlib import Path

from localhub.storage import lfs, reachable, repos
from localhub.storage.repos import Repo

COPIED = ("refs/heads/", "refs/tags/")


def duplicate(data: Path, source: Repo, namespace: str, name: str, private: bool) -> Repo:
    """The copy, gated as the original is; pull requests, discussions and access requests stay behind.

    Raises HubError 400 (impossible name), 409 (taken). It is built aside, from what the refs lead to at one
    instant, and renamed into place. Large files take no more room on the disk (hard links: they are never
    written to), but each repository has its own names for them: what is deleted in one stays in the other.
    """
    return repos.create(
        data,
        source.kind,
        namespace,
        name,
        private,
        fill=lambda made: _fill(source, made),
        gated=source.gated,
        sdk=source.sdk,
    )


def _fill(source: Repo, made: Repo) -> None:
    old, new = source.git(), made.git()
    with source.lock():
        tips = reachable.tips(old, COPIED)
    found = reachable.reach(old, tips.values())
    for oid in sorted(found.objects):
        kind, content = old.odb.read(oid)
        new.odb.write(kind, content)
    for oid in found.large:  # a pointer that somebody wrote as text names nothing: then nothing is lent
        lfs.lend(source.path, made.path, oid)
    for ref, oid in tips.items():
        new.references.create(ref, oid)
