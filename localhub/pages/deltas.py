"""Which files differ between two trees, and how: added, deleted, renamed, changed. No contents yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, ObjectType

from localhub.storage.lfs import MAX_POINTER, parse_pointer
from localhub.storage.trees import Entry

_WORDS = {DeltaStatus.ADDED: "added", DeltaStatus.DELETED: "deleted", DeltaStatus.RENAMED: "renamed"}
_RENAMES = 400  # files that differ, above which none is looked at for having moved
_ALIKE = 50_000_000  # bytes of all of them, above which only files that moved unchanged are found
# What describes a model comes before what it consists of.
_FIRST = (
    "README.md",
    "config.json",
    "adapter_config.json",
    "card.json",
    "params.yaml",
    "generation_config.json",
)


@dataclass(frozen=True)
class Delta:
    """One file that differs. `before`: the former path of a renamed one; `mode`: what became of its mode."""

    path: str
    status: str
    old: Entry | None
    new: Entry | None
    before: str | None = None
    mode: str = ""

    @property
    def edited(self) -> bool:
        """Whether the content of a file differs, and not its name or mode alone."""
        return (self.old and self.old.oid) != (self.new and self.new.oid)


def between(git: pygit2.Repository, old: pygit2.Tree | None, new: pygit2.Tree) -> list[Delta]:
    """The files that differ from one tree (None: an empty one) to another, those with metadata first."""
    diff = old.diff_to_tree(new) if old is not None else new.diff_to_tree(swap=True)
    _find_renames(git, diff)
    found = [part for delta in diff.deltas for part in _honest(_delta(git, delta))]
    return sorted(found, key=lambda delta: (_rank(delta.path), delta.path))


def _find_renames(git: pygit2.Repository, diff: pygit2.Diff) -> None:
    """Look for files that moved: among few also for those that changed a little on the way."""
    if len(diff) > _RENAMES:
        return
    sides = (side for delta in diff.deltas for side in (delta.old_file, delta.new_file))
    weight = sum(_header(git, side.id)[1] for side in sides)
    exactly = DiffFind.FIND_EXACT_MATCH_ONLY if weight > _ALIKE else DiffFind.FIND_RENAMES
    diff.find_similar(flags=DiffFind.FIND_RENAMES | exactly)


def _header(git: pygit2.Repository, oid: pygit2.Oid) -> tuple[ObjectType | None, int]:
    """(type, size in bytes) of an object; (None, 0) of what is not here: no file, or a submodule."""
    try:
        kind, size = git.odb.read_header(oid)
    except KeyError:
        return None, 0
    return ObjectType(kind), size


def _rank(path: str) -> int:
    return _FIRST.index(path) if path in _FIRST else len(_FIRST)


def _delta(git: pygit2.Repository, delta: pygit2.DiffDelta) -> Delta:
    old, new = _side(git, delta.old_file), _side(git, delta.new_file)
    status = _WORDS.get(delta.status, "changed")
    path, before = delta.new_file.path or delta.old_file.path, None
    mode = ""
    if status in ("renamed", "changed") and delta.old_file.mode != delta.new_file.mode:
        mode = f"Mode {int(delta.old_file.mode):06o} became {int(delta.new_file.mode):06o}."
    if status == "renamed":
        before = delta.old_file.path
    return Delta(path, status, old, new, before, mode)


def _side(git: pygit2.Repository, side: pygit2.DiffFile) -> Entry | None:
    kind, size = _header(git, side.id)
    if kind != ObjectType.BLOB:
        return None
    pointer = parse_pointer(git.odb.read(side.id)[1]) if size <= MAX_POINTER else None
    return Entry("file", side.path, str(side.id), pointer.size if pointer else size, pointer)


def _honest(delta: Delta) -> Iterator[Delta]:
    """Two pointers are always similar text: unless they name one object, no large file was renamed."""
    large = (delta.old and delta.old.lfs) or (delta.new and delta.new.lfs)
    if delta.status == "renamed" and large and delta.edited and delta.old:
        yield Delta(delta.old.path, "deleted", delta.old, None)
        yield replace(delta, status="added", old=None, before=None, mode="")
    else:
        yield delta
