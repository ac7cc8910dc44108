"""What people wrote on the Hub's card, found and kept: the card that a release of ours publishes there."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.release import merge, receipt
from stages.release.blocks import generation
from stages.release.contents import CARD, LocalFile
from stages.release.edition import Edition
from stages.release.endpoint import Target
from stages.release.remote import Remote, content_at
from stages.release.versions import released

_RELEASES = 5  # that are asked for their card, the newest first


@dataclass(frozen=True)
class Settled:
    """The card that main is to hold; what of main's card it keeps; why it cannot be decided, if so."""

    card: LocalFile
    kept: str = ""
    conflict: str = ""


def settle(target: Target, edition: Edition, remote: Remote, held: Record | None) -> Settled:
    """Bring the edition's card and main's together. `held` is the receipt, of whatever repository."""
    local = edition.content[CARD]
    if remote.head is None or CARD not in remote.files or remote.files[CARD].holds(local):
        return Settled(local)
    found = content_at(target, edition.repo_id, remote.head, CARD)
    if found is None or not remote.files[CARD].holds(_with(local, found)):
        raise PipelineError(f"{_called(edition)} does not download as it is listed: run it again")
    try:
        theirs = found.decode()
    except UnicodeDecodeError:
        return Settled(
            local, conflict=f"{_called(edition)} is not UTF-8: save it as that, or remove it there"
        )
    ours = local.source.read_bytes().decode()
    try:
        merged = merge.merge(ours, theirs, _base(target, edition, remote, held, theirs), _called(edition))
    except PipelineError as error:
        return Settled(local, conflict=str(error))
    if generation(theirs) == generation(ours):
        data = found  # of this generation already: only blank lines and line ends could change
    elif merged.text == ours:
        return Settled(local)
    else:
        data = merged.text.encode()
    return Settled(_with(local, data), kept=merged.kept)


def _with(card: LocalFile, data: bytes) -> LocalFile:
    return replace(card, data=data, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _called(edition: Edition) -> str:
    return f"{CARD} on main of {edition.repo_id}"


def _base(target: Target, edition: Edition, remote: Remote, held: Record | None, theirs: str) -> str | None:
    """The card of the release that main's comes from; of the newest one where none is like it."""
    found = None
    for commit in _releases(target, edition, remote, held):
        text = card_at(target, edition.repo_id, commit)
        if text is not None and generation(text) == generation(theirs):
            return text
        found = text if found is None else found
    return found


def _releases(target: Target, edition: Edition, remote: Remote, held: Record | None) -> Iterator[str]:
    """Commits that releases of ours put there: the receipt's, then those of tags."""
    ours = held if receipt.is_for(held, target.name, edition.repo_id) else None
    known = [ours["commit"]] if ours and isinstance(ours.get("commit"), str) else []
    newest = sorted(released(remote.tags).items(), key=lambda item: item[1], reverse=True)
    tagged = islice((remote.tags[tag] for tag, _ in newest), _RELEASES)
    yield from dict.fromkeys([*known, *tagged])


def card_at(target: Target, repo_id: str, commit: str) -> str | None:
    """The card of a commit; None when there is none that could be one of ours."""
    found = content_at(target, repo_id, commit, CARD)
    try:
        return None if found is None else found.decode()
    except UnicodeDecodeError:
        return None
