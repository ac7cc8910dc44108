"""The difference between an edition and the Hub, file by file."""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from stages.core.records import Record
from stages.release import receipt
from stages.release.blocks import generation
from stages.release.contents import CARD, Content, is_of_a_release
from stages.release.edition import Edition
from stages.release.endpoint import Target
from stages.release.handwritten import card_at, settle
from stages.release.remote import Files, Remote, files_at, look

Tagged = Literal["nothing", "this", "other"]
Kind = Literal["new", "changed", "same", "removed", "kept"]
_SHOWN_AS = {"kept": "not ours, kept"}


@dataclass(frozen=True)
class Change:
    """What becomes of one path on main. `kept` files are somebody else's and stay."""

    path: str
    kind: Kind
    size: int


@dataclass(frozen=True)
class Plan:
    """What a push has to do. `tagged`: what the version's tag holds already, if there is one.

    The edition's card holds what people wrote on main's: `kept` says how much. `conflict` says why it does
    not. `card` is the SHA-256 of the card that the tag holds, or is going to hold.
    """

    edition: Edition
    remote: Remote
    changes: tuple[Change, ...]
    tagged: Tagged
    kept: str = ""
    conflict: str = ""
    card: str | None = None

    def paths(self, *kinds: Kind) -> list[str]:
        """The paths of the given kinds of change, in order."""
        return [change.path for change in self.changes if change.kind in kinds]

    @property
    def writes_main(self) -> bool:
        """Whether main differs from the edition."""
        return bool(self.paths("new", "changed", "removed"))

    @property
    def released(self) -> bool:
        """Whether nothing is left to do: main and tag hold exactly this edition."""
        return not self.writes_main and self.tagged == "this"


def make(target: Target, edition: Edition, held: Record | None) -> Plan:
    """Ask the Hub and compare. Raises Unreachable, or PipelineError for an answer that allows nothing."""
    remote = look(target, edition.repo_id)
    ours = held if receipt.is_for(held, target.name, edition.repo_id) else None
    settled = settle(target, edition, remote, held)
    whole = replace(edition, content=edition.content | {CARD: settled.card})
    changes = compare(whole.content, remote.files, set(ours["files"] if ours else ()))
    tagged, card = _tagged(target, edition, remote)
    if tagged != "this":
        card = settled.card.sha256
    return Plan(whole, remote, changes, tagged, settled.kept, settled.conflict, card)


def compare(content: Content, remote: Files, published: set[str]) -> tuple[Change, ...]:
    """The changes by path. Of what main holds beside `content`, those `published` before by us, and those
    that only a release of ours would hold, are removed.
    """
    found = {path: Change(path, _kind(content, remote, path), file.size) for path, file in content.items()}
    for path in remote.keys() - content.keys():
        kind: Kind = "removed" if path in published or is_of_a_release(path) else "kept"
        found[path] = Change(path, kind, remote[path].size)
    return tuple(found[path] for path in sorted(found))


def _kind(content: Content, remote: Files, path: str) -> Kind:
    if path not in remote:
        return "new"
    return "same" if remote[path].holds(content[path]) else "changed"


def _tagged(target: Target, edition: Edition, remote: Remote) -> tuple[Tagged, str | None]:
    """What the tag holds, and the SHA-256 of its card, which may have been released with words of others."""
    commit = remote.tags.get(edition.tag)
    if commit is None:
        return "nothing", None
    files = remote.files if commit == remote.head else files_at(target, edition.repo_id, commit)
    local = edition.content[CARD]
    other = [c.path for c in compare(edition.content, files, set()) if c.kind not in ("same", "kept")]
    if not other:
        return "this", local.sha256
    card = card_at(target, edition.repo_id, commit) if other == [CARD] else None
    if card is None or generation(card) != generation(local.source.read_bytes().decode()):
        return "other", None
    return "this", hashlib.sha256(card.encode()).hexdigest()


def table(plan: Plan) -> str:
    """The plan for a reader: one line a file, with what becomes of it and its size."""
    rows = [(_SHOWN_AS.get(c.kind, c.kind), _size(c.size), c.path) for c in plan.changes]
    widths = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    return "\n".join(f"  {kind:<{widths[0]}}  {size:>{widths[1]}}  {path}" for kind, size, path in rows)


def summary(plan: Plan) -> str:
    """How many files of each kind, in words."""
    where = "" if plan.remote.head else "a repository that is not there yet (or is hidden from us): "
    counts = Counter(change.kind for change in plan.changes)
    kinds: tuple[Kind, ...] = ("new", "changed", "removed", "same")
    return where + ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind])


def volume(edition: Edition, paths: Collection[str]) -> str:
    """How many files of the edition these are, and how large together."""
    size = _size(sum(edition.content[path].size for path in paths))
    return f"{len(paths)} file{'s' if len(paths) != 1 else ''}, {size}"


def _size(size: float) -> str:
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5 or unit == "GB":
            break
    return f"{size:.1f} {unit}" if size < 100 else f"{size:.0f} {unit}"
