"""A tree with edits on top: only the folders that change are read and written.

An index of the whole tree would cost every commit the size of the repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pygit2
from pygit2.enums import FileMode

from localhub.errors import HubError

MAX_ENTRIES = 10_000  # of a folder: https://huggingface.co/docs/hub/storage-limits


@dataclass
class Folder:
    """What a folder was (None: nothing) and what became of some names in it; None marks one that is gone."""

    base: pygit2.Tree | None = None
    changes: dict[str, Folder | pygit2.Oid | None] = field(default_factory=dict)

    def child(self, name: str) -> Folder | pygit2.Oid | None:
        """What goes by that name now: a folder, the id of a blob, or nothing."""
        if name in self.changes:
            return self.changes[name]
        if self.base is None or name not in self.base:
            return None
        found = self.base[name]
        if not isinstance(found, pygit2.Tree):
            return found.id
        self.changes[name] = folder = Folder(found)
        return folder


def put(root: Folder, path: str, blob: pygit2.Oid) -> None:
    """Let `path` be a file. Files in the place of its folders give way, as does a folder at `path`."""
    *parents, name = path.split("/")
    for part in parents:
        below = root.child(part)
        if not isinstance(below, Folder):
            below = root.changes[part] = Folder()
        root = below
    root.changes[name] = blob


def remove(root: Folder, path: str) -> bool:
    """Let there be nothing at `path`, be it a file or a folder; False when there was nothing."""
    *parents, name = path.split("/")
    for part in parents:
        below = root.child(part)
        if not isinstance(below, Folder):
            return False
        root = below
    there = root.child(name) is not None
    root.changes[name] = None
    return there


def blob_at(root: Folder, path: str) -> pygit2.Oid | None:
    """The id of the file at `path`, None when there is none."""
    here: Folder | pygit2.Oid | None = root
    for part in path.split("/"):
        if not isinstance(here, Folder):
            return None
        here = here.child(part)
    return here if isinstance(here, pygit2.Oid) else None


def write(git: pygit2.Repository, root: Folder, ref: str) -> pygit2.Oid:
    """The id of the whole tree, which is meant for `ref`. HubError 400 when a folder grew too large."""
    return _write(git, root, ref, "/") or git.TreeBuilder().write()


def _write(git: pygit2.Repository, folder: Folder, ref: str, place: str) -> pygit2.Oid | None:
    """The id of the folder's tree; None when nothing is left in it: git knows no empty folders."""
    if folder.base is not None and not folder.changes:
        return folder.base.id
    builder = git.TreeBuilder(folder.base) if folder.base is not None else git.TreeBuilder()
    for name, oid, mode in _resolved(git, folder, ref, place):
        if oid is not None:
            builder.insert(name, oid, mode)
        elif folder.base is not None and name in folder.base:
            builder.remove(name)
    if MAX_ENTRIES < len(builder) > len(folder.base or ()):
        raise _overfull(ref, place)
    return builder.write() if len(builder) else None


def _overfull(ref: str, place: str) -> HubError:
    """The Hub's refusal, in its words: people search for them (as in huggingface/datasets#7956)."""
    return HubError(
        400,
        "Your push was rejected because it contains too many files per directory. Each directory in your git"
        f" repo can only contain up to {MAX_ENTRIES} files. Offending reference: {ref}"
        f" Offending directories: {place}",
    )


def _resolved(
    git: pygit2.Repository, folder: Folder, ref: str, place: str
) -> Iterator[tuple[str, pygit2.Oid | None, FileMode]]:
    for name, change in folder.changes.items():
        if isinstance(change, Folder):
            yield name, _write(git, change, ref, f"{place}{name}/"), FileMode.TREE
        else:
            yield name, change, FileMode.BLOB
