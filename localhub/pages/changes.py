"""What a commit, a pull request or a release changed, file by file: keys first, then text, then bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pygit2

from localhub.cards import frontmatter, safetensors
from localhub.errors import HubError
from localhub.pages import contents, deltas, hunks, keypaths
from localhub.pages.deltas import Delta
from localhub.pages.hunks import Text
from localhub.pages.keypaths import KeyChange
from localhub.pages.wording import amount, size
from localhub.storage import trees
from localhub.storage.repos import Repo

MAX_FILES = 200
MAX_LINES = 500  # of one file among others
MAX_NEW = 120  # of one that is there, or gone, as a whole
MAX_ALONE = 5000  # of a file that is looked at alone
MAX_KEYS = 60
MAX_BLOB = 1_000_000  # bytes of a file that is compared line by line
CARD = "README.md"
NOTHING = Text([], 0, 0, 0)


@dataclass
class Budget:
    """What one page may still cost: lines shown, bytes compared, files whose keys and headers are read."""

    lines: int = 4000
    bytes: int = 8_000_000
    tables: int = 40
    headers: int = 50_000_000  # bytes


@dataclass(frozen=True)
class Change:
    """One file: keys that differ (`keys_left` more do), its text (a card's metadata apart), and a remark.

    A `folded` text repeats what the keys say.
    """

    delta: Delta
    keys: Sequence[KeyChange] = ()
    keys_left: int = 0
    text: Text = NOTHING
    front: Text = NOTHING
    note: str = ""
    folded: bool = False

    @property
    def added(self) -> int:
        """The number of added lines."""
        return self.text.added + self.front.added

    @property
    def removed(self) -> int:
        """The number of removed lines."""
        return self.text.removed + self.front.removed

    @property
    def anchor(self) -> str:
        """The fragment of its place on the page."""
        return f"f-{sha256(self.delta.path.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Changes:
    """All that differs: the files shown, and how many are not."""

    files: list[Change]
    left: int

    @property
    def added(self) -> int:
        """The number of added lines in the files shown."""
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        """The number of removed lines in the files shown."""
        return sum(file.removed for file in self.files)


def of_commit(git: pygit2.Repository, repo: Repo, commit: pygit2.Commit, only: str | None = None) -> Changes:
    """Against the first parent; against nothing for the first commit."""
    old = commit.parents[0].tree if commit.parents else None
    return between(git, repo, old, commit.tree, only)


def between(
    git: pygit2.Repository, repo: Repo, old: pygit2.Tree | None, new: pygit2.Tree, only: str | None = None
) -> Changes:
    """The changes from one tree to another; of the file `only`, if there is such a one, more of its lines."""
    found = deltas.between(git, old, new)
    if only is not None:
        found = [delta for delta in found if delta.path == only]
    budget, most = Budget(), MAX_ALONE if only is not None else 0
    budget.lines = max(budget.lines, most)
    files = [_change(git, repo, delta, budget, most or _most(delta)) for delta in found[:MAX_FILES]]
    return Changes(files, max(0, len(found) - MAX_FILES))


def _most(delta: Delta) -> int:
    return MAX_LINES if delta.old and delta.new else MAX_NEW


def _change(git: pygit2.Repository, repo: Repo, delta: Delta, budget: Budget, most: int) -> Change:
    if delta.old is None and delta.new is None:
        return Change(delta, note="A submodule: another repository at one of its commits.")
    if not delta.edited:
        return Change(delta, note=delta.mode or "The content is the same.")
    if _is_opaque(git, delta):
        keys, note = _weighed(git, repo, delta, budget)
        return Change(delta, keys, note=f"{note} {delta.mode}".strip())
    data = [trees.blob(git, side.oid) if side else b"" for side in (delta.old, delta.new)]
    budget.bytes -= sum(map(len, data))
    if budget.bytes < 0:
        note = "Not compared, as this page compares much already."
        return Change(delta, text=Text([], 1, 0, 0), note=note)
    texts = [one.decode(errors="replace") for one in data]
    if delta.path == CARD and (shown := _card(delta, texts, budget, most)):
        return shown
    return _text(delta, texts, data, budget, most)


def _is_opaque(git: pygit2.Repository, delta: Delta) -> bool:
    sides = [side for side in (delta.old, delta.new) if side]
    if any(side.lfs or side.size > MAX_BLOB for side in sides) or not sides:
        return True
    return any(b"\0" in trees.blob(git, side.oid)[:8000] for side in sides)  # as git judges


def _weighed(git: pygit2.Repository, repo: Repo, delta: Delta, budget: Budget) -> tuple[list[KeyChange], str]:
    """Size, hash and, of safetensors, what kind of tensors: what can be said of bytes."""
    sides = (delta.old, delta.new)
    rows = [
        KeyChange("size", *(f"{side.size:,} bytes ({size(side.size)})" if side else None for side in sides)),
        KeyChange("SHA-256", *(side.lfs.oid if side and side.lfs else None for side in sides)),
        KeyChange("Git hash", *(side.oid if side and not side.lfs else None for side in sides)),
    ]
    budget.headers -= sum(contents.header_size(git, repo, side) for side in sides if side)
    held = [contents.tensors(git, repo, side) if side and budget.headers >= 0 else None for side in sides]
    rows.append(KeyChange("parameters", *(None if one is None else _counted(one) for one in held)))
    note = _tensors_note(held[0], held[1]) if held[0] is not None and held[1] is not None else ""
    return [row for row in rows if row.old != row.new], note


def _counted(found: list[safetensors.Tensor]) -> str:
    parts = [f"{count:,} {dtype}" for dtype, count in safetensors.by_dtype(found).items()]
    return f"{' + '.join(parts) or '0'} in {len(found):,} {'tensor' if len(found) == 1 else 'tensors'}"


def _tensors_note(old: list[safetensors.Tensor], new: list[safetensors.Tensor]) -> str:
    before, after = ({tensor.name: tensor for tensor in side} for side in (old, new))
    total = amount(sum(tensor.count for tensor in new))
    if before == after:
        return f"The same tensors by name, dtype and shape ({total} parameters); their values differ."
    both = before.keys() & after.keys()
    parts = [
        (len(after.keys() - before.keys()), "added"),
        (len(before.keys() - after.keys()), "removed"),
        (sum(before[name].dtype != after[name].dtype for name in both), "of another dtype"),
        (sum(before[name].shape != after[name].shape for name in both), "of another shape"),
    ]
    return "Tensors: " + ", ".join(f"{count:,} {what}" for count, what in parts if count) + "."


def _card(delta: Delta, texts: list[str], budget: Budget, most: int) -> Change | None:
    """A card: its metadata as keys, the lines of its text, and those of the metadata to unfold."""
    old, new = (_metadata(text) for text in texts)
    keys = keypaths.changed(old, new) if old is not None and new is not None else None
    if keys is None:
        return None
    bodies = [frontmatter.split(text)[1] for text in texts]
    fronts = [text[: len(text) - len(body)] for text, body in zip(texts, bodies, strict=True)]
    above = (fronts[0].count("\n"), fronts[1].count("\n"))
    body = _lines(bodies[0].encode(), bodies[1].encode(), budget, most, above)
    yaml = _lines(fronts[0].encode(), fronts[1].encode(), budget, most)
    note = "The metadata says the same in another form." if fronts[0] != fronts[1] and not keys else ""
    left = max(0, len(keys) - MAX_KEYS)
    return Change(delta, keys[:MAX_KEYS], left, body, yaml, f"{note} {delta.mode}".strip())


def _metadata(text: str) -> dict[str, Any] | None:
    """A card's metadata ({} without any); None where they cannot be read."""
    try:
        return frontmatter.parse(text) or {}
    except HubError:
        return None


def _text(delta: Delta, texts: list[str], data: list[bytes], budget: Budget, most: int) -> Change:
    keys = _keys(delta, texts, budget)
    note = "No key differs, only the form of the text." if keys == [] else ""
    shown, left = (keys or [])[:MAX_KEYS], max(0, len(keys or ()) - MAX_KEYS)
    text = _lines(data[0], data[1], budget, most)
    return Change(delta, shown, left, text, NOTHING, f"{note} {delta.mode}".strip(), bool(shown) and not left)


def _keys(delta: Delta, texts: list[str], budget: Budget) -> list[KeyChange] | None:
    """The keys in which two versions of a JSON or YAML file differ; None for any other."""
    if delta.old is None or delta.new is None or budget.tables <= 0:
        return None
    old, new = keypaths.read(delta.old.path, texts[0]), keypaths.read(delta.new.path, texts[1])
    if not isinstance(old, dict | list) or not isinstance(new, dict | list):
        return None
    budget.tables -= 1
    return keypaths.changed(old, new)


def _lines(old: bytes, new: bytes, budget: Budget, most: int, above: tuple[int, int] = (0, 0)) -> Text:
    """As many lines of what differs as may be shown."""
    found = hunks.compared(old, new, min(most, budget.lines), above)
    budget.lines -= len(found.lines)
    return found
