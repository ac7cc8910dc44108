"""Which git objects and which large files the refs of a repository lead to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pygit2
from pygit2.enums import ObjectType

from localhub.storage.lfs import MAX_POINTER, Pointer, parse_pointer


@dataclass
class Reached:
    """Object ids (hexadecimal), and the large files that pointers among them name."""

    objects: set[str] = field(default_factory=set)
    large: dict[str, Pointer] = field(default_factory=dict)


def tips(git: pygit2.Repository, prefixes: tuple[str, ...] = ("refs/",)) -> dict[str, str]:
    """{ref: the object that it names} of the direct refs under these prefixes."""
    found = {ref: git.references[ref].target for ref in git.references if ref.startswith(prefixes)}
    return {ref: str(target) for ref, target in found.items() if isinstance(target, pygit2.Oid)}


def reach(git: pygit2.Repository, starts: Iterable[str]) -> Reached:
    """Everything that these objects lead to: tags, commits with their parents, trees, blobs.

    A tree that was seen is not entered again, so a long history of few changes costs little.
    """
    found, waiting = Reached(), list(starts)
    while waiting:
        oid = waiting.pop()
        if oid in found.objects:
            continue
        found.objects.add(oid)
        kind, data = git.odb.read(oid)
        if kind == ObjectType.COMMIT:
            commit = git[oid].peel(pygit2.Commit)
            waiting += [str(parent) for parent in commit.parent_ids]
            waiting.append(str(commit.tree_id))
        elif kind == ObjectType.TAG:
            tag = git[oid]
            assert isinstance(tag, pygit2.Tag)
            waiting.append(str(tag.target))
        elif kind == ObjectType.TREE:
            _enter(git, oid, found, waiting)
        elif len(data) <= MAX_POINTER:
            _note_pointer(data, found)
    return found


def _enter(git: pygit2.Repository, oid: str, found: Reached, waiting: list[str]) -> None:
    """A tree's children; a blob too large for a pointer is not read."""
    for child in git[oid].peel(pygit2.Tree):
        name = str(child.id)
        if child.type == ObjectType.TREE:
            waiting.append(name)
        elif child.type == ObjectType.BLOB and name not in found.objects:
            if git.odb.read_header(child.id)[1] > MAX_POINTER:
                found.objects.add(name)
            else:
                waiting.append(name)


def _note_pointer(data: bytes, found: Reached) -> None:
    pointer = parse_pointer(data)
    if pointer:
        found.large[pointer.oid] = pointer
