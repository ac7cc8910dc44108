"""The receipt: which content was released where, kept in Git beside the card."""

import json
from pathlib import Path

from stages.core import records
from stages.core.files import sha256
from stages.core.records import Record
from stages.release.contents import CARD, Content
from stages.release.edition import Edition


def read(path: Path) -> Record | None:
    """The receipt, or None when there is none that can be read: it is then written anew."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("files"), dict) else None


def is_for(held: Record | None, endpoint: str, repo_id: str) -> bool:
    """Whether the receipt is about this repository on this Hub."""
    return held is not None and (held.get("endpoint"), held.get("repo_id")) == (endpoint, repo_id)


def says(held: Record | None, endpoint: str, edition: Edition) -> bool:
    """Whether the receipt tells that exactly this content was released there as this version.

    The card is compared as it was generated.
    """
    if held is None or not is_for(held, endpoint, edition.repo_id):
        return False
    files = held["files"] | {CARD: held.get("generated_card") or held["files"].get(CARD)}
    return bool(held.get("tag") == edition.tag and files == generated(edition.content))


def digests(content: Content) -> dict[str, str]:
    """{path in the release: SHA-256}."""
    return {path: file.sha256 for path, file in content.items()}


def generated(content: Content) -> dict[str, str]:
    """`digests` of what lies here, without what people wrote on the Hub's card."""
    return digests(content) | ({CARD: sha256(content[CARD].source)} if CARD in content else {})


def write(
    path: Path, held: Record | None, edition: Edition, endpoint: str, commit: str, card: str | None = None
) -> bool:
    """Write the receipt unless it says so already; whether it was written.

    `card` is the SHA-256 of the card as it was published, where that holds what people wrote on the Hub.
    A `code_commit` stays the one that the content was first released from; only where none was known yet,
    because the code was not committed, is it filled in.
    """
    found = {
        "repo_id": edition.repo_id,
        "endpoint": endpoint,
        "commit": commit,
        "tag": edition.tag,
        "files": digests(edition.content) | ({CARD: card} if card else {}),
        "generated_card": generated(edition.content)[CARD],
        "code_commit": edition.code_commit,
    }
    same = held is not None and {**held, "code_commit": None} == {**found, "code_commit": None}
    if held is not None and same and (held.get("code_commit") or not edition.code_commit):
        return False
    records.write(path, found)
    return True
