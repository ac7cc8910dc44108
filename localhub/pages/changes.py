"""What a commit or a pull request changed, file by file."""

from __future__ import annotations

from dataclasses import dataclass

import pygit2
from pygit2.enums import DeltaStatus

from localhub.storage.lfs import MAX_POINTER, Pointer, parse_pointer

MAX_FILES = 200
MAX_LINES = 800
MAX_BLOB = 1_000_000  # bytes of a file that is compared line by line
_WORDS = {DeltaStatus.ADDED: "added", DeltaStatus.DELETED: "deleted", DeltaStatus.RENAMED: "renamed"}


@dataclass(frozen=True)
class Change:
    """One file: what happened, (mark, text) lines of a small text file, or one sentence for any other."""

    path: str
    status: str
    lines: list[tuple[str, str]]
    note: str
    added: int = 0
    removed: int = 0


def of_commit(git: pygit2.Repository, commit: pygit2.Commit) -> list[Change]:
    """Against the first parent; against nothing for the first commit."""
    if commit.parents:
        return between(git, commit.parents[0].tree, commit.tree)
    return between(git, None, commit.tree)


def between(git: pygit2.Repository, old: pygit2.Tree | None, new: pygit2.Tree) -> list[Change]:
    """The changes from one tree to another, README first: its metadata is what a reader wants to see."""
    diff = old.diff_to_tree(new) if old is not None else new.diff_to_tree(swap=True)
    found = [_change(git, delta) for delta in list(diff.deltas)[:MAX_FILES]]
    return sorted(found, key=lambda change: (change.path != "README.md", change.path))


def _change(git: pygit2.Repository, delta: pygit2.DiffDelta) -> Change:
    path = delta.new_file.path or delta.old_file.path
    status = _WORDS.get(delta.status, "changed")
    old, new = (_blob(git, side, status) for side in (delta.old_file, delta.new_file))
    pointers = [_pointer(blob) for blob in (old, new)]
    if any(pointers):
        return Change(path, status, [], _large(*pointers))
    if any(blob is not None and (blob.size > MAX_BLOB or blob.is_binary) for blob in (old, new)):
        return Change(path, status, [], "Not shown: binary, or long.")
    return _lines(pygit2.Patch.create_from(old, new), path, status)


def _blob(git: pygit2.Repository, side: pygit2.DiffFile, status: str) -> pygit2.Blob | None:
    found = git.get(side.id)
    return found if isinstance(found, pygit2.Blob) else None


def _pointer(blob: pygit2.Blob | None) -> Pointer | None:
    return parse_pointer(blob.data) if blob is not None and blob.size <= MAX_POINTER else None


def _large(old: Pointer | None, new: Pointer | None) -> str:
    sides = [f"{side.size:,} bytes, sha256 {side.oid[:12]}…" if side else "" for side in (old, new)]
    if all(sides):
        return f"Large file: {sides[0]} became {sides[1]}"
    return f"Large file: {sides[0] or sides[1]}"


def _lines(patch: pygit2.Patch, path: str, status: str) -> Change:
    lines: list[tuple[str, str]] = []
    for hunk in patch.hunks:
        lines.append(("@", hunk.header.strip()))
        lines += [(line.origin, line.content.rstrip("\n")) for line in hunk.lines if line.origin in " +-"]
    _, added, removed = patch.line_stats
    note = f"{len(lines) - MAX_LINES} more lines are not shown." if len(lines) > MAX_LINES else ""
    return Change(path, status, lines[:MAX_LINES], note, added, removed)
